"""Acceptances on disk: durable, one live session a device, forgotten when they end. On SQLite and on PostgreSQL."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres import Cluster
from sqlalchemy import Engine, create_engine

import captive_portal.store_directives
import captive_portal.store_indexes
import captive_portal.store_moving
import captive_portal.store_passes
import captive_portal.store_sessions
import captive_portal.store_usage  # noqa: F401 their tables belong to the same metadata
from captive_portal.session import Now, Session, State
from captive_portal.store import PROOF_SECONDS, Acceptance, Store, StoreFailed, metadata
from captive_portal.store_migration import current, migrate, newest
from captive_portal.store_shared import postgresql, shape, shaped
from parvis.addresses import MacAddress

ANNA = MacAddress("02:00:00:00:00:0a")
NOW = Now("boot-1", 100.0, 1_000_000.0)
SESSION = Session(State.OPEN, "boot-1", 3700.0, 1_003_600.0)


def acceptance(token: str = "t1") -> Acceptance:
    return Acceptance(ANNA, "mairie", "fr", "1.0.0", "0" * 64, token)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "portal.sqlite3"
    migrate(path)
    return path


@pytest.fixture
def shared(server: Cluster) -> Engine:
    """An empty PostgreSQL database with our tables."""
    server.empty()
    shape(server.url, "")
    return postgresql(server.url)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Iterator[Path | Engine]:
    """Where a store may be."""
    found: Path | Engine = request.getfixturevalue("file" if request.param == "sqlite" else "shared")
    yield found
    if isinstance(found, Engine):
        found.dispose()


def test_migrations_from_nothing_make_the_tables_the_code_expects(place: Path | Engine) -> None:
    with (place if isinstance(place, Engine) else create_engine(f"sqlite:///{place}")).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_file_made_by_migrations_is_the_newest_and_closed_to_others(file: Path) -> None:
    assert current(file) == newest()
    assert file.stat().st_mode & 0o077 == 0


def test_portals_that_start_at_once_do_not_race_on_the_shared_database(
    server: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    server.empty()
    portals = [threading.Thread(target=shape, args=(server.url, "")) for _ in range(3)]
    for portal in portals:
        portal.start()
    for portal in portals:
        portal.join()

    assert capfd.readouterr().err == "", "one of them failed"
    assert server.says("SELECT version_num FROM alembic_version") == newest()
    with postgresql(server.url).connect() as connection:
        assert shaped(connection)


def test_a_shared_database_that_a_newer_portal_has_shaped_still_serves(shared: Engine, server: Cluster) -> None:
    server.says("UPDATE alembic_version SET version_num = '9999'")

    with shared.connect() as connection:
        assert shaped(connection)


def test_migrating_again_changes_nothing(file: Path) -> None:
    before = file.read_bytes()

    migrate(file)

    assert file.read_bytes() == before


def test_a_commit_survives_a_process_that_ends_without_goodbye(place: Path | Engine) -> None:
    with Store(place).transaction() as book:
        number = book.accept(acceptance(), SESSION, NOW)

    with Store(place).transaction() as book:
        found = book.live_of(ANNA)
    assert found is not None
    assert (found.number, found.session) == (number, SESSION)


def test_every_commit_is_synced_to_disk(file: Path) -> None:
    with Store(file).transaction() as book:
        pragmas = [
            book._connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")
        ]

    assert pragmas == [2, "wal"]


def test_numbers_are_never_used_again(place: Path | Engine) -> None:
    store = Store(place)
    with store.transaction() as book:
        first = book.accept(acceptance(), SESSION, NOW)
        book.end(first, "left", NOW)
        book.purge(Now("boot-1", 0.0, NOW.wall + PROOF_SECONDS + 1))
    with store.transaction() as book:
        assert book.accept(acceptance("t2"), SESSION, NOW) == first + 1


def test_a_device_has_one_live_session(place: Path | Engine) -> None:
    store = Store(place)

    def accepts_twice() -> None:
        with store.transaction() as book:
            book.accept(acceptance("t1"), SESSION, NOW)
            book.accept(acceptance("t2"), SESSION, NOW)

    with pytest.raises(StoreFailed):
        accepts_twice()
    with store.transaction() as book:
        assert book.live() == {}


def test_f56_the_end_of_a_session_erases_its_device_from_the_file_itself(file: Path) -> None:
    store = Store(file)
    with store.transaction() as book:
        number = book.accept(acceptance(), SESSION, NOW)
    with store.transaction() as book:
        book.end(number, "left", NOW)
        assert book.accept(acceptance(), SESSION, NOW) is None, "its form was used"

    store.settle()
    everything = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert ANNA.text.encode() not in everything


def test_f56_a_proof_is_kept_a_year_and_no_longer(place: Path | Engine) -> None:
    with Store(place).transaction() as book:
        book.end(book.accept(acceptance(), SESSION, NOW), "left", NOW)
        assert book.purge(Now("boot-1", 0.0, NOW.wall + PROOF_SECONDS - 1)) == 0
        assert book.purge(Now("boot-1", 0.0, NOW.wall + PROOF_SECONDS + 1)) == 1


def test_a_commit_is_on_the_disk_before_it_returns_and_what_is_erased_is_overwritten(file: Path) -> None:
    """SQLite's own words for it: synchronous 2 is FULL."""
    store = Store(file)
    with store._engine.connect() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "secure_delete")
        }
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()

    assert (asked, journal) == ({"synchronous": 2, "secure_delete": 1}, "wal")
