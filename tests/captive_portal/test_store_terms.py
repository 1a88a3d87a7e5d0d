"""What was accepted can be read again, word for word, whatever the town has changed since."""

import pytest
from house import House, Visitor

from captive_portal import store_terms
from captive_portal.store import PROOF_SECONDS


@pytest.fixture
def anna(house: House) -> Visitor:
    return house.visitor()


def digest_accepted(house: House) -> str:
    with house.store.connection() as connection:
        return str(connection.exec_driver_sql("SELECT terms_sha256 FROM acceptances").scalar_one())


@pytest.mark.parametrize("language", ["fr", "en"])
def test_cgu02_f14_the_text_that_a_proof_names_is_read_by_its_digest_after_the_town_has_moved(
    house: House, anna: Visitor, language: str
) -> None:
    """Same version, another address to write to: the version's page is another text now."""
    before = house.facts.email
    anna.accepts(language)
    digest = digest_accepted(house)
    object.__setattr__(house.facts, "email", "nouvelle@cachan.example")
    today = anna.get(f"/{language}/cgu/{house.facts.terms_version}").text

    then = anna.get(f"/{language}/cgu/{digest}").text

    terms_then = then.partition("<main")[2].partition("</main")[0]
    assert digest not in today
    assert before in terms_then
    assert "nouvelle@" not in terms_then
    assert digest in terms_then
    assert f'href="/{language}/cgu/{digest}"' in anna.get(f"/{language}/mes-donnees").text


def test_what_was_accepted_at_another_gateway_is_not_linked_here(house: House, anna: Visitor) -> None:
    anna.accepts()
    with house.store.connection() as connection:
        connection.exec_driver_sql("UPDATE acceptances SET terms_sha256 = ?", ("e" * 64,))

    page = anna.get("/fr/mes-donnees").text

    assert "version 2.0.0" in page
    assert "/cgu/e" not in page


def test_a_text_that_was_altered_is_not_shown_as_the_one_that_was_accepted(house: House, anna: Visitor) -> None:
    anna.accepts()
    digest = digest_accepted(house)
    assert anna.get(f"/fr/cgu/{digest}").status_code == 200
    with house.store.connection() as connection:
        connection.exec_driver_sql("UPDATE terms_texts SET html = html || ' '")

    assert anna.get(f"/fr/cgu/{digest}").status_code == 404
    assert anna.get(f"/fr/cgu/{'0' * 64}").status_code == 404


def test_a_text_is_kept_as_long_as_a_proof_names_it_and_a_year_at_least(house: House, anna: Visitor) -> None:
    anna.accepts("fr")
    digest = digest_accepted(house)
    later = house.clock.wall + PROOF_SECONDS + 1
    with house.store.connection() as connection:
        kept = store_terms.erase(connection, house.clock.wall + PROOF_SECONDS - 1)
        gone = store_terms.erase(connection, later)

    assert (kept, gone) == (0, 1), "the English one, which nobody has accepted"
    assert store_terms.read(house.store, digest) is not None
    with house.store.connection() as connection:
        connection.exec_driver_sql("DELETE FROM acceptances")
        assert store_terms.erase(connection, later) == 1


def test_what_is_written_down_already_stays_as_it_is(house: House) -> None:
    text = store_terms.Shown("9.0.0", "fr", "<p>x</p>")

    for wall in (5.0, 6.0):
        store_terms.keep(house.store, [text, text], wall)

    with house.store.connection() as connection:
        rows = connection.exec_driver_sql("SELECT sha256, since FROM terms_texts WHERE version = '9.0.0'").all()
    assert rows == [(text.sha256, 5.0)]


def test_a_store_that_cannot_be_written_keeps_nobody_from_starting(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    with house.store.connection() as connection:
        connection.exec_driver_sql("DROP TABLE terms_texts")

    store_terms.keep(house.store, [store_terms.Shown("9.0.0", "fr", "<p>x</p>")], 5.0)

    assert "cannot be written down" in capsys.readouterr().err
