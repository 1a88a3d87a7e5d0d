"""The key ceremony: every key the town needs, made once, and each holder's shares. The whole key is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass

from captive_portal.legal import holders, sealing
from captive_portal.legal.segment import Store
from captive_portal.legal.town_keys import TownKeys

SHARED = (Store.SOURCE, Store.TRAFFIC)
"""Opened by two holders; store C by who looks after the network's security, alone."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a ceremony makes. *shares*: holder -> store -> words, for that holder's envelope and no disk."""

    public: TownKeys
    signer: bytes
    security: bytes
    shares: dict[str, dict[Store, str]]


def hold(names: Sequence[str], made: str, needed: int = holders.FEWEST) -> Made:
    """Make everything for the holders *names*; *made* is the date. ValueError for too few, too many, or one twice."""
    if len(set(names)) != len(names):
        raise ValueError("a holder is named twice")
    signer, pairs = sealing.new_signer(), {store: sealing.new_pair() for store in Store}
    shares: dict[str, dict[Store, str]] = {name: {} for name in names}
    for store in SHARED:
        for name, words in zip(names, holders.share(pairs[store].private, len(names), needed), strict=True):
            shares[name][store] = words
    public = {store: pair.public for store, pair in pairs.items()}
    keys = TownKeys(made, needed, tuple(names), public, sealing.signer_public(signer))
    return Made(keys, signer, pairs[Store.SECURITY].private, shares)


def opened(shares: Sequence[str], public: bytes) -> bytes:
    """The holders' private key from *shares*; holders.WrongShares when they are another key's."""
    private = holders.together(shares)
    if len(private) != sealing.KEY_BYTES or sealing.pair_of(private).public != public:
        raise holders.WrongShares("the shares make a key, but not the one of this store: take the store's envelopes")
    return private
