"""NetworkManager's connectivity check (nm-connectivity, August 2026): what Debian's and Ubuntu's desktops show."""

from captive_portal.probes import PROBES, Probe
from client_models.seeing import Seen, State, Verdict, Web

DEBIAN = next(probe for probe in PROBES if probe.asks == "Debian")
UBUNTU = next(probe for probe in PROBES if probe.asks == "Ubuntu")
STATUS_HEADER = "x-networkmanager-status"


def decide(seen: Seen, expected: str) -> Verdict:
    """The state: the header, or the page's beginning; where nothing is expected, nothing. No answer is "limited"."""
    if not seen.status:
        return Verdict(State.PARTIAL)
    if seen.headers.get(STATUS_HEADER) == "online":
        return Verdict(State.ONLINE)
    if not expected and (seen.status == 204 or (seen.status == 200 and not seen.body)):
        return Verdict(State.ONLINE)
    if expected and seen.status == 200 and seen.body.startswith(expected):
        return Verdict(State.ONLINE)
    return Verdict(State.PORTAL, "")


def look_at(web: Web, probe: Probe) -> Verdict:
    """One check as *probe*'s distribution has it."""
    return decide(web.get(probe.url, User_Agent="NetworkManager", Connection="close"), probe.body)


def look(web: Web, api: str = "") -> Verdict:
    """Debian's."""
    del api
    return look_at(web, DEBIAN)


def look_ubuntu(web: Web, api: str = "") -> Verdict:
    """Ubuntu's, which expects an empty answer."""
    del api
    return look_at(web, UBUNTU)
