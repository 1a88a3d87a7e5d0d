"""What the town declares about these pages: accessibility (RGAA) and eco-design (RGESN), with tested figures."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from captive_portal.accessibility import Audit, Conformity, conformity
from captive_portal.typography import spaced
from captive_portal.web.visitor import gettext, hall, language, local
from captive_portal.web.wording import day, percent


@dataclass(frozen=True, slots=True)
class Budget:
    """The most a page may cost: kilobytes transferred, requests, elements; and the way from page to internet."""

    kilobytes: int = 14
    requests: int = 1
    nodes: int = 150
    journey_kilobytes: int = 60
    journey_requests: int = 6


BUDGET = Budget()


def audit() -> Audit | None:
    """The accessibility audit, where there is one."""
    told = hall().facts.audit
    return Audit(**told) if told else None


def state() -> Conformity:
    """What may be declared today."""
    return conformity(audit(), local(hall().clock().wall).date())


def declared() -> str:
    """The mention every page carries (law 2005-102, art. 47)."""
    return {
        "full": gettext("totalement conforme"),
        "partial": gettext("partiellement conforme"),
        "none": gettext("non conforme"),
    }[state()]


def audited() -> dict[str, Any] | None:
    """What the declaration says of the audit; None without a valid one."""
    found = audit()
    if found is None or state() == "none":
        return None
    return {
        "date": day(date.fromisoformat(found.date), language()),
        "auditor": found.auditor,
        "rate": percent(found.rate, language()),
        "validated": found.validated,
        "applicable": found.applicable,
        "failures": [spaced(text) for text in found.failures],
        "sample": [spaced(text) for text in found.sample],
        "environment": [spaced(text) for text in found.environment],
    }
