"""Each fault of the twin's devices, met by the real poller: the right reason or right values, never a wrong one."""

from itertools import pairwise
from pathlib import Path

import pytest
from twin import HASTY, Town, Values, asked, values

from collectors.clocks import AgentRestarted, Continued, Rebooted
from collectors.device import Failed, Polled
from lab.agents.faults import FAULTS

HOUR = 3600.0
LLDP = "lldp_neighbor_info"
RX, STATE = "optical_rx_power_dbm", "optical_state"


def only(found: Values, metric: str) -> dict[str, float]:
    """The values of one metric, by their labels in one word."""
    return {" ".join(text for _, text in labels): value for (name, labels), value in found.items() if name == metric}


VERSIONS = [pytest.param(False, id="v2c"), pytest.param(True, id="v3", marks=pytest.mark.slow)]


@pytest.mark.parametrize("v3", VERSIONS)
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("silent", "silent"),
        ("garbage", "garbage"),
        ("cut", "garbage"),
        ("other-port", "silent"),
        ("other-address", "silent"),
        ("request-id", "silent"),
        ("community", "unauthentic"),
        ("zero-hmac", "unauthentic"),
    ],
)
def test_a_device_that_cannot_be_trusted_gives_a_reason_and_recovers(fault: str, reason: str, v3: bool) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", v3=v3)
        before = await town.found("ap")
        agent.suffer(fault)
        outcome = await town.poll("ap")
        if v3 if fault == "community" else fault == "zero-hmac" and not v3:
            assert values(outcome) == values(before), "the fault is of the other version"
            return
        assert isinstance(outcome, Failed)
        assert outcome.reason == reason
        agent.heal()
        assert values(await town.poll("ap")) == values(before)

    asked(work)


@pytest.mark.slow
@pytest.mark.parametrize("v3", [False, True], ids=["v2c", "v3"])
@pytest.mark.parametrize(("fault", "value"), [("delay", 0.2), ("loss", 0.2), ("flood", 20), ("too-big", 5)])
def test_a_device_that_is_slow_lossy_or_small_is_read_in_full(fault: str, value: float, v3: bool) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", "aruba", v3=v3)
        before = await town.found("ap")
        agent.suffer(fault, value)
        patient = HASTY.__class__(30, 20, timeout_seconds=0.15, tries=6)
        town.targets["ap"].session.patience = patient.patience  # type: ignore[attr-defined]
        assert values(await town.poll("ap", patient)) == values(before)

    asked(work)


@pytest.mark.parametrize("fault", ["other-address", "other-port"])
@pytest.mark.parametrize("v3", VERSIONS)
def test_a_device_that_may_answer_from_elsewhere_is_heard(fault: str, v3: bool) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", v3=v3)
        before = await town.found("ap")
        agent.suffer(fault)
        town.targets["ap"].session.any_source = True  # type: ignore[attr-defined]
        assert values(await town.poll("ap")) == values(before)

    asked(work)


def test_a_device_too_slow_for_its_deadline_is_told_so() -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap")
        agent.suffer("delay", 0.1)
        outcome = await town.poll("ap", HASTY.__class__(30, 0.3, timeout_seconds=0.25, tries=3))
        assert isinstance(outcome, Failed)
        assert outcome.reason == "deadline"

    asked(work)


def test_a_fault_for_a_while_ends_by_itself() -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap")
        agent.suffer("silent", seconds=600)
        assert isinstance(await town.poll("ap"), Failed)
        town.clock.now += 601
        assert isinstance(await town.poll("ap"), Polled)

    asked(work)


PORTS = 12


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    """A recorded switch with enough ports to have an order, and 32-bit counters only."""
    entry = "1.3.6.1.2.1.2.2.1"
    lines = ["1.3.6.1.2.1.1.1.0|4|a switch", "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999", "1.3.6.1.2.1.1.3.0|67|100000"]
    lines += ["1.3.6.1.2.1.25.1.1.0|67|200000", "1.3.6.1.2.1.31.1.5.0|67|0"]
    for port in range(1, PORTS + 1):
        lines += [f"{entry}.1.{port}|2|{port}", f"{entry}.2.{port}|4|port{port}", f"{entry}.5.{port}|66|1000000000"]
        lines += [f"{entry}.8.{port}|2|1", f"{entry}.10.{port}|65|{port * 1000}", f"{entry}.16.{port}|65|{port}"]
    file = tmp_path / "switch.snmprec"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_rows_out_of_order_are_told_and_none_is_wrong(switch: Path) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("sw", walk=switch)
        truth = values(await town.found("sw"))
        assert len(only(truth, "port_receive_bytes_total")) == PORTS
        agent.suffer("disorder")
        found = await town.found("sw")
        assert "unordered" in {end for _, end in found.faults}
        assert values(found).items() <= truth.items()

    asked(work)


