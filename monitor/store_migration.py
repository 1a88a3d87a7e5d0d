"""Brings the on-call engine's file to the newest shape, in a process of its own: Alembic costs 12 MB of memory."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).with_name("migrations")


class MigrationFailed(Exception):
    """The file could not be brought to the newest shape; it is as it was. The disk needs attention."""


def migrate(path: Path) -> None:
    """Make or upgrade the file at *path*; nothing happens when it is up to date."""
    newest = max(file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))
    if _current(path) == newest:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "monitor.store_migration", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 our own program
    if done.returncode:
        raise MigrationFailed(f"{path}: {done.stderr.strip().splitlines()[-1:] or 'no reason given'}")
    path.chmod(0o600)


def upgrade(path: Path) -> None:
    """Run the migrations the file at *path* lacks."""
    from alembic import command  # noqa: PLC0415 for the child process only
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"url": f"sqlite:///{path}"})
    config.set_main_option("script_location", str(FOLDER))
    command.upgrade(config, "head")


def _current(path: Path) -> str | None:
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return str(row[0]) if row else None


if __name__ == "__main__":
    upgrade(Path(sys.argv[1]))
