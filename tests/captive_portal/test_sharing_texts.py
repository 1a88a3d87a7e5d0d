"""A proof in the shared database can be read word for word, whichever gateway it came from, whatever became of it."""

import pytest
from house import ANNA
from shared_town import BEA, DAY, SharedTown, Site

from captive_portal import proofs, store_terms
from captive_portal.store import PROOF_SECONDS, Acceptance
from captive_portal.store_terms import Shown
from parvis.addresses import MacAddress

pytestmark = pytest.mark.slow  # real servers, and time that has to pass

READ = (
    "SELECT gateway, number, t.html FROM sessions s JOIN terms_texts t ON t.sha256 = s.terms_sha256"
    " ORDER BY gateway, number"
)
COUNT = "SELECT count(*) FROM terms_texts"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends and texts are seen to at each exchange."""
    monkeypatch.setattr(proofs, "ENDS_EVERY", 1)


def shows(site: Site, words: str) -> Shown:
    """The terms of *site* read like that from now on."""
    text = Shown("1.0.0", "fr", f"<p>{words}</p>")
    store_terms.keep(site.store, [text], site.clock.wall)
    return text


def accepts(site: Site, text: Shown, mac: MacAddress = ANNA) -> None:
    site.accepted += 1
    token = f"{site.name}-{site.accepted}"
    site.doorkeeper.accept(Acceptance(mac, site.name, "fr", text.version, text.sha256, token))


def test_f14_cgu02_the_text_of_every_gateways_proofs_is_in_the_shared_database(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    accepts(library, shows(library, "Bibliothèque, téléphone 1"))
    shared.exchange()
    library.doorkeeper.leave(ANNA)
    accepts(library, shows(library, "Bibliothèque, téléphone 2"))
    accepts(sports, shows(sports, "Stade"), BEA)
    shows(sports, "Stade, jamais accepté")
    shared.exchange()

    assert shared.server.says(READ).splitlines() == [
        "bibliotheque|1|<p>Bibliothèque, téléphone 1</p>",
        "bibliotheque|2|<p>Bibliothèque, téléphone 2</p>",
        "leo-lagrange|1|<p>Stade</p>",
    ]
    assert shared.server.says(COUNT) == "3"


def test_what_was_accepted_while_the_database_was_away_is_told_with_its_text(shared: SharedTown, library: Site) -> None:
    shared.exchange()
    shared.server.stop()
    accepts(library, shows(library, "Pendant la panne"))
    assert not library.sharing.exchange()
    shared.server.start()
    shared.exchange()

    assert shared.server.says(READ) == "bibliotheque|1|<p>Pendant la panne</p>"


@pytest.mark.parametrize(
    "lost", [("DELETE FROM terms_texts",), ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")], ids=["texts", "all"]
)
def test_texts_that_were_lost_or_never_told_come_back_when_a_portal_starts(
    shared: SharedTown, library: Site, lost: tuple[str, ...]
) -> None:
    """A portal that begins to tell texts finds its older proofs there without them."""
    accepts(library, shows(library, "Avant"))
    shared.exchange()
    library.sharing._line.hang_up()
    shared.server.says(*lost)

    again = shared.site("bibliotheque")
    assert any(again.sharing.exchange() for _ in range(3))

    assert shared.server.says(READ) == "bibliotheque|1|<p>Avant</p>"


def test_a_resident_known_from_elsewhere_reads_here_what_was_accepted_there(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    text = shows(library, "Bibliothèque")
    accepts(library, text)
    shared.exchange()
    assert sports.appears()
    shared.exchange()

    assert store_terms.read(sports.store, text.sha256) == text
    assert shared.server.says(COUNT) == "1"


def test_a_text_that_somebody_altered_in_the_database_is_believed_by_nobody(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    text = shows(library, "Bibliothèque")
    accepts(library, text)
    assert any(library.sharing.exchange() for _ in range(3))
    shared.server.says("UPDATE terms_texts SET html = 'autre chose'")
    shared.exchange()

    assert sports.appears()
    shared.exchange()
    assert store_terms.read(sports.store, text.sha256) is None
    assert store_terms.read(library.store, text.sha256) == text
    shared.server.says("UPDATE terms_texts SET html = '<p>Bibliothèque</p>'")
    shared.exchange()
    assert store_terms.read(sports.store, text.sha256) == text, "the wrong one was not kept in its place"


def test_a_text_goes_when_it_is_a_year_old_and_nothing_names_it(shared: SharedTown, library: Site) -> None:
    accepts(library, shows(library, "Bibliothèque"))
    shared.exchange()
    shared.server.says(f"UPDATE terms_texts SET since = extract(epoch FROM now()) - {PROOF_SECONDS + DAY}")
    counts = []
    for forgotten in ("SELECT 1", "DELETE FROM sessions", "DELETE FROM passes"):
        shared.server.says(forgotten)
        shared.exchange()
        counts.append(shared.server.says(COUNT))

    assert counts == ["1", "1", "0"]