def test_g04_g31_neighbours_told_out_of_order_are_all_found(switch: Path, tmp_path: Path) -> None:
    """As Zyxel's and D-Link's switches do; the other tables of such an agent are cut where they fall."""
    entry = "1.0.8802.1.1.2.1.4.1.1"
    rows = [f"{entry}.9.0.1.{number}|4|neighbour-{number}" for number in range(1, PORTS + 1)]
    file = tmp_path / "neighbours.snmprec"
    file.write_text(switch.read_text() + "\n".join(rows) + "\n")
    all_of_them = {f"neighbour-{number}" for number in range(1, PORTS + 1)}

    async def work(town: Town) -> None:
        agents = {name: await town.add(name, walk=file) for name in ("orderly at first", "never orderly")}
        agents["never orderly"].suffer("disorder")
        for _ in range(3):
            for name in agents:
                found = values(await town.found(name))
                assert {dict(labels).get("remote_name") for metric, labels in found if metric == LLDP} == all_of_them
            agents["orderly at first"].suffer("disorder")

    asked(work)


def test_an_object_that_repeats_for_ever_is_told_and_none_is_wrong(switch: Path) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("sw", walk=switch)
        truth = values(await town.found("sw"))
        agent.suffer("repeat")
        found = await town.found("sw")
        assert "unordered" in {end for _, end in found.faults}
        assert values(found).items() <= truth.items()

    asked(work)


@pytest.mark.slow
def test_columns_without_end_are_cut_and_told(switch: Path) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("sw", walk=switch)
        truth = values(await town.found("sw"))
        agent.suffer("endless")
        outcome = await town.poll("sw", HASTY.__class__(60, 45, timeout_seconds=1, tries=3))
        if isinstance(outcome, Failed):
            assert outcome.reason == "deadline"
            return
        assert {end for _, end in outcome.faults} & {"capped", "unordered"}
        found = only(values(outcome), "port_receive_bytes_total")
        assert found.items() >= only(truth, "port_receive_bytes_total").items()

    asked(work)


@pytest.mark.parametrize("v3", VERSIONS)
@pytest.mark.parametrize(("fault", "verdict"), [("reboot", Rebooted), ("agent-restart", AgentRestarted)])
def test_s14_g11_a_reboot_and_a_restart_of_the_agent_are_told_apart(fault: str, verdict: object, v3: bool) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", v3=v3)
        before = only(values(await town.found("ap")), "port_receive_bytes_total")
        agent.suffer(fault)
        town.clock.now += 1
        found = await town.found("ap")
        after = only(values(found), "port_receive_bytes_total")
        assert found.clock is verdict
        assert all((after[port] < before[port]) is (verdict is Rebooted) for port in before)

    asked(work)


def test_an_engine_whose_clock_jumps_is_followed() -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", v3=True)
        before = await town.found("ap")
        agent.suffer("engine-time", 4000)
        found = await town.found("ap")
        assert (values(found), found.clock) == (values(before), Continued)

    asked(work)


def test_s13_g11_a_32_bit_counter_that_wraps_is_no_reboot(switch: Path) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("sw", walk=switch)
        await town.found("sw")
        agent.suffer("wrap32", 500)
        full = only(values(await town.found("sw")), "port_receive_bytes_total")
        assert all(count == 2**32 - 500 for count in full.values())
        town.clock.now += 60
        found = await town.found("sw")
        after = only(values(found), "port_receive_bytes_total")
        assert found.clock is Continued
        assert all(0 <= after[port] < full[port] for port in full if after[port] != full[port])
        assert after != full

    asked(work)


def test_s13_g13_a_64_bit_counter_that_falls_is_shown_as_it_is() -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap")
        agent.suffer("wrap64", 500)
        full = only(values(await town.found("ap")), "port_receive_bytes_total")
        assert full
        assert all(count == 2**64 - 500 for count in full.values())
        town.clock.now += 60
        found = await town.found("ap")
        after = only(values(found), "port_receive_bytes_total")
        assert found.clock is Continued
        assert all(after[port] < full[port] for port in full)

    asked(work)


def test_s16_g09_ports_keep_their_counters_when_their_indexes_change(switch: Path) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("sw", walk=switch)
        before = await town.found("sw")
        agent.suffer("renumber")
        after = await town.found("sw")
        counts = only(values(before), "port_receive_bytes_total")
        assert only(values(after), "port_receive_bytes_total") == counts
        assert len(set(counts.values())) == PORTS
        assert only(values(before), "port_info") != only(values(after), "port_info"), "the index is told there"

    asked(work)


