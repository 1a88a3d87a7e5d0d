"""Brings a file of the monitor's to the newest shape, in a process of its own: Alembic costs 12 MB of memory."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).with_name("migrations")
"""The on-call engine's; the history's are in the folder history within it."""
HISTORY_FOLDER = FOLDER / "history"


class MigrationFailed(Exception):
    """The file could not be brought to the newest shape; it is as it was. The disk needs attention."""


def migrate(path: Path, folder: Path = FOLDER) -> None:
    """Make or upgrade the file at *path* by the migrations in *folder*; nothing happens when it is up to date."""
    newest = max(file.name.partition("_")[0] for file in (folder / "versions").glob("[0-9]*.py"))
    if _current(path) == newest:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "monitor.store_migration", str(path), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 our own program
    if done.returncode:
        raise MigrationFailed(f"{path}: {done.stderr.strip().splitlines()[-1:] or 'no reason given'}")
    path.chmod(0o600)


def upgrade(path: Path, folder: Path) -> None:
    """Run the migrations in *folder* that the file at *path* lacks."""
    from alembic import command  # noqa: PLC0415 for the child process only
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"url": f"sqlite:///{path}"})
    config.set_main_option("script_location", str(folder))
    command.upgrade(config, "head")


def _current(path: Path) -> str | None:
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return str(row[0]) if row else None


if __name__ == "__main__":
    upgrade(Path(sys.argv[1]), Path(sys.argv[2]))
