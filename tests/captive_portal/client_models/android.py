"""Android 11 and later: NetworkStack's NetworkMonitor (AOSP, March 2024)."""

import json
import re
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from captive_portal.probes import PROBES, first_of
from client_models.seeing import Seen, State, Verdict, Web

MOST_CHARACTERS = 4096
"""Read of an API answer."""
SHORTEST_PAGE = 4
"""Bytes: a page as short as that cannot be signed in to."""
NO_CONTENT = 204
HTTP_PROBE = first_of("android").url
HTTPS_PROBE = next(probe.url for probe in PROBES if probe.family == "android" and probe.scheme == "https")
FALL_BACKS = tuple(probe.url for probe in PROBES if "fall-back" in probe.asks)
_LOCAL = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fec0::/10", "fc00::/7")))
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/60.0.3112.32 Safari/537.36"


@dataclass(frozen=True)
class Options:
    """What makers may change. *private_is_offline*: a probe's name at a private address means "no internet"."""

    private_is_offline: bool = False
    fails: str = ""
    """A pattern of an HTTPS probe's page that is a failure."""
    succeeds: str = ""
    """A pattern of an HTTP probe's page that is a success."""


@dataclass(frozen=True)
class Sights:
    """What one validation saw; *api* None: option 114 gave no usable address."""

    https: Seen
    http: Seen
    api: Seen | None = None
    fall_back: Seen | None = None
    private: bool = False


def told(api: Seen | None) -> dict[str, object] | None:
    """A captive portal API answer Android takes; None when it takes none of it."""
    if api is None or api.status != 200:
        return None
    charset = re.search(r"charset=([^;]+)", api.headers.get("content-type", ""))
    if charset and charset[1].strip().lower() != "utf-8":
        return None
    try:
        said = json.loads(api.body[:MOST_CHARACTERS])
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("captive"), bool):
        return None
    page = said.get("user-portal-url")
    return None if said["captive"] and not isinstance(page, str) else said


def judge(seen: Seen, url: str, pattern_fails: str = "", pattern_succeeds: str = "") -> Verdict:
    """One probe's answer: 204 is the internet, 200 to 399 with something to read is a portal, all else a failure."""
    if seen.status == NO_CONTENT:
        return Verdict(State.ONLINE)
    if pattern_fails and re.search(pattern_fails, seen.body):
        return Verdict(State.OFFLINE)
    if pattern_succeeds and re.search(pattern_succeeds, seen.body):
        return Verdict(State.ONLINE)
    if not 200 <= seen.status <= 399 or (seen.status == 200 and seen.length <= SHORTEST_PAGE):
        return Verdict(State.OFFLINE)
    return Verdict(State.PORTAL, seen.location or url)


def decide(seen: Sights, options: Options = Options()) -> Verdict:
    """The state of the network.

    An API that says "captive" decides. One that says "not captive" does not: the probes must succeed all the same.
    """
    said = told(seen.api)
    if said and said["captive"]:
        return Verdict(State.PORTAL, str(said["user-portal-url"]))
    https = judge(seen.https, HTTPS_PROBE, pattern_fails=options.fails)
    http = judge(seen.http, HTTP_PROBE, pattern_succeeds=options.succeeds)
    if seen.private and options.private_is_offline and http.state is State.PORTAL:
        http = Verdict(State.OFFLINE)
    for probe in (http, https):
        if probe.state is State.PORTAL:
            return probe
    if https.state is State.ONLINE:
        return https
    if seen.fall_back is not None:
        fall_back = judge(seen.fall_back, FALL_BACKS[0])
        if fall_back.state is State.PORTAL:
            return fall_back
    return Verdict(State.PARTIAL if http.state is State.ONLINE else State.OFFLINE)


def asks_the_api(url: str) -> bool:
    """Whether option 114's address is one Android asks: https, with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def look(web: Web, api: str = "", options: Options = Options()) -> Verdict:
    """One validation. *api*: what option 114 said."""
    sights = Sights(Seen(), Seen())
    if asks_the_api(api):
        sights = replace(sights, api=web.get(api, Accept="application/captive+json", User_Agent=USER_AGENT))
        said = told(sights.api)
        if said and said["captive"]:
            return decide(sights, options)
    addresses = web.resolve(urlsplit(HTTP_PROBE).hostname or "")
    sights = replace(
        sights,
        https=web.get(HTTPS_PROBE, User_Agent=USER_AGENT),
        http=web.get(HTTP_PROBE, User_Agent=USER_AGENT),
        private=any(is_local(one) for one in addresses),
    )
    if judge(sights.https, HTTPS_PROBE).state is not State.ONLINE:
        sights = replace(sights, fall_back=web.get(FALL_BACKS[0], User_Agent=USER_AGENT))
    return decide(sights, options)


def is_local(address: str) -> bool:
    """RFC 1918, link-local and site-local addresses."""
    found = ip_address(address)
    local = any(found in network for network in _LOCAL if network.version == found.version)
    return local or found.is_link_local
