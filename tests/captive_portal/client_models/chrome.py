"""Chrome on any system (asked when a page stalls or its certificate is wrong), and ChromeOS' own check."""

from captive_portal.probes import PROBES
from client_models.seeing import Seen, State, Verdict, Web

CHROME = next(probe for probe in PROBES if probe.host == "www.gstatic.com")
CHROMEOS = next(probe for probe in PROBES if probe.host == "clients3.google.com")
NO_CONTENT, SIGN_IN = 204, 511


def decide(seen: Seen) -> Verdict:
    """Chrome: 204 is the internet; other 2xx, 3xx and 511 are a portal; all else is no answer."""
    if seen.status == NO_CONTENT:
        return Verdict(State.ONLINE)
    if 200 <= seen.status <= 399 or seen.status == SIGN_IN:
        return Verdict(State.PORTAL, CHROME.url)
    return Verdict(State.OFFLINE)


def decide_chromeos(seen: Seen) -> Verdict:
    """ChromeOS: anything but 204 may be a portal."""
    return Verdict(State.ONLINE) if seen.status == NO_CONTENT else Verdict(State.PORTAL, seen.location or CHROMEOS.url)


def look(web: Web, api: str = "") -> Verdict:
    """One check of Chrome's."""
    del api
    return decide(web.get(CHROME.url, User_Agent="Mozilla/5.0 Chrome/126.0.0.0"))


def look_chromeos(web: Web, api: str = "") -> Verdict:
    """One check of ChromeOS'."""
    del api
    return decide_chromeos(web.get(CHROMEOS.url, User_Agent="Mozilla/5.0 (X11; CrOS x86_64)"))
