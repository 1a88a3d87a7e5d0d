"""The tables of the history's file (SQLAlchemy Core). Times are Unix seconds; nothing here is about a person."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("seen_at", Float, nullable=False),
)

slots = Table(
    "slots",
    metadata,
    Column("tier", Integer, primary_key=True),
    Column("at", Integer, primary_key=True),
    Column("ids", LargeBinary, nullable=False),
    Column("blocks", LargeBinary, nullable=False),
)
"""One row a slot while its pack is not over: the ids of its series, ascending, and a block for each."""

packs = Table(
    "packs",
    metadata,
    Column("tier", Integer, primary_key=True),
    Column("series", Integer, primary_key=True),
    Column("at", Integer, primary_key=True),
    Column("blocks", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""One row a series and pack: its blocks in the order of the slots."""
Index("packs_at", packs.c.tier, packs.c.at)

spells = Table(
    "spells",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
)
"""How an uplink or a site was, from when until when it was last seen so; in between two spells nobody measured."""
Index("spells_subject", spells.c.subject, spells.c.seen_at)

outages = Table(
    "outages",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("uplink", String(40), nullable=False),
    Column("detected_at", Float, nullable=False),
    Column("confirmed_at", Float, nullable=False),
    Column("signalled_at", Float),
    Column("restored_at", Float),
    Column("verified_at", Float),
    Column("ticket", String(80), nullable=False),
    Column("cause", String(20), nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("announced_at", Float),
    Column("note", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("outages_uplink", outages.c.uplink, outages.c.detected_at)

freezes = Table(
    "freezes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("outage", ForeignKey("outages.number"), nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("why", String(200), nullable=False),
)
Index("freezes_outage", freezes.c.outage)

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", String(40), nullable=False),
    Column("at", Float, nullable=False),
    Column("what", String(20), nullable=False),
)
"""Ready sentences staff have put on the public page, by place."""
Index("notices_site", notices.c.site, notices.c.at)
