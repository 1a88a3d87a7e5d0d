"""The on-call engine's file: incidents, alerts, timeline, outbox, attempts, links, sheets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _incidents()
    _outbox()
    _others()


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("title", sa.String(400), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("layer", sa.String(40), nullable=False),
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("impact", sa.Text, nullable=False),
        sa.Column("runbook", sa.String(400), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.Column("called_at", sa.Float, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("until", sa.Float),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("ended_at", sa.Float),
        sqlite_autoincrement=True,
    )
    op.create_index("incidents_state", "incidents", ["state"])
    op.create_table(
        "alerts",
        sa.Column("identity", sa.String(700), primary_key=True),
        sa.Column("starts_at", sa.Float, primary_key=True),
        sa.Column("incident", sa.Integer, sa.ForeignKey("incidents.number"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("missing_since", sa.Float),
        sa.Column("ended_at", sa.Float),
    )
    op.create_index("alerts_incident", "alerts", ["incident"])
    op.create_table(
        "timeline",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, sa.ForeignKey("incidents.number"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("who", sa.String(40), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("timeline_incident", "timeline", ["incident"])


def _outbox() -> None:
    op.create_table(
        "pages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("digest", sa.Integer),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("done_at", sa.Float),
        sa.Column("only", sa.String(40), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("pages_incident", "pages", ["incident"])
    op.create_index("pages_state", "pages", ["state"])
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("page", sa.Integer, sa.ForeignKey("pages.id"), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("result", sa.String(20), nullable=False),
        sa.Column("proves", sa.Boolean, nullable=False),
        sa.Column("reference", sa.String(200), nullable=False),
        sa.Column("detail", sa.String(300), nullable=False),
    )
    op.create_index("attempts_page", "attempts", ["page"])


def _others() -> None:
    op.create_table(
        "used_links",
        sa.Column("mark", sa.String(64), primary_key=True),
        sa.Column("used_at", sa.Float, nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "sheets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("on_site", sa.Boolean, nullable=False),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float, nullable=False),
        sa.Column("travel_minutes", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
