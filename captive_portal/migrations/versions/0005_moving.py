"""Moving: which devices are sending through which gateway now, so that one address at two sites is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table, and say of each gateway when it last looked."""
    op.create_table(
        "moving",
        sa.Column("device", sa.String(64), primary_key=True),
        sa.Column("gateway", sa.String(40), primary_key=True),
        sa.Column("since", sa.Float, nullable=False),
    )
    op.add_column("gateways", sa.Column("looked_at", sa.Float))
