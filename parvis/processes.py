"""Our processes: names, places, privileges and secrets; on which TCP port each shows ``/metrics`` and ``/healthz``."""

from dataclasses import dataclass
from typing import Literal

VERSION = "0.2.0"
"""Of all of them."""


@dataclass(frozen=True, slots=True)
class Process:
    """One kind of process. *place* ``gateway``: one at each site; ``centre``: one for the town."""

    name: str
    port: int
    place: Literal["gateway", "centre"]
    secrets: tuple[str, ...] = ()
    """The secrets it always needs, by name; those the town's own description names come on top."""
    capabilities: tuple[str, ...] = ()
    """What it may do beyond an ordinary user, in the words of capabilities(7), lower case, without ``cap_``."""

    @property
    def user(self) -> str:
        """The Unix user it runs as, of its own."""
        return f"parvis-{self.name}"


PORTAL_KEY, MANAGEMENT_TOKEN, VISITOR_TOKEN = "portal-key", "management-token", "visitor-token"
EVIDENCE_TOKEN = "evidence-token"  # noqa: S105 a name

PORTAL = Process("portal", 9201, "gateway", secrets=(PORTAL_KEY, MANAGEMENT_TOKEN))
GATEWAYD = Process("gatewayd", 9202, "gateway", capabilities=("net_admin", "net_raw"))
"""CAP_NET_RAW for one socket; gatewayd gives it up before it serves."""
COLLECTORS = Process("collectors", 9203, "centre")
MONITOR = Process("monitor", 9204, "centre", secrets=(VISITOR_TOKEN,))
CONSOLE = Process("console", 9205, "centre", secrets=(MANAGEMENT_TOKEN,))
EVIDENCE = Process("evidence", 9206, "gateway", secrets=(EVIDENCE_TOKEN,), capabilities=("net_admin",))
ARCHIVE = Process("archive", 9207, "centre", secrets=(EVIDENCE_TOKEN,))
ALL = (PORTAL, GATEWAYD, COLLECTORS, MONITOR, CONSOLE, EVIDENCE, ARCHIVE)

EVIDENCE_SHARED_PORT = 9446
"""Where a gateway hands its sealed files to the centre, on its management address."""

PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093
PORTAL_HTTP_PORT = 8080
"""Where plain HTTP of devices not yet admitted is redirected to, on the gateway."""
PORTAL_HTTPS_PORT = 8443
"""Where the portal's own name is served, on the gateway."""
MANAGEMENT_PORT = 9443
"""Where the portal serves the staff console, on the gateway's management address, for the centre's network only."""
CONSOLE_HTTPS_PORT = 9444
"""Where the console serves staff, at the centre."""
TRAP_PORT = 9162
"""Where the collectors hear traps, without privilege; the centre's ruleset leads port 162 there."""
