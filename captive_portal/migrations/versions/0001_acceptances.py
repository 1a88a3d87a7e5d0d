"""Acceptances: one row an acceptance, its id is the session number."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "acceptances",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mac", sa.String(17)),
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("accepted_at", sa.Float, nullable=False),
        sa.Column("terms_version", sa.String(20), nullable=False),
        sa.Column("terms_sha256", sa.String(64), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("token", sa.String(64), nullable=False, unique=True),
        sa.Column("boot", sa.String(36), nullable=False),
        sa.Column("deadline", sa.Float, nullable=False),
        sa.Column("ends_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("ended_by", sa.String(10)),
        sqlite_autoincrement=True,
    )
    live = sa.text("ended_at IS NULL")
    op.create_index(
        "one_live_session_a_device", "acceptances", ["mac"], unique=True, sqlite_where=live, postgresql_where=live
    )
