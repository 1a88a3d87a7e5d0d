"""The texts of the terms as they were shown, by digest: what a proof of acceptance names can be read again.

A version's text has facts in it that a town changes without another version: a telephone number, rates, a site's name.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Float, String, Table, Text, delete, insert, select, union

from captive_portal.store import PROOF_SECONDS, Store, StoreFailed, acceptances, metadata
from captive_portal.store_remembered import remembered
from parvis.running import log

terms_texts = Table(
    "terms_texts",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("version", String(20), nullable=False),
    Column("language", String(2), nullable=False),
    Column("html", Text, nullable=False),
    Column("since", Float, nullable=False),
)
"""``since``: when it was first shown, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One text: of which *version*, in which *language*."""

    version: str
    language: str
    html: str

    @property
    def sha256(self) -> str:
        """Its digest, by which it is known."""
        return hashlib.sha256(self.html.encode()).hexdigest()


def keep(store: Store, texts: Iterable[Shown], wall: float) -> None:
    """Write down those of *texts* that are new. A disk that is full keeps nobody from starting: they wait."""
    wanted = {text.sha256: text for text in texts}
    try:
        with store.connection() as connection:
            there = connection.execute(select(terms_texts.c.sha256).where(terms_texts.c.sha256.in_(wanted))).scalars()
            for digest in wanted.keys() - set(there):
                one = wanted[digest]
                values = {"version": one.version, "language": one.language, "html": one.html, "since": wall}
                connection.execute(insert(terms_texts).values(sha256=digest, **values))
    except StoreFailed as error:
        log.error("the terms that are shown cannot be written down; the next start tries again", words=str(error))


def read(store: Store, digest: str) -> Shown | None:
    """The text whose digest is *digest*; None when there is none, or it is not what it was. StoreFailed."""
    wanted = select(terms_texts.c.version, terms_texts.c.language, terms_texts.c.html)
    with store.connection() as connection:
        row = connection.execute(wanted.where(terms_texts.c.sha256 == digest)).first()
    found = Shown(row.version, row.language, row.html) if row else None
    return found if found and found.sha256 == digest else None


def erase(connection: Connection, wall: float) -> int:
    """Delete the texts, a year old at *wall* (Unix seconds), that no acceptance names any more; returns how many."""
    named = union(select(acceptances.c.terms_sha256), select(remembered.c.terms_sha256))
    over = terms_texts.c.since < wall - PROOF_SECONDS
    return connection.execute(delete(terms_texts).where(over, terms_texts.c.sha256.not_in(named))).rowcount
