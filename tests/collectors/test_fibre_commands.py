"""``parvis optics``: a reference is stored when the light deserves it, and shown beside the light now."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from snmp_agents import MemoryAgent, agent

from collectors.fibre import commands, reference
from collectors.fibre.history import Light
from collectors.fibre.reference import Reference, ReferenceFault, Taken
from collectors.fibre.span import End, Link
from collectors.snmp import ber
from parvis.inventory import InventoryError, load
from tests_support import Edit

DOM = "1.3.6.1.4.1.2636.3.60.1.1.1.1"
RX, TX, CELSIUS, HIGH_WARN, LOW_WARN = 5, 7, 8, 11, 12
Optics = Mapping[int, int]
HEALTHY: Optics = {RX: -750, TX: -200, CELSIUS: 40, HIGH_WARN: 0, LOW_WARN: -1400}
CREDENTIAL = "  - {name: essai-v2c, version: v2c, community_secret: essai-community}\n"


def juniper(optics: Optics) -> MemoryAgent:
    """A switch whose module in port 25 says *optics*, in hundredths of a dBm."""
    mib: dict[str, tuple[int, int | bytes | None]] = {
        "1.3.6.1.2.1.1.1.0": (ber.OCTET_STRING, b"Juniper EX"),
        "1.3.6.1.2.1.1.2.0": (ber.OBJECT_IDENTIFIER, ber.oid("1.3.6.1.4.1.2636.1.1.1.2.131")),
        "1.3.6.1.2.1.1.3.0": (ber.TIME_TICKS, 360000),
    }
    return MemoryAgent(mib | {f"{DOM}.{arc}.25": (ber.INTEGER, value) for arc, value in optics.items()}, b"cachan")


@contextmanager
def fibre(edit: Edit, near: Optics, far: Optics) -> Iterator[None]:
    """A town where the sports complex is lit from the library, whose switches say *near* and *far*."""
    with agent(juniper(near), "127.0.4.2") as one, agent(juniper(far), "127.0.3.2") as two:
        for site, number, port in (("leo-lagrange", 4, one[1]), ("bibliotheque-centrale", 3, two[1])):
            name = f"sites/{site}.yml"
            edit(name, f"10.91.{number}.0/24", f"127.0.{number}.0/24")
            for host in (1, 2, 11, 12):
                edit(
                    name,
                    f" 10.91.{number}.{host}" + ("," if host > 1 else "}"),
                    f" 127.0.{number}.{host}" + ("," if host > 1 else "}"),
                )
            edit(name, "{credential: reseau-v3}", f"{{credential: essai-v2c, port: {port}}}")
        edit("sites/leo-lagrange.yml", 'port: "25",', 'port: "25", far: {device: sw-biblio, port: "25"},')
        yield


@pytest.fixture
def optics(tmp_path: Path, town_folder: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """``parvis optics``, with its state below tmp_path."""
    edit("town.yml", "internet_targets:", f"{CREDENTIAL}\ninternet_targets:")
    (tmp_path / "essai-community").write_text("cachan\n")
    for name, value in (("TOWN", town_folder), ("SECRETS", tmp_path), ("STATE", tmp_path / "state")):
        monkeypatch.setenv(f"PARVIS_{name}", str(value))
    monkeypatch.setattr(commands, "BETWEEN_SECONDS", 0.0)

    def run(*words: str) -> Result:
        return CliRunner().invoke(commands.optics, list(words))

    return run


def stored(tmp_path: Path) -> list[Reference]:
    return reference.load(tmp_path / "state" / "optics")


def test_the_light_of_both_ends_becomes_the_reference(
    optics: Callable[..., Result], edit: Edit, tmp_path: Path
) -> None:
    with fibre(edit, HEALTHY, {**HEALTHY, RX: -810}):
        result = optics("reference", "leo-lagrange")

    assert result.exit_code == 0, result.output
    assert {(each.device, each.direction): each.dbm for each in stored(tmp_path)} == {
        ("sw-lagrange", "rx"): -7.5,
        ("sw-lagrange", "tx"): -2.0,
        ("sw-biblio", "rx"): -8.1,
        ("sw-biblio", "tx"): -2.0,
    }


@pytest.mark.parametrize(
    ("near", "far", "reason"),
    [
        ({RX: 0}, {}, "sw-lagrange port 25 shows no rx light (no_light)"),
        ({}, {TX: 0}, "sw-biblio port 25 shows no tx light (laser_off)"),
        ({RX: -1450}, {}, "-14.5 dBm, below its low warning of -14"),
        ({RX: -50}, {}, "would lose -1.5 dB: are the ends mixed up?"),
    ],
)
def test_light_that_is_not_worth_a_reference_is_refused(
    optics: Callable[..., Result], edit: Edit, tmp_path: Path, near: Optics, far: Optics, reason: str
) -> None:
    with fibre(edit, {**HEALTHY, **near}, {**HEALTHY, **far}):
        result = optics("reference", "leo-lagrange")

    assert result.exit_code == 1
    assert reason in result.output
    assert stored(tmp_path) == []


def test_light_that_moves_is_no_reference() -> None:
    light = {way: Light("sw", "25", "", way) for way in ("rx", "tx")}
    link = Link("cachan", "place", "fibre-place", End("sw", "25"), None)

    def objections(readings: list[float]) -> list[str]:
        taken = Taken({light["rx"]: readings, light["tx"]: [-2.0] * 3}, {}, {})
        return list(reference.objections(link, taken, {light["rx"]: -7.5, light["tx"]: -2.0}, {}, ""))

    assert objections([-7.5, -7.6, -7.1]) == []
    assert objections([-7.5, -9.0, -7.5]) == ["sw port 25 rx moves by 1.5 dB within seconds: a loose connector?"]


def test_a_reference_is_replaced_only_with_a_reason_and_the_old_one_is_kept(
    optics: Callable[..., Result], edit: Edit, tmp_path: Path
) -> None:
    reference.append(tmp_path / "state" / "optics", [Reference(1_700_000_000, "sw-lagrange", "25", "", "rx", -5.0)])

    with fibre(edit, HEALTHY, HEALTHY):
        refused = optics("reference", "leo-lagrange")
        taken = optics("reference", "leo-lagrange", "--because", "Coupure du 3 mars, fibre ressoudée")

    assert refused.exit_code == 1
    assert "was -5 dBm and is -7.5: say --because what was changed" in refused.output
    assert taken.exit_code == 0, taken.output
    history = [each for each in stored(tmp_path) if each.light == ("sw-lagrange", "25", "", "rx")]
    assert [(each.dbm, each.because) for each in history] == [(-5.0, ""), (-7.5, "Coupure du 3 mars, fibre ressoudée")]


def test_show_tells_loss_and_change_and_what_they_suggest(
    optics: Callable[..., Result], edit: Edit, tmp_path: Path
) -> None:
    ends = [
        Reference(1_700_000_000, name, "25", "", way, dbm)
        for name in ("sw-lagrange", "sw-biblio")
        for way, dbm in (("rx", -5.0), ("tx", -2.0))
    ]
    reference.append(tmp_path / "state" / "optics", ends)

    with fibre(edit, HEALTHY, {**HEALTHY, RX: -500}):
        result = optics("show", "leo-lagrange")

    assert result.exit_code == 0, result.output
    for words in (
        "rx: -7.50 dBm, 6.50 dB above its low warning -14 (high warning 0)",
        "-2.50 dB since 2023-11-14 (-5 dBm)",
        "loss into the site: 5.50 dB",
        "loss out of the site: 3.00 dB",
        "this suggests: sw-lagrange receives 2.5 dB less of the same light: clean the connectors",
    ):
        assert words in " ".join(result.output.split())
    assert max(map(len, result.output.splitlines())) <= 80


def test_a_silent_end_is_named(optics: Callable[..., Result], edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARVIS_SNMP_TIMEOUT", "0.1")
    with fibre(edit, HEALTHY, HEALTHY):
        edit("sites/bibliotheque-centrale.yml", "essai-v2c, port: ", "essai-v2c, port: 1")
        result = optics("show", "leo-lagrange")

    assert result.exit_code != 0
    assert "sw-biblio" in result.output


@pytest.mark.parametrize(
    "line", ["", "{}", "[1]", '{"at": 1, "device": "a", "port": "1", "lane": "", "direction": "rx", "dbm": 99}']
)
def test_a_bad_line_is_named_and_the_good_ones_are_kept(tmp_path: Path, line: str) -> None:
    good = Reference(1.0, "sw", "25", "", "rx", -7.5)
    reference.append(tmp_path, [good])
    with (tmp_path / reference.FILE).open("a") as file:
        file.write(f"{line}\n")
    reference.append(tmp_path, [good])

    with pytest.raises(ReferenceFault, match=r"references\.jsonl:2: not a reference") as caught:
        reference.load(tmp_path)
    assert caught.value.good == [good, good]


@pytest.mark.parametrize(
    ("far", "reason"),
    [
        ("{device: sw-biblo, port: 25}", "did you mean sw-biblio"),
        ('{device: sw-lagrange, port: "25"}', "the far end of the fibre is its near end"),
        ("{device: sw-biblio}", "port"),
    ],
)
def test_a_far_end_that_is_none_is_a_fault_of_the_inventory(
    town_folder: Path, edit: Edit, far: str, reason: str
) -> None:
    edit("sites/leo-lagrange.yml", 'port: "25",', f'port: "25", far: {far},'.replace("port: 25}", 'port: "25"}'))

    with pytest.raises(InventoryError, match=reason):
        load(town_folder)


def test_what_is_stored_is_a_line_of_json(tmp_path: Path) -> None:
    reference.append(tmp_path, [Reference(1.0, "sw", "25", "1", "rx", -7.5, "neuf")])

    assert json.loads((tmp_path / reference.FILE).read_text())["because"] == "neuf"
