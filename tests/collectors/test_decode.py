"""From variables to samples: a value or nothing."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snmp_agents import PORTS, RADIOS, SYSTEM, UNIFI, UNIFI_NAMES, VAPS, table

from collectors import decode, profile, reading
from collectors.clients import STATE, state
from collectors.layout import Part, layout
from collectors.profile import Column, combine
from collectors.snmp import ber
from collectors.snmp.ber import Value
from collectors.written import profiles

LABELS = {"town": "cachan", "site": "msp", "device": "ap-1"}
Mib = dict[str, tuple[int, Value]]
Found = dict[tuple[str, frozenset[tuple[str, str]]], float]


def decoded(mib: Mib, *names: str) -> Found:
    """The samples of *mib* under the named profiles, without the labels that name the device."""
    chosen = combine(each for each in profiles() if each.profile in names)
    answers = decode.group(chosen, [(ber.oid(name), *cell) for name, cell in mib.items()])
    found = decode.samples(chosen, answers, LABELS, at=1000.0)
    assert all(dict(sample.labels).items() >= LABELS.items() and sample.at == 1000.0 for sample in found)
    return {(s.metric, frozenset(set(s.labels) - set(LABELS.items()))): s.value for s in found}


def series(metric: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return metric, frozenset(labels.items())


def metrics(found: Iterable[tuple[str, frozenset[tuple[str, str]]]]) -> set[str]:
    return {metric for metric, _ in found}


def six_gigahertz(channel: int) -> dict[int, tuple[int, Value]]:
    """One virtual access point of UBNT-UniFi-MIB, by column."""
    return {
        4: (ber.INTEGER, channel),
        6: (ber.OCTET_STRING, b"ville"),
        8: (ber.INTEGER, 3),
        9: (ber.OCTET_STRING, b"6e"),
    }


class TestUnifi:
    found = decoded({**SYSTEM, **RADIOS, **VAPS, **UNIFI_NAMES}, "unifi")

    def test_g27_clients_of_a_radio_are_the_sum_of_its_networks_without_the_mesh(self) -> None:
        assert self.found[series("wifi_radio_clients", radio="wifi0", band="2.4GHz")] == 4
        assert self.found[series("wifi_radio_clients", radio="wifi1", band="5GHz")] == 17

    def test_s19_clients_of_a_network_are_counted_by_band(self) -> None:
        counts = {key: value for key, value in self.found.items() if key[0] == "wifi_ssid_clients"}

        assert counts == {
            series("wifi_ssid_clients", ssid="Wifi-Cachan", band="2.4GHz"): 4,
            series("wifi_ssid_clients", ssid="Wifi-Cachan", band="5GHz"): 14,
            series("wifi_ssid_clients", ssid="Agents", band="5GHz"): 3,
        }

    def test_s21_channels_become_hertz_by_their_band(self) -> None:
        assert self.found[series("wifi_radio_channel", radio="wifi1", band="5GHz")] == 157
        assert self.found[series("wifi_radio_frequency_hertz", radio="wifi1", band="5GHz")] == 5_785_000_000
        assert self.found[series("wifi_radio_frequency_hertz", radio="wifi0", band="2.4GHz")] == 2_437_000_000

    def test_s21_a_channel_of_6_ghz_is_none_of_5_ghz(self) -> None:
        """Both bands have a channel 37 and 149 by number; LibreNMS takes 5 for one of 2.4 GHz."""
        for channel, megahertz in ((5, 5975), (37, 6135), (149, 6695), (2, 5935)):
            mib = {f"1.3.6.1.4.1.41112.1.6.1.2.1.{arc}.1": cell for arc, cell in six_gigahertz(channel).items()}
            found = decoded(mib, "unifi")
            assert found[series("wifi_radio_frequency_hertz", radio="6GHz", band="6GHz")] == megahertz * 1_000_000
            assert found[series("wifi_radio_channel", radio="6GHz", band="6GHz")] == channel

    def test_s18_power_is_given_once_a_radio(self) -> None:
        assert self.found[series("wifi_radio_tx_power_dbm", radio="wifi0", band="2.4GHz")] == 23

    def test_s18_percentages_become_ratios_and_more_than_all_is_nothing(self) -> None:
        name = "wifi_radio_channel_utilization_ratio"

        assert self.found[series(name, radio="wifi0", band="2.4GHz", part="total")] == 0.42
        assert self.found[series(name, radio="wifi0", band="2.4GHz", part="other")] == 0.27
        assert series(name, radio="wifi1", band="5GHz", part="total") not in self.found

    def test_model_and_firmware_are_known(self) -> None:
        assert series("device_info", vendor="Ubiquiti", model="UAP-AC-Pro", version="6.5.28") in self.found


@pytest.mark.parametrize(("told", "lit"), [((2, 1, 1, 1), 1), ((2, 2, 1, 2), 0)])
def test_a_radio_is_lit_while_one_of_its_networks_is(told: tuple[int, ...], lit: int) -> None:
    up = {f"1.3.6.1.4.1.41112.1.6.1.2.1.22.{row}": (ber.INTEGER, value) for row, value in enumerate(told, 1)}

    found = decoded({**RADIOS, **VAPS, **up}, "unifi")

    assert found[series("wifi_radio_up", radio="wifi0", band="2.4GHz")] == lit
    assert found[series("wifi_radio_up", radio="wifi1", band="5GHz")] == 1


def test_a_radio_that_is_off_has_no_channel_power_or_frequency() -> None:
    off = {**VAPS, "1.3.6.1.4.1.41112.1.6.1.2.1.4.1": (2, 0), "1.3.6.1.4.1.41112.1.6.1.2.1.4.2": (2, 0)}
    off |= {f"1.3.6.1.4.1.41112.1.6.1.2.1.21.{row}": (2, 0) for row in (1, 2)}

    found = decoded({**RADIOS, **off}, "unifi")

    assert {dict(labels)["band"] for metric, labels in found if metric == "wifi_radio_frequency_hertz"} == {"5GHz"}
    assert {dict(labels)["band"] for metric, labels in found if metric == "wifi_radio_tx_power_dbm"} == {"5GHz"}


def test_g27_g28_an_access_point_without_tables_has_no_clients_rather_than_zero() -> None:
    assert metrics(decoded(SYSTEM, "unifi")) == {"device_info"}


TWO_RADIOS = layout("wifi_radio_up", [(("radio", "wifi0"),), (("radio", "wifi1"),)])


@pytest.mark.parametrize(
    ("up", "is_counted", "told"),
    [
        (None, False, "not_exposed"),
        (None, True, "counted"),
        ([1.0, 0.0], False, "not_exposed"),
        ([1.0, 0.0], True, "counted"),
        ([0.0, 0.0], False, "off"),
        ([0.0, 0.0], True, "off"),
        ([None, 0.0], False, "off"),
        ([None, None], False, "not_exposed"),
    ],
)
def test_g28_what_is_not_exposed_is_another_state_than_off(
    up: list[float | None] | None, is_counted: bool, told: str
) -> None:
    part = state([Part(TWO_RADIOS, up)] if up else [], is_counted=is_counted)

    assert (part.layout.metric, list(part.layout.rows.each()), part.values) == (STATE, [(("state", told),)], [1.0])


class TestPorts:
    found = decoded(PORTS, "if_mib")

    def test_s12_64_bits_are_preferred_and_32_are_the_fallback(self) -> None:
        assert self.found[series("port_receive_bytes_total", port="eth0")] == 2**53 + 5
        assert self.found[series("port_receive_bytes_total", port="lo")] == 7
        assert self.found[series("port_transmit_bytes_total", port="eth0")] == 10

    def test_s15_when_a_ports_counters_began_anew_is_told_and_0_is_not(self) -> None:
        since = {f"1.3.6.1.2.1.31.1.1.1.19.{port}": (ber.TIME_TICKS, ticks) for port, ticks in ((1, 0), (2, 12_345))}
        found = decoded({**PORTS, **since}, "if_mib")

        assert found[series("port_counters_since_seconds", port="eth0")] == 123.45
        assert series("port_counters_since_seconds", port="lo") not in found

    def test_a_saturated_speed_gives_way_to_the_high_one(self) -> None:
        assert self.found[series("port_speed_bits_per_second", port="eth0")] == 10_000_000_000
        assert self.found[series("port_speed_bits_per_second", port="lo")] == 10_000_000

    def test_states_are_one_or_zero(self) -> None:
        assert self.found[series("port_up", port="eth0")] == 0
        assert self.found[series("port_admin_up", port="eth0")] == 1

    def test_g09_the_index_is_only_in_port_info(self) -> None:
        with_index = {metric for metric, labels in self.found if "ifindex" in dict(labels)}

        assert with_index == {"port_info"}


@pytest.mark.parametrize("state", [4, 99, -1])
def test_an_unknown_port_state_is_nothing(state: int) -> None:
    found = decoded({**PORTS, "1.3.6.1.2.1.2.2.1.8.2": (2, state)}, "if_mib")

    assert series("port_up", port="eth0") not in found


def test_a_port_without_a_name_is_called_by_its_index() -> None:
    found = decoded({"1.3.6.1.2.1.2.2.1.8.7": (2, 1)}, "if_mib")

    assert found[series("port_up", port="7")] == 1


def test_g08_ports_of_one_name_are_told_apart() -> None:
    twins = table("1.3.6.1.2.1.2.2.1", {2: [b"lan", b"lan", b"wan"], 8: [1, 2, 1]}, {2: ber.OCTET_STRING})

    found = decoded(twins, "if_mib")

    assert {dict(labels)["port"]: value for (metric, labels), value in found.items() if metric == "port_up"} == {
        "lan #1": 1,
        "lan #2": 0,
        "wan": 1,
    }


def test_an_impossible_speed_gives_way_to_the_other_one() -> None:
    mib = {"1.3.6.1.2.1.2.2.1.5.1": (ber.GAUGE32, 10**9), "1.3.6.1.2.1.31.1.1.1.15.1": (ber.GAUGE32, 10**9)}

    assert decoded(mib, "if_mib")[series("port_speed_bits_per_second", port="1")] == 10**9


MIKROTIK = {
    **SYSTEM,
    **PORTS,
    **table(
        "1.3.6.1.4.1.14988.1.1.1.3.1",
        {4: [None, b"Wifi-Cachan"], 6: [None, 12], 7: [None, 5180], 9: [None, -98], 10: [None, 87]},
        {4: ber.OCTET_STRING, 6: ber.COUNTER32, 10: ber.COUNTER32},
    ),
    **table(
        "1.3.6.1.4.1.14988.1.1.19.1.1",
        {
            2: [b"sfp1", b"sfp2", b"sfp3"],
            6: [41, 0, 30],
            7: [3312, 0, 3300],
            9: [-5100, 0, -4000],
            10: [-7250, 0, -40000],
        },
        {2: ber.OCTET_STRING},
    ),
}


def test_g22_mikrotik_counts_clients_that_its_mib_calls_counters() -> None:
    found = decoded(MIKROTIK, "if_mib", "mikrotik")

    assert found[series("wifi_radio_clients", radio="eth0", band="5GHz")] == 12
    assert found[series("wifi_radio_frequency_hertz", radio="eth0", band="5GHz")] == 5_180_000_000
    assert found[series("wifi_radio_channel", radio="eth0", band="5GHz")] == 36
    assert found[series("wifi_radio_noise_floor_dbm", radio="eth0", band="5GHz")] == -98


def test_s23_light_is_a_value_or_nothing() -> None:
    found = decoded(MIKROTIK, "mikrotik")

    assert found[series("optical_rx_power_dbm", port="sfp1")] == -7.25
    assert series("optical_rx_power_dbm", port="sfp2") not in found  # no diagnostics
    assert series("optical_rx_power_dbm", port="sfp3") not in found  # no light
    assert found[series("optical_tx_power_dbm", port="sfp3")] == -4


def aruba(column: int, values: list[Value], tag: int = ber.INTEGER) -> Mib:
    """A column of aiRadioTable for one access point; the radios are numbered from 0."""
    entry = f"1.3.6.1.4.1.14823.2.3.3.1.2.2.1.{column}.2.0.94.1.1.3"
    return {f"{entry}.{radio}": (tag, value) for radio, value in enumerate(values)}


def test_aruba_radios_are_read_by_access_point_and_number() -> None:
    mib = {
        "1.3.6.1.4.1.14823.2.3.3.1.2.1.1.2.2.0.94.1.1.3": (ber.OCTET_STRING, b"ap-msp-etage"),
        "1.3.6.1.4.1.14823.2.3.3.1.2.1.1.11.2.0.94.1.1.3": (ber.INTEGER, 1),
        **aruba(4, [b"116E", b"11+", b"53S"], ber.OCTET_STRING),
        **aruba(6, [94, -92, 0]),
        **aruba(20, [1, 1, 2]),
        **aruba(21, [5, 2, 0]),
    }

    found = decoded(mib, "aruba_instant")

    assert found[series("wifi_radio_clients", ap="ap-msp-etage", radio="0", band="5GHz")] == 5
    assert found[series("wifi_radio_frequency_hertz", ap="ap-msp-etage", radio="0", band="5GHz")] == 5_580_000_000
    assert found[series("wifi_radio_frequency_hertz", ap="ap-msp-etage", radio="1", band="2.4GHz")] == 2_462_000_000
    assert found[series("wifi_radio_noise_floor_dbm", ap="ap-msp-etage", radio="0", band="5GHz")] == -94
    assert found[series("wifi_radio_noise_floor_dbm", ap="ap-msp-etage", radio="1", band="2.4GHz")] == -92
    assert found[series("wifi_radio_clients", ap="ap-msp-etage", radio="2", band="6GHz")] == 0
    assert found[series("wifi_radio_up", ap="ap-msp-etage", radio="1", band="2.4GHz")] == 1
    assert found[series("wifi_radio_up", ap="ap-msp-etage", radio="2", band="6GHz")] == 0
    assert found[series("wifi_ap_up", ap="ap-msp-etage")] == 1
    assert found[series("wifi_controller_aps", state="connected")] == 1


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        (Column(arc=1), (ber.INTEGER, 5), 5),
        (Column(arc=1), (ber.OCTET_STRING, b" 3.7 dBm"), 3.7),
        (Column(arc=1), (ber.OCTET_STRING, b"aabbccddeef4"), None),
        (Column(arc=1), (ber.NULL, None), None),
        (Column(arc=1, absent=(2147483647, -1)), (ber.INTEGER, 2147483647), None),
        (Column(arc=1, absent=("-----",)), (ber.OCTET_STRING, b"-----"), None),
        (Column(arc=1, scale=0.01, range=(0, 1)), (ber.INTEGER, 101), None),
        (Column(arc=1, scale=0.001, cap=1), (ber.INTEGER, 1200), 1),
        (Column(arc=1, read="text"), (ber.OCTET_STRING, b"\xff\x00caf\xc3\xa9\n"), "\ufffd café"),
        (Column(arc=1, read="text"), (ber.OCTET_STRING, b"x" * 500), "x" * 128),
        (Column(arc=1, read="text"), (ber.OBJECT_IDENTIFIER, ber.oid("1.3.6.1.4")), "1.3.6.1.4"),
        (Column(arc=1, read="mac"), (ber.OCTET_STRING, bytes.fromhex("02005e010103")), "02:00:5e:01:01:03"),
        (Column(arc=1, read="mac"), (ber.OCTET_STRING, b""), None),
        (Column(arc=1, names={"1": "1", "2": "0"}), (ber.INTEGER, 2), "0"),
        (Column(arc=1, names={"1": "1", "2": "0"}), (ber.INTEGER, 22), None),
    ],
)
def test_a_variable_is_a_value_or_nothing(column: Column, cell: reading.Cell, expected: object) -> None:
    assert reading.read(column, cell) == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(UNIFI)),
            st.sampled_from([ber.INTEGER, ber.OCTET_STRING, ber.COUNTER64, ber.NULL, ber.OBJECT_IDENTIFIER, 0x45]),
            st.one_of(st.none(), st.integers(-(2**63), 2**64), st.binary(max_size=20)),
        )
    )
)
def test_whatever_a_device_answers_no_impossible_value_comes_out(odd: list[tuple[str, int, Value]]) -> None:
    found = decoded({**UNIFI, **{name: (tag, value) for name, tag, value in odd}}, "if_mib", "unifi", "system", "ucd")

    for (metric, _), value in found.items():
        if metric.endswith("_ratio"):
            assert 0 <= value <= 1
        if metric == "wifi_radio_frequency_hertz":
            assert 2.4e9 <= value <= 7.125e9
        if metric.endswith("_clients"):
            assert value >= 0


def test_every_metric_of_every_profile_names_labels_it_can_fill() -> None:
    for each in profiles():
        for rule in each.metrics:
            assert set(rule.labels).isdisjoint(profile.DEVICE_LABELS), (each.profile, rule.metric)
