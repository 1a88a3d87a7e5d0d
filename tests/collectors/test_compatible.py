"""The names of snmp_exporter, beside the real one: same series, same labels, same values from the same agent."""

import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_fd_to_metric_families
from snmp_agents import UNIFI, MemoryAgent, agent
from snmp_asking import HASTY, RealAgent, run
from snmp_exporter import exporter

from collectors import compatible, prometheus
from collectors.device import Device, Polled
from collectors.foreign import SCRAPE, definitions, modules
from collectors.poll import Target, poll
from collectors.profile import combine
from collectors.settings import CollectorSettings
from collectors.snmp import ber
from collectors.snmp.session import CommunitySession
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Exchange
from collectors.written import profiles
from parvis.settings import SettingsError, load

IF_MIB = frozenset(
    f"""
    sysUpTime ifNumber ifIndex ifType_info ifMtu ifSpeed ifPhysAddress ifAdminStatus ifOperStatus ifLastChange
    {" ".join(f"if{way}{what}" for way in ("In", "Out") for what in ("Octets", "UcastPkts", "NUcastPkts"))}
    ifInDiscards ifInErrors ifInUnknownProtos ifOutDiscards ifOutErrors ifOutQLen
    {" ".join(f"if{way}{what}Pkts" for way in ("In", "Out") for what in ("Multicast", "Broadcast"))}
    ifHCInOctets ifHCInUcastPkts ifHCInMulticastPkts ifHCInBroadcastPkts
    ifHCOutOctets ifHCOutUcastPkts ifHCOutMulticastPkts ifHCOutBroadcastPkts
    ifLinkUpDownTrapEnable ifHighSpeed ifPromiscuousMode ifConnectorPresent ifCounterDiscontinuityTime
    """.split()
)
"""Every metric of upstream's if_mib, which walks interfaces and ifXTable and ignores the three looked-up texts."""
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Series:
    """Every series; an empty label is no label to Prometheus, and ``_total`` is the reading library's addition."""
    return {
        (
            sample.name if sample.name in text else sample.name.removesuffix("_total"),
            frozenset((k, v) for k, v in sample.labels.items() if v),
        ): sample.value
        for family in text_fd_to_metric_families(iter(text.splitlines(keepends=True)))
        for sample in family.samples
        if not sample.name.startswith("snmp_scrape_")
    }


def polled(address: Address, community: bytes, *names: str) -> Polled:
    async def work(exchange: Exchange) -> Polled:
        session = CommunitySession(exchange, address, community, patience=HASTY)
        target = Target(Device("agent", *address), session, also=compatible.chosen(names))
        return await poll(target, at=time.time(), clock=time.monotonic())

    return run(work)  # type: ignore[no-any-return]


