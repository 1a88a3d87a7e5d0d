"""A form's token is good for one device, one purpose, one boot and half an hour."""

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.forms import VALID_SECONDS, Signer
from captive_portal.session import Now
from parvis.addresses import MacAddress

ANNA, BEN = MacAddress("02:00:00:00:00:0a"), MacAddress("02:00:00:00:00:0b")
NOW = Now("boot-1", 5000.0, 0.0)
SIGNER = Signer(b"k" * 32)


def test_r49_a_token_needs_no_memory_and_is_bound_to_all_it_was_made_for() -> None:
    token = SIGNER.token(ANNA, "accept", NOW)

    assert SIGNER.valid(token, ANNA, "accept", NOW)
    assert not SIGNER.valid(token, BEN, "accept", NOW)
    assert not SIGNER.valid(token, ANNA, "leave", NOW)
    assert not SIGNER.valid(token, ANNA, "accept", Now("boot-2", 5000.0, 0.0))
    assert not SIGNER.valid(token, ANNA, "accept", Now("boot-1", 4999.0, 0.0))
    assert not SIGNER.valid(token, ANNA, "accept", Now("boot-1", 5001 + VALID_SECONDS, 0.0))
    assert not SIGNER.valid(token, ANNA, "accept", NOW, "other terms")
    assert SIGNER.valid(SIGNER.token(ANNA, "accept", NOW, "terms"), ANNA, "accept", NOW, "terms")
    assert not Signer(b"x" * 32).valid(token, ANNA, "accept", NOW)


@given(st.text(max_size=80))
def test_no_text_is_a_token(text: str) -> None:
    assert not SIGNER.valid(text, ANNA, "accept", NOW)


@given(st.integers(0, 47), st.sampled_from("ABab09-_"))
def test_a_token_with_one_letter_changed_is_none(at: int, letter: str) -> None:
    token = SIGNER.token(ANNA, "accept", NOW)
    changed = token[:at] + letter + token[at + 1 :]

    assert SIGNER.valid(changed, ANNA, "accept", NOW) == (changed == token)


def test_a_token_does_not_show_the_device() -> None:
    assert len({SIGNER.token(ANNA, "accept", NOW) for _ in range(10)}) == 10
