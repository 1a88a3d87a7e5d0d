"""What gatewayd does when the kernel does not answer as usual."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from captive_portal.elements import Altered
from captive_portal.gateway import SIZED
from captive_portal.guard import Guard, Site
from parvis.catalogue import Instruments


@dataclass
class Kernel:
    """Sets with *size* elements each, or such that are changed faster than they can be read."""

    size: int | None = 7

    def sizes(self) -> dict[str, int]:
        if self.size is None:
            raise Altered("auth")
        return dict.fromkeys(SIZED, self.size)

    def drops(self) -> dict[str, int]:
        return {}


def test_figures_that_cannot_be_read_now_stay_as_they_were_and_end_nothing() -> None:
    registry, kernel = CollectorRegistry(), Kernel()
    guard = Guard(Site("guest0", "", 100), kernel, None, Instruments("gatewayd", registry), lambda: 1000.0)  # type: ignore[arg-type]
    guard.count()
    kernel.size = None
    guard.count()

    assert registry.get_sample_value("gateway_admitted_sessions") == 7
    kernel.size = 8
    guard.count()
    assert registry.get_sample_value("gateway_admitted_sessions") == 8
