"""Our processes: what they are called, where they run, on which TCP port each shows ``/metrics`` and ``/healthz``."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Process:
    """One kind of process. *place* ``gateway``: one at each site; ``centre``: one for the town."""

    name: str
    port: int
    place: Literal["gateway", "centre"]


PORTAL = Process("portal", 9201, "gateway")
GATEWAYD = Process("gatewayd", 9202, "gateway")
COLLECTORS = Process("collectors", 9203, "centre")
MONITOR = Process("monitor", 9204, "centre")
CONSOLE = Process("console", 9205, "centre")
EVIDENCE = Process("evidence", 9206, "gateway")
ARCHIVE = Process("archive", 9207, "centre")
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
