"""What a backup must not hold of the portal's database: the hardware addresses of living sessions (PRI-02)."""

_STRIKE = (
    "UPDATE acceptances SET mac = NULL, ended_at = coalesce(ended_at, CAST(strftime('%s', 'now') AS REAL)), "
    "ended_by = coalesce(ended_by, 'closed') WHERE mac IS NOT NULL OR ended_at IS NULL"
)
FORGET = {"portal.sqlite3": (_STRIKE,)}
"""Database file -> SQL that is run on its copy. Restored, nobody is online; who is remembered is admitted again."""
