"""Brings the store's file to the newest shape (Alembic), in the step before the portal starts and only when needed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("migrations")


def newest() -> str:
    """The newest revision, by the names of the files: ``0001_….py``."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def current(path: Path) -> str | None:
    """The revision of the file at *path*; None when there is none."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return str(row[0]) if row else None


def migrate(path: Path) -> None:
    """Make or upgrade the file at *path*; nothing happens when it is up to date."""
    if current(path) == newest():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    upgrade({"url": f"sqlite:///{path}"})
    path.chmod(0o600)


def upgrade(where: dict[str, Any]) -> None:
    """Run the migrations *where* says: ``url``, or ``connection`` of SQLAlchemy's."""
    from alembic import command  # noqa: PLC0415 costs 12 MB and half a second, and is rarely needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes=where)
    config.set_main_option("script_location", str(FOLDER))
    command.upgrade(config, "head")
