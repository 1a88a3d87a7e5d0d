"""Every family of devices: made-up answers after its MIB, and the samples that must come of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import collectors
from collectors import decode
from collectors.profile import Profile
from collectors.snmp import ber
from collectors.snmp.walk import Cell
from collectors.written import profiles

FILE = Path(__file__).parent / "vendors.yml"
CASES: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
PROFILES = sorted((Path(collectors.__file__).parent / "profiles").glob("*.yml"))
TESTED_ELSEWHERE = {"aruba_instant", "unifi", "if_mib", "system", "ucd", "entity_sensor", "cisco_sensor"}
"""By test_decode.py and test_entity.py."""


def profile(name: str) -> Profile:
    """The profile a case is for: of the case's name, where it names no other."""
    wanted = CASES.get(name, {}).get("profile", name)
    return next(each for each in profiles() if each.profile == wanted)


def answered(name: str) -> dict[str, Cell]:
    """The variables of the made-up device, by their names: a number, a text, or a list of octets."""
    return {
        oid: (ber.INTEGER, value)
        if isinstance(value, int)
        else (ber.OCTET_STRING, value.encode() if isinstance(value, str) else bytes(value))
        for oid, value in CASES[name]["asked"].items()
    }


def told(name: str) -> dict[str, float]:
    """Series as text -> value, of what the made-up device answers."""
    chosen = profile(name)
    if branch := CASES[name].get("object_id"):
        chosen = chosen.placed(branch)
    variables = [(ber.oid(oid), *cell) for oid, cell in answered(name).items()]
    found = decode.samples(chosen, decode.group(chosen, variables), {"device": "d"}, at=0.0)
    return {series(sample.metric, dict(sample.labels)): sample.value for sample in found}


def series(metric: str, labels: dict[str, str]) -> str:
    inner = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "device")
    return f"{metric}{{{inner}}}" if inner else metric


def sorted_series(written: str) -> str:
    return series(written.partition("{")[0], dict(re.findall(r'(\w+)="([^"]*)"', written)))


@pytest.mark.parametrize("name", CASES)
def test_s25_s26_s27_s54_a_family_is_read_as_its_mib_says(name: str) -> None:
    found = told(name)

    for written, value in CASES[name]["told"].items():
        assert found.get(sorted_series(written)) == pytest.approx(value, rel=1e-3, abs=1e-6), (written, found)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "never" in case])
def test_a_row_whose_state_says_that_it_has_no_value_gives_none(name: str) -> None:
    assert {sorted_series(written) for written in CASES[name]["never"]} & set(told(name)) == set()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "absent" in case])
def test_what_a_device_has_no_value_for_is_not_told(name: str) -> None:
    metrics = {key.partition("{")[0] for key in told(name)}

    assert metrics & set(CASES[name]["absent"]) == set()


def test_s54_every_profile_has_a_made_up_device() -> None:
    assert {each.profile for each in profiles()} - set(CASES) == TESTED_ELSEWHERE


def written_twice(node: yaml.Node | None, where: str = "") -> Iterator[str]:
    """Every key that a mapping has more than once, with its path: YAML keeps the last and says nothing."""
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        yield from (f"{where}/{key}" for key in {*keys} if keys.count(key) > 1)
        for key, value in node.value:
            yield from written_twice(value, f"{where}/{key.value}")
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from written_twice(value, f"{where}/{number}")


@pytest.mark.parametrize("path", [FILE, *PROFILES], ids=lambda path: path.stem)
def test_nothing_is_written_twice_so_that_the_first_is_lost(path: Path) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    assert list(written_twice(yaml.compose(path.read_text("utf-8"), Loader=loader))) == []