def test_a_dirty_optic_shows_less_light_from_hour_to_hour() -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", "mikrotik")
        agent.suffer("dirty-optic", 1.5)
        read = []
        for _ in range(4):
            read.append(only(values(await town.found("ap")), RX)["sfp1"])
            town.clock.now += HOUR
        falls = [round(first - second, 1) for first, second in pairwise(read)]
        assert all(1.3 <= fall <= 1.7 for fall in falls)
        assert "sfp1 no_light" not in only(values(await town.found("ap")), STATE)

    asked(work)


def test_a_dirty_optic_comes_nearer_to_the_limit_its_module_has() -> None:
    async def work(town: Town) -> None:
        agent = await town.add("sw", "hpe")
        before = values(await town.found("sw"))
        agent.suffer("dirty-optic", 6.0)
        town.clock.now += HOUR
        found = values(await town.found("sw"))
        assert only(found, "optical_threshold_dbm") == only(before, "optical_threshold_dbm")
        margins = [only(told, "optical_margin_db")["25 rx_low_warn"] for told in (before, found)]
        assert margins[0] - margins[1] == pytest.approx(6, abs=0.2)
        assert margins[0] > 6

    asked(work)


def test_a_battery_empties_while_the_mains_is_gone_and_is_full_when_it_is_back() -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ups", "ups")
        whole = values(await town.found("ups"))
        assert only(whole, "ups_on_battery") == {"": 0}
        agent.suffer("mains-cut")
        town.clock.now += HOUR / 2
        found = values(await town.found("ups"))
        assert only(found, "ups_on_battery") == {"": 1}
        assert only(found, "ups_runtime_seconds")[""] == only(whole, "ups_runtime_seconds")[""] - HOUR / 2
        town.clock.now += HOUR
        assert only(values(await town.found("ups")), "ups_charge_ratio") == {"": 0}
        agent.heal()
        assert only(values(await town.found("ups")), "ups_on_battery") == {"": 0}

    asked(work)


@pytest.mark.parametrize(
    ("fault", "metric", "part"),
    [
        ("dead-fan", "device_fan_up", "Fan 1"),
        ("dead-supply", "device_power_supply_up", "Power Supply 2"),
    ],
)
def test_s25_a_part_that_fails_is_told_and_one_that_is_not_there_is_not(fault: str, metric: str, part: str) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("sw", "hpe")
        assert only(values(await town.found("sw")), metric) == {part: 1}
        agent.suffer(fault)
        assert only(values(await town.found("sw")), metric) == {part: 0}
        agent.heal()
        assert only(values(await town.found("sw")), metric) == {part: 1}

    asked(work)


def test_no_light_is_a_state_and_no_value() -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", "mikrotik")
        assert -20 < only(values(await town.found("ap")), RX)["sfp1"] < 0
        agent.suffer("no-light")
        found = values(await town.found("ap"))
        assert only(found, RX) == {}
        assert only(found, STATE)["sfp1 no_light"] == 1

    asked(work)


@pytest.mark.parametrize("vendor", ["ubiquiti", "mikrotik", "aruba", "openwrt"])
def test_a_dead_radio_has_nobody_and_the_other_goes_on(vendor: str) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", vendor)
        before = by_band(values(await town.found("ap")))
        agent.suffer("dead-radio")
        found = values(await town.found("ap"))
        assert min(before.values()) > 0
        assert by_band(found) == {"2.4GHz": before["2.4GHz"], "5GHz": 0}
        if vendor in {"aruba", "ubiquiti"}:
            assert {state for name, state in only(found, "wifi_radio_up").items() if "5GHz" in name} == {0}
        if vendor == "openwrt":
            assert {name.split()[1] for name in only(found, "wifi_client_snr_db")} == {"2.4GHz"}

    asked(work)


@pytest.mark.parametrize("vendor", ["ubiquiti", "mikrotik", "aruba", "openwrt"])
def test_a_zombie_answers_with_radios_and_without_clients(vendor: str) -> None:
    async def work(town: Town) -> None:
        agent = await town.add("ap", vendor)
        before = await town.found("ap")
        agent.suffer("zombie")
        found = await town.found("ap")
        assert by_band(values(before)).keys() == by_band(values(found)).keys()
        assert (set(by_band(values(found)).values()), found.clients) == ({0}, 0)
        channels = "wifi_radio_channel"
        assert only(values(found), channels) == only(values(before), channels) != {}

    asked(work)


def by_band(found: Values) -> dict[str, float]:
    """Clients by band."""
    counted: dict[str, float] = {}
    for (metric, labels), value in found.items():
        if metric == "wifi_radio_clients":
            band = dict(labels)["band"]
            counted[band] = counted.get(band, 0) + value
    return counted


def test_every_fault_of_the_twin_is_met_here() -> None:
    written = Path(__file__).read_text("utf-8")

    assert [fault for fault in FAULTS if f'"{fault}"' not in written] == []
