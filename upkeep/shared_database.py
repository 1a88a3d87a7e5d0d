"""The shared database (docs/14) in backups: PostgreSQL's own words for its role and its content, and back."""

from pathlib import Path

from upkeep import places
from upkeep.machine import must

SIGN = places.CONFIGURATION / "database.conf"
"""Written by roles/database: this machine serves the database."""
NAME = "parvis"
POSTGRES = ("runuser", "--user", "postgres", "--")
LONG_SECONDS = 3600.0


def here(root: Path) -> bool:
    """Whether the machine below *root* serves it."""
    return (root / SIGN.relative_to("/")).is_file()


def dump() -> str:
    """SQL that makes the role, with the verifier of its password, and the database with all that is in it."""
    roles = must(*POSTGRES, "pg_dumpall", "--roles-only", seconds=LONG_SECONDS)
    return own_role(roles) + must(
        *POSTGRES, "pg_dump", "--create", "--clean", "--if-exists", NAME, seconds=LONG_SECONDS
    )


def own_role(roles: str) -> str:
    r"""Of all roles' SQL the lines about ours.

    >>> own_role("CREATE ROLE parvis;\nALTER ROLE parvis WITH LOGIN;\nCREATE ROLE postgres;\n")
    'CREATE ROLE parvis;\nALTER ROLE parvis WITH LOGIN;\n'
    """
    starts = (f"CREATE ROLE {NAME};", f"ALTER ROLE {NAME} ")
    return "".join(line for line in roles.splitlines(keepends=True) if line.startswith(starts))


def put_back(sql: str) -> None:
    """Run what :func:`dump` wrote on a new PostgreSQL; a role that is there already is no hindrance."""
    must(*POSTGRES, "psql", "--no-psqlrc", "--quiet", "--file=-", given=sql.encode(), seconds=LONG_SECONDS)
