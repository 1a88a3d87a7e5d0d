"""What is erased of the on-call engine's file, and when."""

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from monitor.store_tables import alerts, attempts, facts, incidents, pages, sheets, timeline, used_links
from parvis.kept import kept_seconds

KEEP_SECONDS = kept_seconds("on-call")
"""Then who was called and who intervened is erased here."""
LIFTED = "rest-lifted/"
"""Facts that hold why somebody is on duty without their weekly rest: ``rest-lifted/AGENT/FRIDAY``."""


def forget(db: Connection, now: float) -> None:
    """Erase what is older than thirteen months, of incidents that are over."""
    before = now - KEEP_SECONDS
    old = select(incidents.c.number).where(incidents.c.ended_at < before)
    messages = select(pages.c.id).where(pages.c.made_at < before)
    db.execute(delete(attempts).where(attempts.c.page.in_(messages)))
    db.execute(delete(pages).where(pages.c.made_at < before))
    db.execute(delete(sheets).where(sheets.c.ended_at < before))
    last = f"{datetime.fromtimestamp(before, UTC):%Y-%m-%d}"
    lifted = db.execute(select(facts.c.name).where(facts.c.name.startswith(LIFTED, autoescape=True))).scalars()
    ripe = [name for name in lifted if name.rpartition("/")[2] < last]
    db.execute(delete(facts).where(facts.c.name.in_(ripe)))
    db.execute(delete(used_links).where(used_links.c.used_at < before))
    for table in (timeline, alerts):
        db.execute(delete(table).where(table.c.incident.in_(old)))
    db.execute(delete(incidents).where(incidents.c.ended_at < before))
