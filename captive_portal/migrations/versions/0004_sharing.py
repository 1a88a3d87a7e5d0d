"""Sharing: what a gateway has to tell (outbox), what all know (passes, sessions), how far each has read (gateways)."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables: the outbox is used in a gateway's own file, the others in the shared database."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("device", sa.String(64), nullable=False, unique=True),
        sa.Column("forgotten", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("boot", sa.String(36), nullable=False),
        sa.Column("since_boot", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "passes",
        sa.Column("device", sa.String(64), primary_key=True),
        sa.Column("change", sa.BigInteger, nullable=False, unique=True),
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("forgotten", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("site", sa.String(40)),
        sa.Column("terms_version", sa.String(20)),
        sa.Column("terms_sha256", sa.String(64)),
        sa.Column("language", sa.String(2)),
    )
    op.create_table(
        "gateways",
        sa.Column("gateway", sa.String(40), primary_key=True),
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("gateway", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("accepted_at", sa.Float, nullable=False),
        sa.Column("terms_version", sa.String(20), nullable=False),
        sa.Column("terms_sha256", sa.String(64), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("ended_by", sa.String(10)),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE passes_change")
