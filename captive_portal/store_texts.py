"""The texts of the terms in the shared database: who finds a proof of acceptance there finds the text it names, too.

A gateway tells those that its own proofs name, and learns those that its residents accepted at another one.
"""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select, text, union
from sqlalchemy.dialects import postgresql

from captive_portal.store import PROOF_SECONDS, acceptances
from captive_portal.store_passes import passes
from captive_portal.store_remembered import remembered
from captive_portal.store_sessions import Row, sessions
from captive_portal.store_terms import Shown, terms_texts


def of(connection: Connection, digests: Collection[str]) -> list[Row]:
    """The texts with these *digests*, from either database; those that are not what they were are left out."""
    if not digests:
        return []
    found = connection.execute(select(terms_texts).where(terms_texts.c.sha256.in_(digests))).mappings()
    return [dict(row) for row in found if Shown(row["version"], row["language"], row["html"]).sha256 == row["sha256"]]


def tell(there: Connection, rows: list[Row]) -> None:
    """Write *rows*; those that are there already stay as they are."""
    if rows:
        there.execute(postgresql.insert(terms_texts).on_conflict_do_nothing(), rows)


def untold(there: Connection, gateway: str) -> set[str]:
    """The digests that proofs of *gateway* name without their text: told before texts were, or lost by a restore."""
    named = select(sessions.c.terms_sha256).where(sessions.c.gateway == gateway)
    lacking = named.where(sessions.c.terms_sha256.not_in(select(terms_texts.c.sha256))).distinct()
    return set(there.execute(lacking).scalars())


def unknown(here: Connection) -> set[str]:
    """The digests that sessions and remembered acceptances of this file name without their text."""
    live = select(acceptances.c.terms_sha256).where(acceptances.c.ended_at.is_(None))
    named = union(live, select(remembered.c.terms_sha256)).subquery()
    lacking = select(named.c.terms_sha256).where(named.c.terms_sha256.not_in(select(terms_texts.c.sha256)))
    return set(here.execute(lacking).scalars())


def learn(here: Connection, rows: list[Row]) -> tuple[()]:
    """Write *rows*, which :func:`unknown` has asked for."""
    known = set(here.execute(select(terms_texts.c.sha256)).scalars())
    new = [row for row in rows if row["sha256"] not in known]
    if new:
        here.execute(insert(terms_texts), new)
    return ()


def erase(there: Connection) -> int:
    """Delete texts, a year old, that no proof and no remembered acceptance names any more; returns how many."""
    now = text("extract(epoch FROM clock_timestamp())")
    named = union(
        select(sessions.c.terms_sha256), select(passes.c.terms_sha256).where(passes.c.terms_sha256.is_not(None))
    )
    over = terms_texts.c.since + PROOF_SECONDS < now
    return there.execute(delete(terms_texts).where(over, terms_texts.c.sha256.not_in(named))).rowcount
