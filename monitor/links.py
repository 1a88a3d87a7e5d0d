"""Signed links: one message, one action, an end; a letter changed makes it void. No I/O, no clock."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from struct import error as NotPacked  # noqa: N812 an error's name, as ours are

ACTIONS = ("acknowledge", "snooze", "hand-over", "form")
VALID_SECONDS = 86400
_FACTS = Struct(">IBI")
_SIGNATURE_BYTES = 12


class LinkRefused(Exception):
    """The link is void: changed, or too old. Whoever follows it looks at the incident's page instead."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for: the action of whoever got message *page* (for a form: of the incident *page*)."""

    page: int
    action: str
    expires_at: int


def token(link: Link, key: bytes) -> str:
    """28 letters that stand for *link* and that only the holder of *key* can make.

    >>> made = token(Link(7, "snooze", 1_800_000_000), b"k" * 32)
    >>> len(made), read(made, b"k" * 32, 1_799_999_999).action
    (28, 'snooze')
    """
    facts = _FACTS.pack(link.page, ACTIONS.index(link.action), link.expires_at)
    return urlsafe_b64encode(facts + _sign(facts, key)).decode()


def read(text: str, key: bytes, now: float) -> Link:
    """The link that *text* stands for; LinkRefused when it was not made with *key* or has expired."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
        facts, signature = raw[: _FACTS.size], raw[_FACTS.size :]
        page, action, expires_at = _FACTS.unpack(facts)
    except (ValueError, NotPacked) as error:
        raise LinkRefused("no link of ours") from error
    if not hmac.compare_digest(signature, _sign(facts, key)):
        raise LinkRefused("no link of ours")
    if now > expires_at:
        raise LinkRefused("too old")
    return Link(page, ACTIONS[action], expires_at)


def mark(text: str) -> str:
    """What is written down of a link that was used."""
    return sha256(text.encode()).hexdigest()


def _sign(facts: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"parvis on-call link" + facts, sha256).digest()[:_SIGNATURE_BYTES]
