"""The figures of the way to the internet, and of what may spoil it. Numbers of devices, never a device."""

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from house import ANNA, SECRET, House
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from captive_portal import funnel as funnel_module
from captive_portal import timeline as timeline_module
from captive_portal.arriving import AGAIN_SECONDS, Arriving
from captive_portal.certificate import NoCertificate, ends
from captive_portal.dhcp import pool, pool_size
from captive_portal.doorkeeper import NotStored, Outcome
from captive_portal.funnel import STEPS, Following, first_bytes
from captive_portal.protocol import Counted
from captive_portal.web.shield import REGRETS
from captive_portal.welcome import Welcome
from parvis.addresses import MacAddress
from parvis.inventory import Town

BEN = MacAddress.parse("02:00:00:00:00:0b")


def funnel(house: House) -> dict[str, float]:
    return {step.value: house.value("portal_funnel_total", step=step.value) for step in STEPS}


def arriving(house: House) -> Arriving:
    welcome = Welcome(house.doorkeeper, house.facts.site, SECRET)
    return Arriving(house.gateway, welcome, Following(house.gateway, house.doorkeeper.whose, house.timeline))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The counters are read at each look."""
    monkeypatch.setattr(funnel_module, "LISTEN_SECONDS", 0.0)
    monkeypatch.setattr(funnel_module, "SHARE", 0)


@pytest.mark.usefixtures("at_once")
def test_f53_each_device_is_counted_once_for_each_step_from_the_lease_to_the_first_byte(house: House) -> None:
    here = arriving(house)
    here.look(0)
    anna = house.visitor()

    house.gateway.arrived.append(ANNA)
    for _ in range(3):
        house.timeline.heard("10.11.0.5")
        anna.get("/api/captive")
        anna.get("/fr/")
        here.look(0)
    anna.accepts()
    here.look(0)
    before = funnel(house)
    house.gateway.bytes[house.gateway.admitted()[ANNA].session] = (100, 2000)
    here.look(0)
    here.look(0)

    assert before == {step.value: 1.0 for step in STEPS} | {"first-byte": 0.0}
    assert funnel(house) == {step.value: 1.0 for step in STEPS}


@pytest.mark.usefixtures("at_once")
def test_f53_a_device_that_probes_counts_once_whenever_staff_have_asked_and_from_however_many_addresses(
    house: House,
) -> None:
    here = arriving(house)
    anna = house.visitor()
    house.visitor("fd00:11::5", ANNA)
    house.visitor("10.11.0.6", BEN)
    for _ in range(3):
        for address in ("10.11.0.5", "fd00:11::5", "10.11.0.6"):
            house.timeline.heard(address)
        here.look(0)
        house.timeline.settle(house.gateway.identify)  # what the console's page of a device does
        anna.get("/api/captive")

    assert funnel(house)["probe"] == 2
    house.clock.passes(86400)
    house.timeline.heard("10.11.0.5")
    here.look(0)
    assert funnel(house)["probe"] == 3


@pytest.mark.usefixtures("at_once")
def test_f53_a_probe_heard_while_gatewayd_is_away_or_before_the_lease_counts_when_it_is_known_whose_it_is(
    house: House,
) -> None:
    here = arriving(house)
    house.gateway.away = True
    house.timeline.heard("10.11.0.5")
    here.look(0)
    house.gateway.away = False
    here.look(0)
    before = funnel(house)["probe"]
    house.visitor()

    house.timeline.heard("10.11.0.5")
    here.look(0)

    assert (before, funnel(house)["probe"]) == (0, 1)


@pytest.mark.usefixtures("at_once")
def test_whose_an_idle_phones_address_is_is_asked_once_a_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_module, "MAX_ADDRESSES", 2)
    here = arriving(house)
    asked: list[str] = []

    def identify(address: object) -> MacAddress:
        asked.append(str(address))
        return ANNA

    monkeypatch.setattr(house.gateway, "identify", identify)
    addresses = [f"10.11.0.{number}" for number in range(5, 9)]
    for _ in range(4):
        for address in addresses:
            house.timeline.heard(address)
            here.look(0)

    assert asked == addresses
    monkeypatch.setattr(timeline_module, "MAX_KNOWN", 4)
    for address in ("10.11.0.9", *addresses):
        house.timeline.heard(address)
        here.look(0)
    assert asked == [*addresses, "10.11.0.9", *addresses], "all are asked for again when there are too many"


@pytest.mark.usefixtures("at_once")
def test_who_was_there_before_the_portal_started_is_not_counted_as_new(house: House) -> None:
    house.visitor().accepts()
    house.gateway.arrived.append(ANNA)
    house.gateway.bytes[house.gateway.admitted()[ANNA].session] = (1, 1)
    here = arriving(house)

    here.look(0)
    here.look(0)

    assert (funnel(house)["lease"], funnel(house)["first-byte"]) == (0, 0)
    house.gateway.arrived.append(BEN)
    here.look(0)
    assert funnel(house)["lease"] == 1


def test_a_first_byte_is_the_first_only_once() -> None:
    counters = [Counted(1, 50, 0, 9.0), Counted(2, 50, 10, 9.0), Counted(3, 0, 0, 9.0)]

    assert first_bytes(counters, {3, 4}) == ({3}, {2})


def test_the_next_day_a_device_counts_again(house: House) -> None:
    anna = house.visitor()
    anna.get("/fr/")
    house.clock.passes(86400)

    anna.get("/fr/")

    assert funnel(house)["page"] == 2


def test_a_gatewayd_that_is_away_is_waited_for_and_leaving_does_not_take_long(house: House) -> None:
    house.gateway.away = True

    with arriving(house).turns:
        pass

    assert funnel(house)["lease"] == 0


def test_who_could_not_be_welcomed_is_welcomed_the_next_time_and_has_come_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = arriving(house)
    here.look(0)
    asked: list[MacAddress] = []
    house.gateway.arrived += [ANNA, BEN]

    def arrived(mac: MacAddress, _site: str) -> Outcome:
        asked.append(mac)
        if len(asked) == 2:
            raise NotStored("disk full")
        return Outcome.NOTHING

    monkeypatch.setattr(house.doorkeeper, "arrived", arrived)
    rests = [here.look(0) for _ in range(3)]

    assert asked == [ANNA, BEN, BEN]
    assert rests == [AGAIN_SECONDS, 0, 0]
    assert funnel(house)["lease"] == 2


def test_f53_errors_are_counted_by_reason(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = house.visitor()
    form = {"token": anna.token()}
    anna.get("/nothing")
    house.visitor("10.11.0.77", None).get("/fr/")
    house.gateway.away = True
    anna.get("/fr/")
    anna.get("/api/captive")
    house.gateway.away = False
    with house.store.transaction() as book:
        book._connection.exec_driver_sql("DROP TABLE acceptances")
    anna.post("/fr/accept", form)
    monkeypatch.setattr(house.gateway, "identify", lambda _address: 1 / 0)
    anna.get("/fr/")

    assert {reason: house.value("portal_errors_total", reason=reason) for reason in REGRETS} == {
        "request": 1, "unknown": 1, "gateway": 2, "store": 1, "ours": 1,
    }  # fmt: skip


def test_f53_no_series_is_about_a_person(house: House) -> None:
    here = arriving(house)
    here.look(0)
    house.gateway.arrived.append(ANNA)
    anna = house.visitor()
    anna.accepts()
    house.timeline.heard("10.11.0.5")
    here.look(0)
    told = generate_latest(house.registry).decode()

    assert 'portal_funnel_total{step="lease"} 1.0' in told
    assert not re.search(r"([0-9a-f]{2}:){5}[0-9a-f]{2}|10\.11\.", told)
    assert house.timeline.code(ANNA) not in told


def test_the_pool_is_every_address_but_the_networks_the_gateways_and_the_broadcast(town: Town) -> None:
    site = town.sites[0]
    first, last = pool(site)

    assert pool_size(site) == site.guest.ipv4.num_addresses - 3
    assert first - 1 == site.guest.gateway_ipv4
    assert last + 1 == site.guest.ipv4.broadcast_address


def test_the_end_of_a_certificate_is_read_as_openssl_reads_it(tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("wifi.cachan.example", not_after=datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC))
    path = tmp_path / "chain.pem"
    path.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    said = subprocess.run(("openssl", "x509", "-noout", "-enddate", "-in", path), capture_output=True, check=True)

    assert ends(path.read_bytes()) == datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert said.stdout == b"notAfter=Feb  3 04:05:06 2031 GMT\n"


def test_a_certificate_of_another_century_is_read_too() -> None:
    """From 2050 on X.509 writes four digits of the year (RFC 5280 section 4.1.2.5)."""
    made = trustme.CA().issue_cert("a.example", not_after=datetime(2051, 1, 1, tzinfo=UTC))

    assert ends(made.cert_chain_pems[0].bytes()) - datetime(2051, 1, 1, tzinfo=UTC) == timedelta(0)


@given(st.binary(max_size=300))
def test_what_is_no_certificate_is_told_in_words(noise: bytes) -> None:
    for text in (noise, b"-----BEGIN CERTIFICATE-----" + noise + b"-----END CERTIFICATE-----"):
        with pytest.raises(NoCertificate):
            ends(text)


def test_many_arrivals_do_not_have_the_counters_read_each_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    read = house.gateway.counters
    monkeypatch.setattr(house.gateway, "counters", lambda: reads.append(1) or read())
    here = arriving(house)

    for _ in range(10):
        here.look(0.01)

    assert len(reads) == 1
