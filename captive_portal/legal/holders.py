"""The town's key holders: a key shared so that some of them together have it, and fewer know nothing of it.

SLIP-39 (Shamir's secret sharing in words with a checksum), by its authors' reference implementation: a share is a line
of 33 English words for a sealed envelope, and any other implementation of the standard puts the key together again.
"""

from collections.abc import Iterable

from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics

FEWEST, MOST = 2, 16
"""Holders. SLIP-39 counts to 16; one holder alone would be no control."""


class WrongShares(Exception):
    """The shares do not make a key: too few, mistyped, of another key, or one twice; says which as far as known."""


def share(key: bytes, holders: int, needed: int = FEWEST) -> list[str]:
    """A share for each of *holders*, *needed* of which make *key* (32 octets) again; ValueError for strange numbers."""
    if not FEWEST <= needed <= holders <= MOST:
        raise ValueError(f"{needed} of {holders} holders; there are {FEWEST} to {MOST}, and two at least must agree")
    return [str(one) for one in generate_mnemonics(1, [(needed, holders)], key)[0]]


def together(shares: Iterable[str]) -> bytes:
    """The key that *shares* make; WrongShares."""
    given = [" ".join(one.lower().split()) for one in shares]
    if len(set(given)) < FEWEST:
        raise WrongShares("two shares of two holders are needed; one was given, or the same twice")
    try:
        return bytes(combine_mnemonics(given))
    except MnemonicError as error:
        raise WrongShares(f"these shares do not make a key: {error}") from error
