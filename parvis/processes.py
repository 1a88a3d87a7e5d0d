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
ALL = (PORTAL, GATEWAYD, COLLECTORS, MONITOR)

PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093
PORTAL_HTTP_PORT = 8080
"""Where plain HTTP of devices not yet admitted is redirected to, on the gateway."""
PORTAL_HTTPS_PORT = 8443
"""Where the portal's own name is served, on the gateway."""
