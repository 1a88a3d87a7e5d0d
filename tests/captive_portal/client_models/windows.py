"""Windows 10 and 11: the network connectivity status indicator (NCSI). It knows no RFC 8908."""

from captive_portal.probes import NCSI_ADDRESS, NCSI_NAME, first_of
from client_models.seeing import Seen, State, Verdict, Web

PROBE = first_of("windows")
SIGN_IN = "http://www.msftconnecttest.com/redirect"
"""Opened in the owner's browser."""


def decide(probe: Seen, names: list[str]) -> Verdict:
    """The state of the network. *names*: the addresses of NCSI's own name; a forged one would be "no internet"."""
    if PROBE.online(probe.status, probe.body):
        return Verdict(State.ONLINE if NCSI_ADDRESS in names else State.PARTIAL)
    if 200 <= probe.status <= 399:
        return Verdict(State.PORTAL, SIGN_IN)
    return Verdict(State.OFFLINE)


def look(web: Web, api: str = "") -> Verdict:
    """One active probe."""
    del api
    return decide(web.get(PROBE.url, User_Agent="Microsoft NCSI", Connection="close"), web.resolve(NCSI_NAME))
