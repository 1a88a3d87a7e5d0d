"""How the collectors run."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from collectors.foreign import module_names
from parvis.settings import ProcessSettings
from parvis.values import Duration


class CollectorSettings(ProcessSettings):
    """What `parvis collectors` and `parvis poll` need beside what every process needs."""

    poll_interval: Annotated[Duration, Field(ge=1, le=3600)] = 60
    """Seconds between two polls of one device."""
    poll_deadline: Annotated[float, Field(gt=0, le=0.95)] = 0.75
    """The part of the interval after which a poll is broken off."""
    stale_after: Annotated[float, Field(ge=1, le=100)] = 3
    """Intervals after which a device's last samples leave the page."""
    snmp_timeout: Annotated[Duration, Field(ge=0.05, le=60)] = 1.5
    """Seconds to wait for the answer to the first try of a request."""
    snmp_tries: Annotated[int, Field(ge=1, le=10)] = 3
    """How often a request is sent before the device is called silent."""
    trap_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """UDP port on which traps and informs are received, usually 162; 0: none are."""
    trap_listen: str = "0.0.0.0"  # noqa: S104 devices are elsewhere; who may send is checked
    """Address on which traps are received; `::` hears IPv6 and IPv4."""
    trap_rate: Annotated[float, Field(gt=0, le=100)] = 2
    """Traps a second one device may send for long; ten seconds' worth at once."""
    trap_idle: Annotated[Duration, Field(ge=0.1, le=86400)] = 300
    """Seconds without a trap after which their receiver ends and gives its memory back."""
    modules: tuple[str, ...] = ()
    """Modules of snmp_exporter whose metrics are polled and shown on /snmp beside ours (if_mib, ubiquiti_unifi ...)."""
    gzip: bool = True
    """Whether pages are compressed, at level 1, for who asks."""
    influx_url: str | None = Field(default=None, pattern=r"^https?://[^ ]+$")
    """Where InfluxDB or VictoriaMetrics takes lines (https://influx.example:8086); without it none are written."""
    influx_org: str = ""
    """Organisation of InfluxDB."""
    influx_bucket: str = ""
    """Bucket of InfluxDB."""
    influx_token: str = "influx-token"  # noqa: S105 the secret's name
    """The secret that holds the token."""
    influx_spool: Annotated[int, Field(ge=1_000_000)] = 1_000_000_000
    """Bytes of lines kept on disk while InfluxDB is away; beyond, the oldest are dropped and counted."""

    @field_validator("modules")
    @classmethod
    def _knows_the_modules(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = module_names()
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"no module is called {', '.join(unknown)}; there are {', '.join(known)}")
        return names

    @model_validator(mode="after")
    def _knows_the_bucket(self) -> Self:
        if self.influx_url and not (self.influx_org and self.influx_bucket):
            raise ValueError("influx_url needs influx_org and influx_bucket")
        return self
