"""What a release is made of."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from parvis.instruments import VERSION
from parvis.inventory import Town
from upkeep import delivered

ROOT = Path(__file__).parents[2]


def test_sec16_the_bill_of_materials_names_every_library_with_its_version() -> None:
    folder = str(Path(sys.modules["yaml"].__file__ or "").parents[1])
    done = subprocess.run(
        [sys.executable, ROOT / "script/sbom.py", folder, "1.2.3"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    told = json.loads(done.stdout)
    found = {component["name"].lower(): component["version"] for component in told["components"]}
    assert (told["bomFormat"], told["metadata"]["component"]["version"]) == ("CycloneDX", "1.2.3")
    assert found["flask"] == version("flask")


def test_the_version_stands_in_one_place_and_in_the_changelog() -> None:
    assert f"\n## {VERSION}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    says = [file for file in (ROOT / "parvis").glob("*.py") if f'\nVERSION = "{VERSION}"\n' in file.read_text("utf-8")]
    assert len(says) == 1, "script/package writes another one into it"
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_sec03_secrets_are_drawn_once_each_and_none_is_shipped(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "secrets.yml"
    file.write_text(yaml.safe_dump({"parvis_secrets": {"portal-key": "known"}}))
    command = [sys.executable, str(ROOT / "ansible/draw_secrets.py"), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=60, env={**os.environ, "PARVIS_TOWN": ""})
    first = yaml.safe_load(file.read_text())["parvis_secrets"]
    subprocess.run(command, check=True, capture_output=True, timeout=60, env={**os.environ, "PARVIS_TOWN": ""})

    assert first["portal-key"] == "known"
    assert set(first) == set(delivered.everything(town))
    assert len(set(first.values())) == len(first)
    assert all(len(text) >= 40 for name, text in first.items() if name != "portal-key")
    assert yaml.safe_load(file.read_text())["parvis_secrets"] == first
    assert file.stat().st_mode & 0o077 in {0, 0o044}


@pytest.mark.parametrize("role", sorted((ROOT / "ansible/roles").iterdir()), ids=lambda path: path.name)
def test_every_role_says_what_it_takes_and_its_defaults_are_the_same_there(role: Path) -> None:
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    file = role / "defaults/main.yml"
    defaults = yaml.safe_load(file.read_text()) if file.exists() else {}

    assert specs["short_description"]
    told = {name: option["default"] for name, option in specs["options"].items() if "default" in option}
    required = {name for name, option in specs["options"].items() if option.get("required")}
    assert told == {name: value for name, value in (defaults or {}).items() if name not in required}
