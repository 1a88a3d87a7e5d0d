"""The way to the shared database is TLS with a server that proves who it is (sslmode=verify-full), or no way at all."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from house import ANNA
from postgres import Cluster
from shared_town import SharedTown, Site
from sqlalchemy import text

from captive_portal.outcomes import Outcome
from captive_portal.store_shared import Line

pytestmark = pytest.mark.slow  # real servers
PLACE = f"127.86.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"
"""An address of this machine that is ours alone."""
Serve = Callable[[str], None]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serve(server: Cluster, authority: trustme.CA, shared: SharedTown) -> Iterator[Serve]:
    """``serve(name)``: the database listens on the network with a certificate for *name*; empty: without TLS."""
    assert shared.server is server

    def start(name: str) -> None:
        server.stop()
        server.start(f"listen_addresses={PLACE}", *(server.certified(authority, name) if name else ()))

    yield start
    server.stop()
    server.start()


def line(folder: Path, authority: trustme.CA) -> Line:
    """As the settings of a portal that trusts *authority* make it."""
    file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return Line(f"postgresql://parvis@{PLACE}/parvis?sslmode=verify-full&sslrootcert={file}")


def test_a_server_that_proves_its_name_is_spoken_to_and_nothing_goes_in_clear(
    serve: Serve, shared: SharedTown, library: Site, authority: trustme.CA
) -> None:
    serve(PLACE)
    library.sharing._line = line(shared.folder, authority)
    library.accepts()

    assert library.sharing.exchange()
    with library.sharing._line.transaction() as there:
        how = there.execute(text("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).one()
    library.sharing._line.hang_up()
    assert tuple(how) == (True, "TLSv1.3")
    assert shared.server.says("SELECT count(*) FROM passes") == "1"


@pytest.mark.parametrize(
    ("name", "trusted", "said", "advice"),
    [
        (PLACE, False, "certificate verify failed", "sslrootcert must name the CA"),
        ("db.example", True, "does not match host name", "write the name of the server's certificate"),
        ("", True, "does not support SSL", "turn TLS on at the server"),
    ],
    ids=["another CA", "another name", "no TLS"],
)
def test_a_server_that_does_not_is_refused_with_what_to_do_and_nobody_waits(
    serve: Serve, shared: SharedTown, library: Site, authority: trustme.CA, capfd: pytest.CaptureFixture[str],
    name: str, trusted: bool, said: str, advice: str,
) -> None:  # fmt: skip
    serve(name)
    library.sharing._line = line(shared.folder, authority if trusted else trustme.CA())

    assert library.accepts() is Outcome.ADMITTED
    assert not library.sharing.exchange()

    words = capfd.readouterr().err
    assert said in words
    assert advice in words
    assert ANNA.text not in words
    assert library.value("portal_shared_up") == 0
    assert library.value("portal_shared_backlog") == 1
    assert shared.server.says("SELECT count(*) FROM pg_tables WHERE tablename = 'passes'") == "0"
