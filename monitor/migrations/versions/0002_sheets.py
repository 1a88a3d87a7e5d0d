"""A sheet says when its agent was called, how long the way back was, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("sheets", sa.Column("called_at", sa.Float))
    op.add_column("sheets", sa.Column("back_minutes", sa.Integer))
    op.add_column("sheets", sa.Column("result", sa.Text, nullable=False, server_default=""))
