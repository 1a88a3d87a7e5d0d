"""How the collectors run."""

from typing import Annotated

from pydantic import Field

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
