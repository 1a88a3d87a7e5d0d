"""What roles/database tells a PostgreSQL: a user without powers, its own database, a password nobody can read."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Cluster, cluster, programs

from upkeep import shared_database

SCRIPT = Path(__file__).parents[2] / "ansible" / "roles" / "database" / "files" / "parvis.sql"
pytestmark = pytest.mark.skipif(shutil.which("pg_lsclusters") is None, reason="this machine has no PostgreSQL")


@pytest.fixture(scope="module")
def debian() -> Iterator[Cluster]:
    """A cluster as Debian's package leaves it: one superuser called postgres, no database of ours."""
    with cluster() as made:
        made.says("CREATE ROLE postgres SUPERUSER LOGIN")
        asked(made, "ALTER ROLE parvis RENAME TO first", "DROP DATABASE parvis")
        yield made
        asked(made, "DROP DATABASE parvis", "DROP ROLE parvis", "ALTER ROLE first RENAME TO parvis")


def asked(server: Cluster, *statements: str) -> str:
    words = [word for statement in statements for word in ("-c", statement)]
    return psql(server, *words)


def psql(server: Cluster, *words: str, given: str = "", **environment: str) -> str:
    argv = [programs() / "psql", "-h", server.folder, "-U", "postgres", "-XqAt", *words, "postgres"]
    environment = os.environ | environment
    done = subprocess.run(
        argv, input=given, capture_output=True, text=True, timeout=60, check=False, env=environment, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_script_makes_user_and_database_and_may_run_again_with_another_password(debian: Cluster) -> None:
    verifiers = []
    for password in ('l\'un; "deux"', "autre"):
        psql(debian, "--file=-", given=SCRIPT.read_text(), PARVIS_PASSWORD=password)
        verifiers.append(asked(debian, "SELECT rolpassword FROM pg_authid WHERE rolname = 'parvis'"))

    role = asked(debian, "SELECT rolsuper, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = 'parvis'")
    owner = asked(debian, "SELECT datdba::regrole, datacl FROM pg_database WHERE datname = 'parvis'")
    assert role == "f|f|t"
    assert owner == "parvis|{=T/parvis,parvis=CTc/parvis}"
    assert all(verifier.startswith("SCRAM-SHA-256$") for verifier in verifiers)
    assert verifiers[0] != verifiers[1]


def test_sec15_it_comes_back_from_a_backup_with_its_rows_and_its_password(
    debian: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = (f"PGHOST={debian.folder}", "PGUSER=postgres", "PGDATABASE=postgres")
    monkeypatch.setattr(shared_database, "POSTGRES", ("env", f"PATH={programs()}:/usr/bin:/bin", *reached))
    psql(debian, "--file=-", given=SCRIPT.read_text(), PARVIS_PASSWORD="un")
    psql(debian, "--file=-", given="\\c parvis\nSET ROLE parvis; CREATE TABLE passes AS SELECT 'é' AS word;\n")
    verifier = "SELECT rolpassword FROM pg_authid WHERE rolname = 'parvis'"
    before, backup = asked(debian, verifier), shared_database.dump()
    asked(debian, "DROP DATABASE parvis", "DROP ROLE parvis")

    for _ in range(2):  # a second time on what is there already
        shared_database.put_back(backup)

    assert before
    assert asked(debian, verifier) == before
    assert psql(debian, "--file=-", given="\\c parvis\nSET ROLE parvis; SELECT word FROM passes;\n") == "é"
