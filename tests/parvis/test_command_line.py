"""`parvis check`, `show` and `plan` as a newcomer types them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from parvis import cli
from tests_support import Edit


def parvis(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PARVIS_")}
    return subprocess.run(
        [Path(sys.executable).with_name("parvis"), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=clean | environment,
    )


def every_command(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of each command and group there is."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*words, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*words, name))


def test_every_command_helps_who_has_neither_settings_nor_a_town(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [one for one in os.environ if one.startswith("PARVIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    found = list(every_command(cli.parvis))

    refused = [words for words in found if CliRunner().invoke(cli.parvis, [*words, "--help"]).exit_code]
    assert refused == []
    assert {("legal", "purge"), ("legal", "case", "open"), ("dpo", "incident", "open")} <= set(found)


def test_check_of_the_demo_town_says_that_all_is_well() -> None:
    done = parvis("check")

    assert done.returncode == 0, done.stderr
    assert "4 sites" in done.stdout


def test_sec06_check_names_who_is_asked_in_clear_text_and_until_when(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "until: 2027-12-31, ", "until: 2020-02-29, ")

    done = parvis("check", str(town_folder))

    assert done.returncode == 0, done.stderr
    assert "sites/leo-lagrange.yml: exception: ap-lagrange-gymnase is asked in SNMPv2c" in done.stdout
    assert "the exception ended on 2020-02-29" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "how"),
    [
        ("version: v2c", "version: v1", "SNMPv1"),
        (
            "version: v2c, community_secret: snmp-anciennes-community",
            "version: v3, user: x, auth: SHA-256, privacy: none, auth_secret: a",
            "SNMPv3 without encryption",
        ),
        (
            "version: v2c, community_secret: snmp-anciennes-community",
            "version: v3, user: x, auth: none, privacy: none",
            "SNMPv3 without signature or encryption",
        ),
    ],
)
def test_sec06_whatever_is_not_encrypted_is_an_exception(
    town_folder: Path, edit: Edit, old: str, new: str, how: str
) -> None:
    edit("town.yml", old, new)

    done = parvis("check", str(town_folder))

    assert f"ap-lagrange-gymnase is asked in {how}, in clear text (anciennes-v2c) until 2027-12-31" in done.stdout


def test_check_lists_every_fault_with_file_and_line_and_exits_1(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "title: {fr: Ville", "titel: {fr: Ville")
    edit("sites/leo-lagrange.yml", "vendor: mikrotik", "vendor: mikrotic")

    done = parvis("check", str(town_folder))

    assert done.returncode == 1
    site = (town_folder / "sites/leo-lagrange.yml").read_text("utf-8").splitlines()
    line = next(number for number, text in enumerate(site, 1) if "mikrotic" in text)
    assert "town.yml:4: titel: unknown key; did you mean title?" in done.stdout
    assert f"sites/leo-lagrange.yml:{line}: access_points[0].vendor:" in done.stdout
    assert len(done.stdout.splitlines()) == 2
    assert "fault(s) in" in done.stderr


def test_the_town_folder_may_come_from_the_environment(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "timezone: Europe/Paris", "timezone: Mars")

    assert parvis("check", PARVIS_TOWN=str(town_folder)).returncode == 1


def test_show_prints_each_site_and_device_in_full() -> None:
    done = parvis("show")

    assert done.returncode == 0, done.stderr
    for word in ("Complexe sportif Léo-Lagrange", "ap-lagrange-gymnase", "10.91.4.11", "v2c anciennes-v2c", "agent-3"):
        assert word in done.stdout


def test_show_of_a_broken_town_is_faults_not_a_traceback(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "people:", "peple:")

    done = parvis("show", str(town_folder))

    assert done.returncode == 1
    assert "did you mean people?" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_of_a_town_with_itself_says_that_nothing_differs(town_folder: Path) -> None:
    done = parvis("plan", str(town_folder), str(town_folder))

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("words", [("chekc",), ("check", "/nowhere/at/all"), ("plan", "."), ("--nope",)])
def test_a_wrong_command_is_a_sentence_and_an_exit_code(words: tuple[str, ...]) -> None:
    done = parvis(*words)

    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stderr.strip()


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "register.csv"
    done = parvis("dpo", "register", str(out))

    assert (done.returncode, done.stderr) == (1, f"Error: {out}: No such file or directory\n")