def ours(address: Address, community: bytes, *names: str) -> Series:
    return read(prometheus.page([prometheus.readings(polled(address, community, *names).foreign)]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["if_mib", "ucd_la_table", "ucd_memory", "system"])
def test_the_real_exporter_shows_the_same_series_labels_and_values(name: str, snmpd: RealAgent, tmp_path: Path) -> None:
    """What moves between the polls lies between our value before and after."""
    with exporter(name, "cachan", tmp_path) as url:
        before = ours(snmpd.address, b"cachan", name)
        with urlopen(f"{url}&target={snmpd.address[0]}:{snmpd.address[1]}", timeout=20) as response:
            theirs = read(response.read().decode())
        after = ours(snmpd.address, b"cachan", name)

    assert set(before) == set(theirs), {
        "only ours": set(before) - set(theirs),
        "only theirs": set(theirs) - set(before),
    }
    assert theirs
    wrong = {
        series: (before[series], value, after[series])
        for series, value in theirs.items()
        if not min(before[series], after[series]) <= value <= max(before[series], after[series])
    }
    assert {series: values for series, values in wrong.items() if not is_a_passing_gauge(*series, *values)} == {}


def is_a_passing_gauge(metric: str, _labels: object, before: float, value: float, after: float) -> bool:
    """Free memory and load go up and down between two looks."""
    return metric.startswith(("mem", "la")) and abs(value - before) < 0.2 * max(before, after, 1)


@pytest.mark.slow
def test_a_unifi_access_point_has_the_names_of_the_mixin(tmp_path: Path) -> None:
    mib = {**UNIFI, **VAP_COUNTERS}
    with agent(MemoryAgent(mib)) as address, exporter("ubiquiti_unifi", "public", tmp_path) as url:
        with urlopen(f"{url}&target={address[0]}:{address[1]}", timeout=20) as response:
            theirs = read(response.read().decode())
        found = ours(address, b"public", "ubiquiti_unifi")

    assert found == theirs
    labels = {("unifiVapIndex", "1"), ("unifiVapName", "ath0"), ("unifiVapEssId", "Wifi-Cachan")}
    assert found["unifiVapRxBytes", frozenset(labels)] == 4_000_000_000


@pytest.mark.slow
def test_a_switchs_sensors_are_found_by_their_names(tmp_path: Path) -> None:
    sensor = {
        **{f"1.3.6.1.2.1.99.1.1.1.{arc}.7": (ber.INTEGER, part) for arc, part in enumerate((8, 9, 1, 275, 1), 1)},
        "1.3.6.1.2.1.99.1.1.1.6.7": (ber.OCTET_STRING, b"Celsius"),
        "1.3.6.1.2.1.47.1.1.1.1.2.7": (ber.OCTET_STRING, b"Inlet"),
        "1.3.6.1.2.1.47.1.1.1.1.7.7": (ber.OCTET_STRING, b"temp 1"),
    }
    with agent(MemoryAgent({**UNIFI, **sensor})) as address, exporter("entity_sensor", "public", tmp_path) as url:
        with urlopen(f"{url}&target={address[0]}:{address[1]}", timeout=20) as response:
            theirs = read(response.read().decode())
        found = ours(address, b"public", "entity_sensor")

    assert found == theirs
    named = {("entPhysicalIndex", "7"), ("entPhysicalDescr", "Inlet"), ("entPhysicalName", "temp 1")}
    assert found["entPhySensorValue", frozenset(named)] == 275


VAP_COUNTERS = {
    "1.3.6.1.4.1.41112.1.6.1.2.1.7.1": (ber.OCTET_STRING, b"ath0"),
    "1.3.6.1.4.1.41112.1.6.1.2.1.10.1": (ber.COUNTER32, 4_000_000_000),
    "1.3.6.1.4.1.41112.1.6.1.2.1.2.1": (ber.OCTET_STRING, bytes.fromhex("f09fc200002a")),
}


def test_if_mib_has_exactly_upstreams_metrics() -> None:
    assert compatible.metrics("if_mib") == IF_MIB


def test_every_module_can_be_polled_beside_every_profile() -> None:
    """No table of one is another's under the same name."""
    also = compatible.chosen(modules())

    for profile in profiles():
        combined = combine((*also, profile))

        assert {rule.metric for rule in combined.metrics} >= set(definitions()) - set(SCRAPE)


def test_a_metric_of_two_modules_is_polled_once() -> None:
    rules = [rule.metric for profile in compatible.chosen(("if_mib", "system")) for rule in profile.metrics]

    assert rules.count("sysUpTime") == 1
    assert "sysUpTime" in compatible.metrics("system") & compatible.metrics("if_mib")


def test_ours_and_theirs_do_not_mix() -> None:
    with agent(MemoryAgent(UNIFI)) as address:
        found = polled(address, b"public", "if_mib")

    assert {sample.metric for sample in found.foreign} <= IF_MIB
    assert not {sample.metric for sample in found.samples} & IF_MIB
    assert found.foreign.base == ()
    assert found.variables > len(found.foreign)


def test_a_device_without_the_module_is_not_asked_for_it() -> None:
    memory = MemoryAgent(UNIFI)
    with agent(memory) as address:
        found = polled(address, b"public", "mikrotik")

    assert len(found.foreign) == 0
    asked = {ber.oid_text(name) for request in memory.asked for name, _, _ in request.varbinds}
    assert [oid for oid in asked if oid.startswith("1.3.6.1.4.1.14988")] == ["1.3.6.1.4.1.14988.1.1"]


def test_a_port_type_without_a_name_is_told_as_a_number() -> None:
    types = {f"1.3.6.1.2.1.2.2.1.3.{row}": (ber.INTEGER, kind) for row, kind in ((1, 24), (2, 999))}
    with agent(MemoryAgent({**UNIFI, **types})) as address:
        found = ours(address, b"public", "if_mib")

    assert {dict(labels)["ifType"] for metric, labels in found if metric == "ifType_info"} == {
        "softwareLoopback",
        "999",
    }


def test_no_table_of_clients_or_neighbours_is_in_a_module() -> None:
    """Their indexes are the addresses of residents' devices."""
    roots = [group.oid for module in modules().values() for group in module.groups.values()]

    for personal in ("1.3.6.1.4.1.14988.1.1.1.2", "1.3.6.1.4.1.14988.1.1.11", "1.3.6.1.4.1.41112.1.4.7"):
        assert not [oid for oid in roots if f"{oid}.".startswith(f"{personal}.")]


def test_a_module_there_is_none_of_is_a_fault_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARVIS_MODULES", '["if_mib", "if_mibb"]')

    with pytest.raises(SettingsError, match="no module is called if_mibb; there are entity_sensor, if_mib"):
        load(CollectorSettings)


@pytest.mark.parametrize("given", [{}, {"ORG": "Ville"}, {"BUCKET": "wifi"}])
def test_influxdb_without_organisation_and_bucket_is_a_fault_of_the_settings(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_INFLUX_URL", "https://influx.example:8086")
    for name, value in given.items():
        monkeypatch.setenv(f"PARVIS_INFLUX_{name}", value)

    with pytest.raises(SettingsError, match="influx_url needs influx_org and influx_bucket"):
        load(CollectorSettings)
