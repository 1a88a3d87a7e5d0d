"""The dashboards that are committed: for the demo town, in every language and for every datasource."""

from pathlib import Path

from dashboards.grafana.files import SOURCES, boards
from dashboards.words import LANGUAGES
from parvis.inventory import DEMO_TOWN, load

FOLDER = Path(__file__).parents[2] / "dashboards/generated"


def wanted() -> dict[Path, str]:
    """Path -> text of every file."""
    timezone = load(DEMO_TOWN).timezone
    return {
        FOLDER / source / language / f"{board.uid}.json": text
        for source in SOURCES
        for language in LANGUAGES
        for board, text in boards(language, timezone, source)
    }


def present() -> dict[Path, str]:
    """Path -> text of every file that is there."""
    return {path: path.read_text("utf-8") for path in sorted(FOLDER.rglob("*.json"))}


def write() -> None:
    """Make what is there what is wanted."""
    made = wanted()
    for path in set(present()) - set(made):
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
