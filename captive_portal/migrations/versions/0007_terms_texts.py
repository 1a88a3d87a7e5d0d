"""Terms: the texts that were shown, by digest, as long as a proof of acceptance names them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "terms_texts",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
    )
