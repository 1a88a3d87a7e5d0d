"""The accessibility audit (RGAA 4.1.2): what the declaration may say of it. Without a valid one: not compliant."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

Verdict = Literal["C", "NC", "NA"]
Conformity = Literal["full", "partial", "none"]
VALID_YEARS = 3
CRITERIA = 106
PARTIAL = 0.5


class BadAudit(ValueError):
    """audit.json does not say what a declaration needs; says what is missing."""


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit by people. *criteria*: ``3.2`` -> C (validated), NC (not), NA (not applicable)."""

    date: str
    auditor: str
    sample: tuple[str, ...]
    environment: tuple[str, ...]
    criteria: dict[str, Verdict]
    failures: tuple[str, ...] = ()
    pages_changed: bool = False

    @property
    def validated(self) -> int:
        """Criteria met."""
        return sum(verdict == "C" for verdict in self.criteria.values())

    @property
    def applicable(self) -> int:
        """Criteria that apply."""
        return sum(verdict != "NA" for verdict in self.criteria.values())

    @property
    def rate(self) -> float:
        """Validated among applicable, 0 to 1."""
        return self.validated / self.applicable if self.applicable else 0.0

    def handed(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def parse(text: str) -> Audit:
    """The audit in *text*; BadAudit says what is wrong.

    >>> parse('{"date": "2026-02-30"}')
    Traceback (most recent call last):
    captive_portal.accessibility.BadAudit: auditor, sample, environment, criteria: missing
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadAudit(f"is not JSON: {error}") from error
    names = ("date", "auditor", "sample", "environment", "criteria")
    missing = [name for name in names if not (isinstance(data, dict) and data.get(name))]
    if missing:
        raise BadAudit(f"{', '.join(missing)}: missing")
    try:
        date.fromisoformat(data["date"])
        audit = Audit(**data)
    except (TypeError, ValueError) as error:
        raise BadAudit(f"cannot be read: {error}") from error
    if set(audit.criteria.values()) - {"C", "NC", "NA"} or len(audit.criteria) != CRITERIA:
        raise BadAudit(f"criteria: {len(audit.criteria)} of {CRITERIA}, each C, NC or NA")
    return audit


def outdated(audit: Audit, today: date) -> str:
    """Why the declaration no longer holds, empty while it does."""
    done = date.fromisoformat(audit.date)
    if audit.pages_changed:
        return "the pages have changed since in substance"
    if (today.year - done.year, today.month, today.day) >= (VALID_YEARS, done.month, done.day):
        return f"the audit is {VALID_YEARS} years old"
    return ""


def conformity(audit: Audit | None, today: date) -> Conformity:
    """What the first page says: full at 100 %, partial from 50 %, else none; none without a valid audit."""
    if audit is None or outdated(audit, today) or audit.rate < PARTIAL:
        return "none"
    return "full" if audit.validated == audit.applicable else "partial"
