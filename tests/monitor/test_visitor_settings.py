"""What the visitor is told: checked before it becomes a small process."""

from pathlib import Path
from typing import Any

import pytest

from monitor.visitor import commands
from monitor.visitor.commands import facts
from monitor.visitor.settings import VisitorSettings
from parvis.inventory import Town
from parvis.settings import SettingsError, load

PLACE = {"site": "bibliotheque-centrale", "namespace": "guest-1", "interface": "eth1"}


@pytest.fixture(autouse=True)
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One namespace that is there, with its resolver's file, and the secret."""
    for name in ("run", "etc/guest-1", "secrets"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "run/guest-1").touch()
    (tmp_path / "etc/guest-1/resolv.conf").touch()
    (tmp_path / "secrets/visitor-token").write_text("known")
    monkeypatch.setattr(commands, "NAMESPACES", tmp_path / "run")
    monkeypatch.setattr(commands, "RESOLVERS", tmp_path / "etc")


def settings(tmp_path: Path, *places: dict[str, str]) -> VisitorSettings:
    file = tmp_path / "visitor.toml"
    tables = ("[[places]]\n" + "".join(f'{key} = "{value}"\n' for key, value in place.items()) for place in places)
    file.write_text(f'secrets = "{tmp_path}/secrets"\n' + "".join(tables))
    return load(VisitorSettings, file)


def test_a_place_is_told_what_is_right_there(town: Town, tmp_path: Path) -> None:
    told = facts(town, settings(tmp_path, PLACE))

    (place,) = told["places"]
    assert place["orders"]["addresses"] == ["10.13.0.1", "2001:db8:13::1"]
    assert place["orders"]["ipv6"] is True
    assert (told["interval"], told["token"]) == (60.0, "known")


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([], "name a site"),
        ([{**PLACE, "site": "nowhere"}], "nowhere"),
        ([{**PLACE, "namespace": "gone"}], "ip netns add gone"),
        ([PLACE, {**PLACE, "namespace": "other"}], "bibliotheque-centrale is there twice"),
        ([{**PLACE, "interface": "a name too long for one"}], "interface"),
        ([{**PLACE, "namespace": "../../etc"}], "namespace"),
    ],
)
def test_what_cannot_be_is_said_with_the_cure(
    town: Town, tmp_path: Path, places: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        facts(town, settings(tmp_path, *places))


def test_without_a_resolver_of_its_own_no_visit_is_made(town: Town, tmp_path: Path) -> None:
    (tmp_path / "etc/guest-1/resolv.conf").unlink()

    with pytest.raises(SettingsError, match=r"resolv\.conf is missing"):
        facts(town, settings(tmp_path, PLACE))
