"""Who can be called, by which ways, and when: people, channels, the rota with its levels, swaps and absences."""

from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from parvis.inventory.wording import Part
from parvis.values import Duration

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""A short stable name (RFC 1123 label, 40 characters): it becomes a label, a host name, a file name."""


Status = Literal["titulaire", "stagiaire", "contractuel"]
"""Of a public agent: with tenure, on probation, by contract of public law."""


class Person(Part):
    """Somebody who can be on call. *channels*: the ways to reach them, best first; without it all, in their order.

    *status* and *job*: what the council's deliberation on astreintes goes by; *housed*: lodged by absolute necessity of
    service, and therefore without astreinte.
    """

    name: Name
    title: str = Field(min_length=1, max_length=80)
    phone: str = Field(pattern=r"^\+[0-9 ]{8,20}$")
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    channels: tuple[Name, ...] = ()
    status: Status | None = None
    job: str = Field("", max_length=80)
    housed: bool = False


class FileChannel(Part):
    """Writes each message as a line of pages.jsonl in the monitor's state folder: a demo, or a last resort."""

    name: Name
    kind: Literal["file"]


class MailChannel(Part):
    """E-mail (SMTP, RFC 5321). *user* logs in with the secret called *secret*."""

    name: Name
    kind: Literal["smtp"]
    host: str = Field(min_length=1, max_length=200)
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    user: str = ""
    secret: Name | None = None


class OvhChannel(Part):
    """SMS by OVH's signed API. *secret* holds application key, application secret and consumer key, one a line.

    Without *sender* OVH's short number is used: it can be answered ("OK 12"), but its texts may hold no link.
    """

    name: Name
    kind: Literal["ovh"]
    service: str = Field(pattern=r"^sms-[a-z0-9]+-[0-9]+$")
    sender: str | None = Field(None, pattern=r"^[A-Za-z0-9 ]{3,11}$")
    secret: Name
    api: str = Field("https://eu.api.ovh.com/1.0", pattern=r"^https?://[^\s]+[^/\s]$")


class ModemChannel(Part):
    """SMS by a modem of our own, through gammu-smsd's folders (its ``files`` service): *spool* holds them."""

    name: Name
    kind: Literal["gsm"]
    spool: str = Field("/var/spool/gammu", pattern=r"^/\S+$")


class AppriseChannel(Part):
    """Any service apprise knows (ntfy, Matrix, Mattermost, Free Mobile, SMS gateways), by its URL.

    In *url* ``{secret}``, ``{phone}``, ``{email}``, ``{person}`` and ``{link}`` (where the call is taken, for services
    that show a button) are filled in; in *secret* ``{person}`` is.
    """

    name: Name
    kind: Literal["apprise"]
    url: str = Field(pattern=r"^[a-z0-9]+://\S+$", max_length=300)
    secret: str | None = Field(None, pattern=r"^[a-z0-9{}-]+$")


class VoiceChannel(Part):
    """A telephone call by SIP (RFC 3261), spoken, answered by a key: baresip and espeak-ng must be installed.

    *account*: the town's own line, with its operator; *secret* holds its password. *prefix*: what stands for the + of
    an international number; *registers*: whether the operator wants the line registered before it calls.
    """

    name: Name
    kind: Literal["sip"]
    account: str = Field(pattern=r"^sip:[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+(:[0-9]{1,5})?$", max_length=200)
    transport: Literal["tls", "tcp", "udp"] = "tls"
    secret: Name | None = None
    prefix: Literal["+", "00"] = "+"
    registers: bool = False


Channel = Annotated[
    FileChannel | MailChannel | OvhChannel | ModemChannel | AppriseChannel | VoiceChannel, Field(discriminator="kind")
]


class Period(Part):
    """From *starts* until just before *ends* (local time, unless they carry an offset)."""

    starts: datetime
    ends: datetime

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.ends.replace(tzinfo=None) <= self.starts.replace(tzinfo=None):
            raise ValueError("ends before it starts; write starts first, ends later")
        return self


class Swap(Period):
    """*person* is on duty at *level* instead of whose turn it is; *told*: the day on which they were."""

    person: Name
    level: Annotated[int, Field(ge=1, le=5)] = 1
    told: date | None = None


class Absence(Period):
    """*person* cannot be on duty."""

    person: Name


class Level(Part):
    """Whom to call *after* so long without an answer; turns as the rota's unless it has its own."""

    after: Annotated[Duration, Field(ge=60)]
    order: tuple[Name, ...] = Field(min_length=1)
    starts: datetime | None = None
    turn: Annotated[Duration, Field(ge=3600)] | None = None


class Rota(Part):
    """Who is on call: *order* takes turns of *turn* seconds of local time from *starts* (local time).

    *repeat*: seconds until the same person is called a second time; *levels*: who is next; *again*: seconds until it
    all begins anew. *acknowledged_for*: so long nobody is called for what somebody has taken; if it still lasts then,
    calling begins anew. *statuses* and *jobs*: whom the council's deliberation lets be on call; no *jobs*: any.
    """

    starts: datetime
    turn: Annotated[Duration, Field(ge=3600)]
    order: tuple[Name, ...] = Field(min_length=1)
    repeat: Annotated[Duration, Field(ge=60)] = 300.0
    levels: tuple[Level, ...] = Field((), max_length=4)
    again: Annotated[Duration, Field(ge=300)] = 1800.0
    acknowledged_for: Annotated[Duration, Field(ge=900, le=86400)] = 14400.0
    swaps: tuple[Swap, ...] = ()
    absences: tuple[Absence, ...] = ()
    statuses: tuple[Status, ...] = ("titulaire", "stagiaire", "contractuel")
    jobs: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] = ()

    @model_validator(mode="after")
    def _each_level_later(self) -> Self:
        waits = [0.0, *(level.after for level in self.levels)]
        if any(later <= before for before, later in pairwise(waits)):
            raise ValueError("levels must each come later than the one before; raise after")
        if max(waits[-1], self.repeat) >= self.again:
            raise ValueError("again comes before the last level was called; raise again")
        return self
