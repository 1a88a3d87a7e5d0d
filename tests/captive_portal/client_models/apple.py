"""iOS 14, macOS 11 and later: the captive network assistant.

Once DHCP names an API, only the API is asked (RFC 8908); a broken one is as if there were none.
"""

import json

from captive_portal.probes import first_of
from client_models.seeing import Seen, State, Verdict, Web

PROBE = first_of("apple")
USER_AGENT = "CaptiveNetworkSupport-481.140.2 wispr"


def told(api: Seen | None) -> dict[str, object] | None:
    """An API answer that is one."""
    if api is None or api.status != 200 or api.headers.get("content-type") != "application/captive+json":
        return None
    try:
        said = json.loads(api.body)
    except ValueError:
        return None
    return said if isinstance(said, dict) and isinstance(said.get("captive"), bool) else None


def decide(probe: Seen, api: Seen | None = None) -> Verdict:
    """The state of the network; no sheet is shown when nothing answers, or an error does."""
    said = told(api)
    if said is not None:
        return Verdict(State.PORTAL, str(said["user-portal-url"])) if said["captive"] else Verdict(State.ONLINE)
    if PROBE.online(probe.status, probe.body):
        return Verdict(State.ONLINE)
    if 200 <= probe.status <= 399 and (probe.location or probe.body):
        return Verdict(State.PORTAL, probe.location or PROBE.url)
    return Verdict(State.OFFLINE)


def look(web: Web, api: str = "") -> Verdict:
    """One evaluation, as when a network is joined, and after each page of the sheet."""
    said = web.get(api, Accept="application/captive+json", User_Agent=USER_AGENT) if api.startswith("https:") else None
    probe = Seen() if told(said) else web.get(PROBE.url, User_Agent=USER_AGENT, Connection="close")
    return decide(probe, said)
