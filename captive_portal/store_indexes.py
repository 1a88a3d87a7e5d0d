"""Indexes that only some rows are in. Where tables are made and compared: they load both dialects, 2 MB a portal."""

from sqlalchemy import Index, text

from captive_portal.store import acceptances

LIVE = text("ended_at IS NULL")
Index("one_live_session_a_device", acceptances.c.mac, unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
