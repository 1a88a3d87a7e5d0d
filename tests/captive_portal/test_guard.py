"""What gatewayd does when the kernel does not answer as usual, which no real one can be made to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from prometheus_client import CollectorRegistry

from captive_portal.elements import Altered
from captive_portal.gateway import SIZED, Pair, TransactionFailed
from captive_portal.guard import GRACE_SECONDS, Guard, Site
from captive_portal.leases import Lease
from parvis.addresses import MacAddress
from parvis.catalogue import Instruments

LOADS = "gateway_ruleset_loads_total"
ADDRESS = IPv4Address("10.64.0.10")
FIRST, SECOND = MacAddress("02:00:00:00:00:01"), MacAddress("02:00:00:00:00:02")


@dataclass
class Kernel:
    """Sets with *size* elements each, or such that are changed faster than they can be read; silent for a while."""

    size: int | None = 7
    silent: bool = False
    flushed: bool = False
    told: dict[Pair, int] = field(default_factory=dict)

    def intact(self) -> bool:
        return self._heard() and not self.flushed

    def load(self, _text: str, _leases: Mapping[Pair, int]) -> None:
        raise TransactionFailed("no reason given")

    def lease(self, leases: Mapping[Pair, int]) -> None:
        self._heard()
        self.told |= leases

    def _heard(self) -> bool:
        if self.silent:
            raise BlockingIOError("Resource temporarily unavailable")
        return True

    def sizes(self) -> dict[str, int]:
        if self.size is None:
            raise Altered("auth")
        return dict.fromkeys(SIZED, self.size)

    def drops(self) -> dict[str, int]:
        return {}


@dataclass
class File:
    """A file of leases in which *written* is new."""

    written: list[Lease] = field(default_factory=list)
    readable: bool = True

    def news(self) -> list[Lease]:
        new, self.written = self.written, []
        return new


def _guard(kernel: Kernel, file: File, registry: CollectorRegistry | None = None) -> Guard:
    instruments = Instruments("gatewayd", registry or CollectorRegistry())
    return Guard(Site("guest0", "", 100), kernel, file, instruments, lambda: 1000.0)  # type: ignore[arg-type]


def _lease(mac: MacAddress) -> Lease:
    return Lease(ADDRESS, mac, expires=4600.0, lifetime=3600.0)


def test_a_kernel_that_is_silent_for_a_while_ends_nothing_and_is_asked_again() -> None:
    kernel = Kernel(silent=True)
    guard = _guard(kernel, File())
    guard.verify()
    assert "cannot be read: " in guard.wrong

    kernel.silent = False
    guard.verify()
    assert not guard.wrong


def test_a_ruleset_that_cannot_be_read_is_no_failed_load() -> None:
    registry, kernel = CollectorRegistry(), Kernel(silent=True)
    guard = _guard(kernel, File(), registry)
    guard.verify()
    kernel.silent, kernel.flushed = False, True
    guard.verify()

    loads = {reason: registry.get_sample_value(LOADS, {"reason": reason}) for reason in ("unreadable", "failed")}
    assert loads == {"unreadable": 1, "failed": 1}
    assert "cannot be loaded: " in guard.wrong


def test_leases_written_while_the_kernel_is_silent_are_told_later() -> None:
    kernel, file = Kernel(), File([_lease(FIRST)])
    guard = _guard(kernel, file)
    guard.follow_leases()
    assert kernel.told == {(ADDRESS, FIRST): 3600 + GRACE_SECONDS}

    kernel.silent, file.written = True, [_lease(SECOND)]
    guard.follow_leases()
    assert (ADDRESS, SECOND) not in kernel.told

    kernel.silent = False
    guard.follow_leases()
    assert kernel.told == {(ADDRESS, FIRST): 0, (ADDRESS, SECOND): 3600 + GRACE_SECONDS}


def test_figures_that_cannot_be_read_now_stay_as_they_were_and_end_nothing() -> None:
    registry, kernel = CollectorRegistry(), Kernel()
    guard = _guard(kernel, File(), registry)
    guard.count()
    kernel.size = None
    guard.count()

    assert registry.get_sample_value("gateway_admitted_sessions") == 7
    kernel.size = 8
    guard.count()
    assert registry.get_sample_value("gateway_admitted_sessions") == 8
