"""README and docs say what is true."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from parvis.catalogue import metrics
from parvis.cli import parvis
from parvis.documentation import pages
from parvis.inventory import Town
from parvis.outputs import generate

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUNBOOKS = ROOT / "docs/06-runbooks.md"
IDS = [path.name for path in PAGES]


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == pages()[name], "run script/docs"


def test_docs_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:2]) for path in PAGES[1:]]

    assert numbers == list(range(1, len(numbers) + 1))
    for number, path in zip(numbers, PAGES[1:], strict=True):
        assert path.read_text("utf-8").startswith(f"# {number}. ")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))

    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_shown_exists_with_its_options(page: Path) -> None:
    wrong = [line for line in shown_commands(page) if not known(line)]

    assert wrong == []


def shown_commands(page: Path) -> list[str]:
    """The commands of console blocks, and of code spans that begin with a command of ours."""
    text = page.read_text("utf-8")
    blocks = "\n".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL))
    lines = [line.removeprefix("$ ").split("  #")[0].strip() for line in blocks.splitlines() if line.startswith("$ ")]
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return lines + re.findall(r"`(parvis [^`]+|script/[a-z]+[^`/.]*)`", prose)


def known(line: str) -> bool:
    words = shlex.split(line.replace("…", ""))
    if not words or words[0].startswith("script/"):
        return not words or (ROOT / words[0]).exists()
    if words[0] != "parvis" or len(words) == 1:
        return True
    return command_knows(parvis, words[1:])


def command_knows(command: click.Command, words: list[str]) -> bool:
    """Follow *words* through groups, and look each option up."""
    context = click.Context(command)
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        return inner is not None and command_knows(inner, words[1:])
    ours = words[: words.index("--")] if "--" in words else words
    options = {
        name for parameter in command.get_params(context) for name in (*parameter.opts, *parameter.secondary_opts)
    }
    return all(word.split("=")[0] in options for word in ours if word.startswith("-"))


def test_a_wrong_command_in_the_docs_would_be_noticed() -> None:
    assert known("parvis check")
    assert not known("parvis chekc")
    assert not known("parvis plan --onyl x")
    assert not known("script/nothing")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_metric_names_in_the_docs_are_in_the_catalogue(page: Path) -> None:
    named = set(re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)(?:\{[^`]*\})?`", page.read_text("utf-8")))
    endings = ("_total", "_seconds", "_bytes", "_ratio", "_up", "_dbm")
    families = {name.split("_")[0] for name in metrics()}
    looks = {name for name in named if name.split("_")[0] in families and name.endswith(endings)}

    assert looks - set(metrics()) == set()


def test_no_address_of_a_registry_and_no_path_of_a_machine_is_written_anywhere() -> None:
    """Versions are pinned without URLs; the project stands alone when cloned."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    pattern = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian\.org|/root/|/home/[a-z]")
    paths = [ROOT / name for name in listed if name and name != "tests/test_documentation.py"]
    texts = {path: path.read_text("utf-8", "replace") for path in paths if path.suffix not in {".png", ".mo"}}

    assert [str(path) for path, text in texts.items() if pattern.search(text)] == []


@pytest.mark.slow
def test_the_newcomers_commands_run_as_shown() -> None:
    """Every read-only `parvis` command of the README's and docs' console blocks exits 0."""
    lines = {line for page in PAGES for line in shown_commands(page)}
    safe = sorted(line for line in lines if re.fullmatch(r"parvis (check|show|--help|[a-z]+ --help)", line))
    assert safe
    for line in safe:
        words = [str(Path(sys.executable).with_name("parvis")), *shlex.split(line)[1:]]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"


RUNBOOK_HEADINGS = (
    "Ce que ça veut dire.",
    "Ce que voient les habitants.",
    "Vérifier en 2 minutes.",
    "Réparer.",
    "Qui appeler.",
    "Quand escalader.",
    "Comment dire que c'est fini.",
    "Dernières fois.",
)


def test_every_alert_has_its_runbook_with_every_heading(town: Town) -> None:
    rules = yaml.safe_load(generate(town)["centre/rules.yml"])
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOKS.read_text("utf-8"), re.DOTALL | re.MULTILINE))

    assert alerts
    assert set(sections) == alerts | {"SupervisionMuette"}, "the engine raises one that no rule can"
    for name, text in sections.items():
        assert [heading for heading in RUNBOOK_HEADINGS if f"**{heading}**" not in text] == [], name
