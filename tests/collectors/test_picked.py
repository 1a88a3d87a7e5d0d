"""Of a table too long to be read whole, the rows that count are asked for by name."""

import pytest
from snmp_agents import SYSTEM, MemoryAgent
from test_recall import Mib, made, polled

from collectors.recall import clusters
from collectors.snmp import ber
from collectors.snmp.pdu import Kind
from collectors.written import ProfileError, parse

RADIO, NOISE = "1.3.6.1.4.1.14179.2.2.2.1", "1.3.6.1.4.1.14179.2.2.15.1.21"
CHANNELS = (*range(1, 14), *range(36, 65, 4), *range(100, 145, 4), *range(149, 166, 4))
APS = 200
ON = {0: 11, 1: 100}
"""Slot -> channel."""


def controller() -> Mib:
    """Some hundred access points of two radios; the noise is minus the channel's number, less the slot's 70."""
    found: Mib = dict(SYSTEM)
    found["1.3.6.1.2.1.1.1.0"] = (ber.OCTET_STRING, b"Cisco Controller")
    found["1.3.6.1.2.1.1.2.0"] = (ber.OBJECT_IDENTIFIER, ber.oid("1.3.6.1.4.1.9.1.1279"))
    found["1.3.6.1.4.1.14179.2.1.1.1.38.1"] = (ber.COUNTER32, 7)
    for ap in range(APS):
        for slot, channel in ON.items():
            row = f"2.0.94.1.1.{ap}.{slot}"
            is_up = ap != 1
            found |= {
                f"{RADIO}.{arc}.{row}": (ber.INTEGER, value)
                for arc, value in {2: slot + 1, 4: channel, 12: 1 + is_up, 15: 3}.items()
            }
            found |= {f"{NOISE}.{row}.{each}": (ber.INTEGER, -70 - slot - each // 10) for each in CHANNELS}
    return found


def noise(agent: MemoryAgent) -> dict[tuple[str, str], float]:
    found = polled(made(agent))
    labelled = [(dict(s.labels), s.value) for s in found.samples if s.metric == "wifi_radio_noise_floor_dbm"]
    return {(labels["ap"], labels["radio"]): value for labels, value in labelled}


def test_a_controllers_noise_is_that_of_the_channel_each_radio_is_on_and_no_other_row_is_asked_for() -> None:
    agent = MemoryAgent(controller())

    found = noise(agent)

    assert found == {(str(ap), str(slot)): -70 - slot - ON[slot] // 10 for ap in range(APS) if ap != 1 for slot in ON}
    root = ber.oid(NOISE)
    names = [name for each in agent.asked for name, _, _ in each.varbinds if name.startswith(root)]
    assert len(names) == len(found)
    assert {each.kind for each in agent.asked if any(n.startswith(root) for n, _, _ in each.varbinds)} == {Kind.GET}


def test_a_channel_that_changes_has_its_own_noise_asked_for_in_the_same_poll() -> None:
    agent = MemoryAgent(controller())
    target = made(agent)
    polled(target)
    agent.mib = {**agent.mib, f"{RADIO}.4.2.0.94.1.1.0.1": (ber.INTEGER, 36)}
    agent.__post_init__()

    found = polled(target, 60)

    values = {s.value for s in found.samples if s.metric == "wifi_radio_noise_floor_dbm" and ("ap", "0") in s.labels}
    assert values == {-71, -74}


def test_while_no_channel_changes_the_noise_is_asked_for_every_tenth_poll() -> None:
    agent = MemoryAgent(controller())
    target = made(agent)
    polled(target)
    before = len(agent.asked)

    polled(target, 60)

    root = ber.oid(NOISE)
    assert not [each for each in agent.asked[before:] if any(n.startswith(root) for n, _, _ in each.varbinds)]


def test_rows_picked_by_a_column_that_is_not_there_are_refused() -> None:
    text = """
profile: example
title: An example
match: [{object_id: 1.3.6.1.4.1.99999}]
tables:
  radio: {oid: 1.3.6.1.4.1.99999.1.1, columns: {channel: 1}}
  noise: {oid: 1.3.6.1.4.1.99999.2.1, picked: {of: radio, by: chanel}, columns: {noise: 1}}
"""
    with pytest.raises(ProfileError, match="table 'radio' has no column chanel"):
        parse(text, "example.yml")


def test_a_table_has_as_many_rows_as_its_profile_says_and_no_device_more_than_the_others_cap() -> None:
    text = """
profile: example
title: An example
match: [{object_id: 1.3.6.1.4.1.99999}]
tables:
  many: {oid: 1.3.6.1.4.1.99999.1.1, rows: 65536, columns: {channel: 1}}
  few: {oid: 1.3.6.1.4.1.99999.2.1, columns: {noise: 1}}
"""
    many, few = clusters(parse(text, "example.yml"), [("many",), ("few",)])

    assert (many.rows, few.rows) == (65536, 4096)
