"""Recordings in the three usual forms become devices whose counters and clocks go on."""

from pathlib import Path

import pytest

from lab.agents import ber
from lab.agents.model import HOUR_SECONDS, Moment
from lab.agents.walks import BadWalk, Walk, load

SNMPWALK = """\
.1.3.6.1.2.1.1.1.0 = STRING: "Switch \\"A\\"
second line"
.1.3.6.1.2.1.1.2.0 = OID: .1.3.6.1.4.1.14988.1
.1.3.6.1.2.1.1.3.0 = Timeticks: (360000) 1:00:00.00
.1.3.6.1.2.1.1.4.0 = ""
.1.3.6.1.2.1.2.2.1.6.1 = Hex-STRING: 02 00 5E 01
02 03
.1.3.6.1.2.1.2.2.1.8.1 = INTEGER: up(1)
.1.3.6.1.2.1.2.2.1.10.1 = Counter32: 4294967000
.1.3.6.1.2.1.2.2.1.13.1 = Counter32: 0
.1.3.6.1.2.1.4.20.1.1.10.0.0.1 = IpAddress: 10.0.0.1
.1.3.6.1.2.1.31.1.1.1.6.1 = Counter64: 18446744073709551615
.1.3.6.1.4.1.1.1 = INTEGER: -5 dBm
.1.3.6.1.4.1.1.2 = No Such Instance currently exists at this OID
"""
SNMPREC = """\
# recorded
1.3.6.1.2.1.1.1.0|4|Switch|with a bar
1.3.6.1.2.1.1.3.0|67|360000
1.3.6.1.2.1.2.2.1.6.1|4x|02005e010203
1.3.6.1.2.1.2.2.1.10.1|65|7
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.4.1.1.3|64x|0a000001
1.3.6.1.4.1.1.4|4e|a\\x00b
1.3.6.1.4.1.1.5|4|
"""
IN_OCTETS = (1, 3, 6, 1, 2, 1, 2, 2, 1, 10, 1)
DISCARDS = (1, 3, 6, 1, 2, 1, 2, 2, 1, 13, 1)
HC_OCTETS = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1)
UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
NOON = 35 * HOUR_SECONDS


def recorded(tmp_path: Path, text: str, name: str) -> Walk:
    file = tmp_path / name
    file.write_text(text)
    return load(file, "ap-1")


def test_the_output_of_snmpwalk_is_read(tmp_path: Path) -> None:
    found = recorded(tmp_path, SNMPWALK, "ap-1.walk").recorded

    assert found[(1, 3, 6, 1, 2, 1, 1, 1, 0)] == (ber.OCTETS, b'Switch "A"\nsecond line')
    assert found[(1, 3, 6, 1, 2, 1, 1, 2, 0)] == (ber.OID, ber.oid((1, 3, 6, 1, 4, 1, 14988, 1)))
    assert found[UPTIME] == (ber.TICKS, 360_000)
    assert found[(1, 3, 6, 1, 2, 1, 1, 4, 0)] == (ber.OCTETS, b"")
    assert found[(1, 3, 6, 1, 2, 1, 2, 2, 1, 6, 1)] == (ber.OCTETS, bytes.fromhex("02005e010203"))
    assert found[(1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 1)] == (ber.INTEGER, 1)
    assert found[HC_OCTETS] == (ber.COUNTER64, 2**64 - 1)
    assert found[(1, 3, 6, 1, 2, 1, 4, 20, 1, 1, 10, 0, 0, 1)] == (ber.ADDRESS, bytes((10, 0, 0, 1)))
    assert found[(1, 3, 6, 1, 4, 1, 1, 1)] == (ber.INTEGER, -5)
    assert (1, 3, 6, 1, 4, 1, 1, 2) not in found


def test_recordings_of_snmpsim_are_read(tmp_path: Path) -> None:
    found = recorded(tmp_path, SNMPREC, "ap-1.snmprec").recorded

    assert found[(1, 3, 6, 1, 2, 1, 1, 1, 0)] == (ber.OCTETS, b"Switch|with a bar")
    assert found[(1, 3, 6, 1, 2, 1, 2, 2, 1, 6, 1)] == (ber.OCTETS, bytes.fromhex("02005e010203"))
    assert found[HC_OCTETS] == (ber.COUNTER64, 2**64 - 1)
    assert found[(1, 3, 6, 1, 4, 1, 1, 3)] == (ber.ADDRESS, bytes((10, 0, 0, 1)))
    assert found[(1, 3, 6, 1, 4, 1, 1, 4)] == (ber.OCTETS, b"a\x00b")
    assert found[(1, 3, 6, 1, 4, 1, 1, 5)] == (ber.OCTETS, b"")


def test_a_masked_number_is_a_text(tmp_path: Path) -> None:
    found = recorded(tmp_path, "1.3.6.1.1|70|aabbccddeef4\n1.3.6.1.2|4x|0a0\n", "x.snmprec").recorded

    assert found == {(1, 3, 6, 1, 1): (ber.OCTETS, b"aabbccddeef4"), (1, 3, 6, 1, 2): (ber.OCTETS, b"0a0")}


def test_counters_go_on_from_what_was_recorded_and_wrap(tmp_path: Path) -> None:
    walk = recorded(tmp_path, SNMPWALK, "ap-1.walk")
    then, later = (walk.look(Moment(NOON + s, NOON - 3600, NOON - 3600), NOON) for s in (0, 60))

    assert then(IN_OCTETS) == (ber.COUNTER32, 4_294_967_000)
    assert 0 < int(later(IN_OCTETS)[1] or 0) < 4_294_967_000
    assert later(DISCARDS) == (ber.COUNTER32, 0), "what stood at zero stays there"
    assert (then(UPTIME), later(UPTIME)) == ((ber.TICKS, 360_000), (ber.TICKS, 366_000))


def test_after_a_reboot_counters_begin_at_zero(tmp_path: Path) -> None:
    look = recorded(tmp_path, SNMPWALK, "ap-1.walk").look(Moment(NOON + 60, NOON + 60, NOON + 60), NOON)

    assert look(IN_OCTETS) == (ber.COUNTER32, 0)
    assert look(UPTIME) == (ber.TICKS, 0)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.snmprec", "1.3.6|2|1\n1.3.6.1|two|1\n", r"x.snmprec: line 2: invalid literal"),
        ("x.snmprec", "1.3.6.1;2;1\n", r"x.snmprec: line 1: "),
        ("x.walk", "IF-MIB::ifIndex.1 = INTEGER: 1\n", r"x.walk: line 1: .* is no object"),
        ("x.walk", "", r"x.walk: no object in it"),
    ],
)
def test_what_is_no_recording_is_told_with_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(BadWalk, match=said):
        recorded(tmp_path, text, name)
