"""How the visitor runs."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from parvis.processes import MONITOR
from parvis.settings import Frozen, ProcessSettings
from parvis.values import Duration

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]


class PlaceSettings(Frozen):
    """Where a site's residents' network comes to this machine: an interface in a network namespace of its own.

    The namespace has a file /etc/netns/NAMESPACE/resolv.conf, as ip-netns(8) says: the visit writes its resolver there.
    """

    site: str
    """A site of the town."""
    namespace: Name
    interface: Annotated[str, Field(pattern=r"^[^/\s]{1,15}$")]


class VisitorSettings(ProcessSettings):
    """The visitor's settings; it needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_SYS_ADMIN for its namespaces."""

    places: tuple[PlaceSettings, ...] = ()
    """Where to visit: tables of site, namespace and interface."""
    visit_interval: Annotated[Duration, Field(ge=5, le=3600)] = 60.0
    """Between two visits of a place."""
    visit_ca: Path | None = None
    """A CA to trust beside the machine's, PEM: the laboratory's."""
    monitor_url: str = Field(f"http://127.0.0.1:{MONITOR.port}", pattern=r"^http://[^/@\s]+$")
    """Who takes the reports, at POST /visits, with the secret visitor-token."""

    @model_validator(mode="after")
    def _each_place_once(self) -> "VisitorSettings":
        for what in ("site", "namespace"):
            named = [getattr(place, what) for place in self.places]
            if twice := next((name for name in named if named.count(name) > 1), None):
                raise ValueError(f"places: {what} {twice} is there twice")
        return self
