"""What an operator has sold with a fibre: the line as the operator knows it, and what was promised (SLA).

GTI: time to begin, GTR: time to restore (garantie de temps de rétablissement), IMS: interruption maximale de service.
"""

from datetime import date, time
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from parvis.inventory.wording import Part
from parvis.values import Duration, duration_seconds

Weekday = Literal["mo", "tu", "we", "th", "fr", "sa", "su"]
WEEKDAYS: tuple[Weekday, ...] = ("mo", "tu", "we", "th", "fr", "sa", "su")
Reference = Annotated[str, Field(min_length=1, max_length=80)]
Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _quoted(given: object) -> object:
    """YAML 1.1 reads 18:00 without quotes as the number 1080."""
    if isinstance(given, int | float):
        raise ValueError('write the hour in quotes: "18:00"')  # noqa: TRY004 pydantic reads ValueError
    return given


Hour = Annotated[time, BeforeValidator(_quoted)]
Exclusion = Literal["planned", "power", "lan", "town", "micro", "third-party", "force-majeure"]
"""Why an outage does not count: works that were announced, power at the site, the town's own network at the site or
at the centre, shorter than a minute, a third party's doing, force majeure."""
ALWAYS_OURS: tuple[Exclusion, ...] = ("power", "lan", "town")
"""What is never the operator's, whatever a contract says."""


class WorkingHours(Part):
    """Heures ouvrées (HO) of a contract, in the town's local time; *holidays*: which law says what a holiday is."""

    days: tuple[Weekday, ...] = ("mo", "tu", "we", "th", "fr", "sa")
    begins: Hour = time(8)
    ends: Hour = time(18)
    holidays: Literal["fr", "alsace-moselle", "none"] = "fr"

    @model_validator(mode="after")
    def _has_hours(self) -> Self:
        if not self.days or len(set(self.days)) != len(self.days):
            raise ValueError("days names each day once, and at least one; write [mo, tu, we, th, fr]")
        if self.ends <= self.begins:
            raise ValueError("ends before it begins; write begins: 08:00, ends: 18:00")
        return self


class Penalty(Part):
    """What is owed: *percent* of the monthly fee once *above* is passed; of one measure the highest step reached.

    *measure*: ``gtr`` (seconds an interruption was over its GTR, each one apart), ``ims`` (seconds of the year's
    interruptions over the IMS) or ``availability`` (how far below its target: 0.001 is a tenth of a percent).
    """

    measure: Literal["gtr", "ims", "availability"]
    above: Annotated[float, Field(ge=0)] = 0.0
    percent: Annotated[Decimal, Field(gt=0, le=100)]

    @field_validator("above", mode="before")
    @classmethod
    def _duration_or_ratio(cls, given: object) -> object:
        """A duration for gtr and ims (``1h``), a ratio for availability."""
        return duration_seconds(given) if isinstance(given, str) else given


class Sla(Part):
    """What was promised. Durations in seconds, ratios from 0 to 1; what is absent was not promised.

    *gtr_hours*: in which hours the GTR runs, at any hour without it. *measured_from*: what starts the GTR.
    *planned_notice_days*: works announced later than that count. *partial_loss*: the loss from which a link that
    answers is a partial outage, *partial_rate*: the part of its capacity below which it is one when more is wanted;
    they count if *partial_counts*.
    """

    gti: Annotated[Duration, Field(gt=0)] | None = None
    gtr: Annotated[Duration, Field(gt=0)] | None = None
    gtr_hours: WorkingHours | None = None
    availability: Ratio | None = None
    availability_period: Literal["month", "year"] = "year"
    ims_year: Annotated[Duration, Field(gt=0)] | None = None
    measured_from: Literal["detection", "ticket"] = "ticket"
    planned_notice_days: Annotated[int, Field(ge=0, le=90)] = 5
    partial_loss: Annotated[float, Field(gt=0, lt=1)] = 0.05
    partial_rate: Annotated[float, Field(gt=0, lt=1)] = 0.5
    partial_counts: bool = False
    exclusions: tuple[Exclusion, ...] = ("planned", "third-party", "force-majeure")
    penalties: Annotated[tuple[Penalty, ...], Field(max_length=30)] = ()
    penalty_cap_percent: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(100)
    """Of the monthly fee, all penalties of a month together."""

    @model_validator(mode="after")
    def _penalties_measure_what_was_promised(self) -> Self:
        promised = {"gtr": self.gtr, "ims": self.ims_year, "availability": self.availability}
        for penalty in self.penalties:
            if promised[penalty.measure] is None:
                raise ValueError(f"a penalty measures {penalty.measure}, which is not promised; add it to sla")
        for measure in promised:
            steps = [penalty for penalty in self.penalties if penalty.measure == measure]
            if any(later.above <= before.above for before, later in pairwise(steps)):
                raise ValueError(f"the steps of {measure} must rise; write the lowest above first")
        return self

    def excludes(self, cause: str) -> bool:
        """Whether an outage of this *cause* does not count."""
        return cause in self.exclusions or cause in ALWAYS_OURS


class Line(Part):
    """The operator's line behind an uplink, as the operator knows it: what a fault report must say.

    *infrastructure_operator*: whose fibre it is (OI); *pto*, *pm*: the optical outlet and the concentration point;
    *site_contact*: a function at the site, never a person's name; *access_hours*: when their technician gets in.
    """

    kind: Literal["FTTO", "FTTE", "FTTH", "dark-fibre", "mobile"]
    infrastructure_operator: Reference | None = None
    pto: Annotated[str, Field(pattern=r"^[A-Z0-9]{2}-[A-Z0-9]{4}-[A-Z0-9]{4}(-[A-Z0-9]{2})?$")] | None = None
    pm: Reference | None = None
    ont_serial: Reference | None = None
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    hotline_reference: Reference | None = None
    escalation: Annotated[tuple[Reference, ...], Field(max_length=5)] = ()
    site_contact: Reference | None = None
    access_hours: Reference | None = None
    since: date | None = None
    monthly_fee: Annotated[Decimal, Field(ge=0, decimal_places=2)] | None = None
    """Euros, without VAT: what penalties are reckoned from."""
    sla: Sla | None = None
