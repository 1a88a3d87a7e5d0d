"""The history's file: series with their roll-ups, spells, outages."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _rollups()
    _outages()


def _rollups() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("seen_at", sa.Float, nullable=False),
    )
    op.create_table(
        "slots",
        sa.Column("tier", sa.Integer, primary_key=True),
        sa.Column("at", sa.Integer, primary_key=True),
        sa.Column("ids", sa.LargeBinary, nullable=False),
        sa.Column("blocks", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "packs",
        sa.Column("tier", sa.Integer, primary_key=True),
        sa.Column("series", sa.Integer, primary_key=True),
        sa.Column("at", sa.Integer, primary_key=True),
        sa.Column("blocks", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("packs_at", "packs", ["tier", "at"])


def _outages() -> None:
    op.create_table(
        "spells",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("starts_at", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
    )
    op.create_index("spells_subject", "spells", ["subject", "seen_at"])
    op.create_table(
        "outages",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("uplink", sa.String(40), nullable=False),
        sa.Column("detected_at", sa.Float, nullable=False),
        sa.Column("confirmed_at", sa.Float, nullable=False),
        sa.Column("signalled_at", sa.Float),
        sa.Column("restored_at", sa.Float),
        sa.Column("verified_at", sa.Float),
        sa.Column("ticket", sa.String(80), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("partial", sa.Boolean, nullable=False),
        sa.Column("announced_at", sa.Float),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("outages_uplink", "outages", ["uplink", "detected_at"])
    op.create_table(
        "freezes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("outage", sa.Integer, sa.ForeignKey("outages.number"), nullable=False),
        sa.Column("starts_at", sa.Float, nullable=False),
        sa.Column("ends_at", sa.Float, nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
    )
    op.create_index("freezes_outage", "freezes", ["outage"])
