"""The tables of the on-call engine's file (SQLAlchemy Core). Times are Unix seconds; people stand here by name only."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

incidents = Table(
    "incidents",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("key", String(200), nullable=False),
    Column("title", String(400), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("layer", String(40), nullable=False),
    Column("site", String(40), nullable=False),
    Column("impact", Text, nullable=False),
    Column("runbook", String(400), nullable=False),
    Column("state", String(20), nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("called_at", Float, nullable=False),
    Column("round", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("until", Float),
    Column("owner", String(40), nullable=False),
    Column("ended_at", Float),
    sqlite_autoincrement=True,
)
Index("incidents_state", incidents.c.state)

alerts = Table(
    "alerts",
    metadata,
    Column("identity", String(700), primary_key=True),
    Column("starts_at", Float, primary_key=True),
    Column("incident", ForeignKey("incidents.number"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("summary", Text, nullable=False),
    Column("source", String(20), nullable=False),
    Column("missing_since", Float),
    Column("ended_at", Float),
)
Index("alerts_incident", alerts.c.incident)

timeline = Table(
    "timeline",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incidents.number"), nullable=False),
    Column("at", Float, nullable=False),
    Column("what", String(20), nullable=False),
    Column("who", String(40), nullable=False),
    Column("text", Text, nullable=False),
)
Index("timeline_incident", timeline.c.incident)

pages = Table(
    "pages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("person", String(40), nullable=False),
    Column("level", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("digest", Integer),
    Column("state", String(20), nullable=False),
    Column("done_at", Float),
    Column("only", String(40), nullable=False),
    sqlite_autoincrement=True,
)
"""The outbox. *state*: waiting, done, failed, cancelled, folded (told by the page *digest*); *only*: one channel."""
Index("pages_state", pages.c.state)
Index("pages_incident", pages.c.incident)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("page", ForeignKey("pages.id"), nullable=False),
    Column("channel", String(40), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("result", String(20), nullable=False),
    Column("proves", Boolean, nullable=False),
    Column("reference", String(200), nullable=False),
    Column("detail", String(300), nullable=False),
)
"""*result*: started, accepted, proved, failed. *proves*: the channel will say whether it arrived."""
Index("attempts_page", attempts.c.page)

used_links = Table(
    "used_links",
    metadata,
    Column("mark", String(64), primary_key=True),
    Column("used_at", Float, nullable=False),
)

facts = Table("facts", metadata, Column("name", String(80), primary_key=True), Column("value", Text, nullable=False))
"""Single values that must survive a restart: the beat, the last self-tests, the last reply read."""

sheets = Table(
    "sheets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", Integer, nullable=False),
    Column("person", String(40), nullable=False),
    Column("on_site", Boolean, nullable=False),
    Column("began_at", Float, nullable=False),
    Column("ended_at", Float, nullable=False),
    Column("travel_minutes", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("called_at", Float),
    Column("back_minutes", Integer),
    Column("result", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""Intervention sheets: working time, travel included (décret 2005-542, art. 2); *back_minutes*: of it, the way back."""
