"""Remembered acceptances: which device may come back without a tap. Device keys, never addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
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
