"""The first page, rendered once for many: nothing of one device may reach another."""

import gzip
import re

import pytest
from house import House
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.web.packing import Gapped, packed
from captive_portal.web.shelf import KEEP_SECONDS, MOST, Shelf
from parvis.addresses import MacAddress

BRUNO = MacAddress.parse("02:00:00:00:00:0b")


def test_two_devices_see_the_same_page_but_for_their_token(house: House) -> None:
    anna, bruno = house.visitor(), house.visitor("10.11.0.6", BRUNO)

    pages = [who.get("/fr/").text for who in (anna, bruno, anna)]

    tokens = [re.findall(r'name="token" value="([^"]+)"', page) for page in pages]
    assert [len(found) for found in tokens] == [1, 1, 1]
    assert len({found[0] for found in tokens}) == 3
    assert len({page.replace(found[0], "") for page, found in zip(pages, tokens, strict=True)}) == 1


def test_a_token_from_the_shelf_admits_its_own_device_and_no_other(house: House) -> None:
    anna, bruno = house.visitor(), house.visitor("10.11.0.6", BRUNO)
    anna.get("/fr/")
    theirs = bruno.token()

    assert anna.post("/fr/accept", {"token": theirs}).location.endswith("again=1")
    assert bruno.post("/fr/accept", {"token": theirs}).location.endswith("/status")


def test_what_happens_to_the_site_shows_at_once(house: House) -> None:
    anna = house.visitor()
    whole = anna.get("/fr/").text

    house.fibre = False

    assert anna.get("/fr/").text != whole
    assert anna.get("/en/").text != anna.get("/").text


def test_a_page_is_rendered_once_a_second_and_no_more_than_some_are_kept() -> None:
    now, rendered = [0.0], []
    shelf = Shelf(lambda: now[0])

    def make(token: str) -> str:
        rendered.append(token)
        return f"[{token}]"

    assert [shelf.page("fr", word, make) for word in ("a", "b")] == [b"[a]", b"[b]"]
    assert len(rendered) == 1
    now[0] = KEEP_SECONDS
    assert shelf.page("fr", "c", make) == b"[c]"
    assert len(rendered) == 2
    for number in range(3 * MOST):
        shelf.page(number, "d", make)
    assert len(shelf._pages) <= MOST


@given(
    st.text(),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")),
    st.binary(min_size=48, max_size=48),
)
def test_a_page_packed_in_parts_is_the_page(before: str, after: str, word: bytes) -> None:
    page = Gapped(before.encode(), after.encode(), len(word))

    assert gzip.decompress(page.packed(word)) == page.filled(word) == before.encode() + word + after.encode()


def test_the_part_behind_a_token_repeats_the_part_before_it() -> None:
    """And never the token, which is another for the next device."""
    text = "".join(f"<li>{number}</li>" for number in range(2000))
    page = Gapped(text.encode(), text.encode(), 48)

    assert [gzip.decompress(page.packed(word)) for word in (b"x" * 48, b"<li>" * 12)] == [
        page.filled(b"x" * 48),
        page.filled(b"<li>" * 12),
    ]
    assert len(page.packed(b"x" * 48)) < len(packed(text.encode())) * 1.5
    with pytest.raises(ValueError, match="48 bytes, not 1"):
        page.packed(b"x")
