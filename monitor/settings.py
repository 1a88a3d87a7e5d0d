"""How the monitor runs."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from monitor.findings import Policy
from parvis.processes import ALERTMANAGER_PORT, COLLECTORS
from parvis.settings import ProcessSettings
from parvis.values import Duration


class MonitorSettings(ProcessSettings):
    """The monitor's settings; durations in seconds or as ``5s``, ``2min``."""

    collectors_url: str = Field(f"http://127.0.0.1:{COLLECTORS.port}", pattern=r"^http://[^/@\s]+$")
    """Where the collectors answer ``GET /devices.json``."""
    collectors_timeout: Annotated[Duration, Field(ge=0.1, le=60)] = 3.0
    scrape_interval: Annotated[Duration, Field(ge=1, le=600)] = 20.0
    """Between two readings of the collectors' metrics, for the pages, the history and the monitor's own checks."""
    gateway_interval: Annotated[Duration, Field(ge=1, le=600)] = 15.0
    """Between two readings of each portal's and gatewayd's metrics, which tell that residents do not get in."""
    probe_interval: Annotated[Duration, Field(ge=0.2, le=300)] = 5.0
    """Between two rounds of echoes; a state changes after fail_after or recover_after rounds."""
    probe_timeout: Annotated[Duration, Field(ge=0.05, le=30)] = 2.0
    probe_window: Annotated[int, Field(ge=2, le=1000)] = 20
    """Echoes over which loss and round-trip time are reckoned."""
    fail_after: Annotated[int, Field(ge=1, le=100)] = 3
    recover_after: Annotated[int, Field(ge=1, le=100)] = 3
    data_max_age: Annotated[Duration, Field(ge=1, le=3600)] = 180.0
    """A figure older than this is late: the wall says so in red, and it counts no more."""
    beat_max_age: Annotated[Duration, Field(ge=1, le=3600)] = 150.0
    """A "resolved" is believed only when Prometheus's last beat is younger: 2.5 times its resend delay."""
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    """Who may post alerts: Alertmanager runs beside the monitor."""

    alertmanager_url: str = Field(f"http://127.0.0.1:{ALERTMANAGER_PORT}", pattern=r"^(http://[^/@\s]+)?$")
    """Alertmanager's API, asked for what its webhook may have lost; empty: there is none."""
    alertmanager_poll: Annotated[Duration, Field(ge=0.5, le=600)] = 30.0
    alert_pace: Annotated[float, Field(ge=0.01, le=1)] = 1.0
    """What the waits of the monitor's own checks are multiplied by, as those of the rules: 1 but in a demo."""
    public_url: str = Field("", pattern=r"^(https?://[^\s/]+(/[^\s]*)?)?$")
    """Where the phones of who is on call reach these pages; empty: messages hold no link."""
    message_budget: Annotated[int, Field(ge=1, le=100)] = 5
    """Messages one person gets within message_window; what is more becomes one digest."""
    message_window: Annotated[Duration, Field(ge=1, le=86400)] = 900.0
    heartbeat_url: str = Field("", pattern=r"^(https?://[^\s]+)?$")
    """A dead man's switch outside the town, told every minute that the engine works; empty: none."""

    status_folder: Path | None = None
    """Where the public status page is written every minute; none: it is not."""
    status_push: str = Field("", pattern=r"^((rsync|sftp|https?|webdavs?)://[^\s]+)?$")
    """Where it is sent then, outside the town's own link: ``rsync://user@host/path``, ``sftp://``, ``webdavs://``,
    ``https://`` (one PUT a file). The secret ``status-push`` is the SSH key, or ``user:password``, or a token."""
    status_url: str = Field("", pattern=r"^(https?://[^\s]+)?$")
    """Where the public reads it: it stands in the feeds."""

    @model_validator(mode="after")
    def _a_round_fits_its_interval(self) -> "MonitorSettings":
        if self.probe_timeout >= self.probe_interval:
            raise ValueError("probe_timeout must be shorter than probe_interval")
        return self

    @property
    def policy(self) -> Policy:
        """How patient ``findings.judge`` is."""
        return Policy(self.fail_after, self.recover_after)
