"""Remembered acceptances (device keys, never addresses), and what a session has used of its quota."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table and the column."""
    used = sa.Column("used_bytes", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("acceptances", used)
    op.create_table(
        "remembered",
        sa.Column("device", sa.String(64), primary_key=True),
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("accepted_at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("terms_version", sa.String(20), nullable=False),
        sa.Column("terms_sha256", sa.String(64), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
    )
