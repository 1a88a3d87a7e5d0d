"""What the town leans on: what answers is shown, what does not is shown as that, and who is down is not asked."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from monitor_actors import Listener

from monitor import surroundings
from monitor.dispatch import Dispatcher
from monitor.findings import Policy
from monitor.instruments import MonitorMetrics
from monitor.probes.dns import NoAnswer
from monitor.probes.tls import NoCertificate
from monitor.surroundings import Surroundings
from monitor.watch import Picture
from parvis.inventory import Town

ENDS = 1_800_000_000.0


class Asked:
    """The servers' answers, and who was asked."""

    def __init__(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        self.town, self.metrics = town, MonitorMetrics(town.town)
        self.credits: list[dict[str, float]] = []
        self.certificates: list[str] = []
        self.dead: set[str] = set()
        self.heard = Listener(town, Policy()).hears(3)
        dispatcher = cast("Dispatcher", SimpleNamespace(credits=lambda: self.credits.pop(0)))
        self.room = Surroundings(town, self.metrics, self._picture, dispatcher)
        monkeypatch.setattr(surroundings.dns, "ask", self._resolve)
        monkeypatch.setattr(surroundings.tls, "not_after", self._certificate)

    def shown(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"town": self.town.town, **labels})

    def _picture(self) -> Picture:
        return Picture(self.heard.now, self.heard.findings, ())

    def _resolve(self, server: str, *_rest: Any) -> float:
        if server in self.dead:
            raise NoAnswer(server)
        return 0.02

    def _certificate(self, host: str, *_rest: Any) -> float:
        self.certificates.append(host)
        if host in self.dead:
            raise NoCertificate(host)
        return ENDS


@pytest.fixture
def asked(town: Town, monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked(town, monkeypatch)
    found.credits = [{"sms": 37.0}, {"sms": 1.0}]
    return found


def test_a_resolver_that_answers_and_one_that_does_not(asked: Asked) -> None:
    server = str(asked.town.dns_upstream[0])
    asked.room.once()
    assert (asked.shown("dns_probe_success", server=server), asked.shown("dns_probe_seconds", server=server)) == (
        1,
        0.02,
    )

    asked.dead = {server}
    asked.room.once()
    assert (asked.shown("dns_probe_success", server=server), asked.shown("dns_probe_seconds", server=server)) == (
        0,
        None,
    )


def test_a_certificate_that_is_not_shown_any_more_leaves_no_old_figure(asked: Asked) -> None:
    site = asked.town.sites[0]
    place = {"site": site.site, "endpoint": "management"}
    asked.room.once()
    assert asked.shown("tls_not_after_timestamp_seconds", **place) == ENDS

    asked.dead = {str(site.gateway.address)}
    asked.room.once()
    assert asked.shown("tls_not_after_timestamp_seconds", **place) is None


def test_a_gateway_that_is_down_is_not_asked_for_its_certificate(asked: Asked) -> None:
    gone, *others = (site.gateway for site in asked.town.sites)
    asked.heard.hears(6, silent=[gone.name])
    asked.room.once()

    assert sorted(asked.certificates) == sorted(str(gateway.address) for gateway in others)


def test_the_sms_credit_is_asked_once_an_hour(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(surroundings.time, "monotonic", lambda: clock[0])
    for seconds, credit in ((0, 37.0), (60, 37.0), (3600, 1.0)):
        clock[0] = 1000.0 + seconds
        asked.room.once()
        assert asked.metrics.registry.get_sample_value("oncall_sms_credits", {"channel": "sms"}) == credit
