"""Ask the collectors what they know of each device: ``GET /devices.json``, checked before use."""

import http.client
import json
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from monitor.observations import Sample
from monitor.within import exchanged

MAX_BYTES = 8_000_000
"""Ten thousand devices; anything longer is no answer of ours."""
WHERE_TRIES, WHERE_SECONDS = 3, 1.0
"""How often, and how long after, the collectors are asked again while they ask switches."""


class CollectorsSilent(Exception):
    """The collectors do not answer, or not with a list of devices; what they knew is unknown until they do."""


class Device(BaseModel):
    """One line of /devices.json; keys the monitor has no use for are let be."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    device: str = Field(min_length=1, max_length=100)
    up: bool | None
    reason: str | None = Field(None, max_length=500)
    age_seconds: float | None = Field(None, ge=0, allow_inf_nan=False)
    clients: int | None = Field(None, ge=0, le=1_000_000)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the collectors last answered, at *at* (Unix time); *wrong* says why they answer no more, else empty."""

    at: float
    samples: tuple[Sample, ...] = ()
    wrong: str = ""

    @property
    def newest(self) -> float | None:
        """Unix time of the newest answer of any device; None when there is none."""
        return max((s.succeeded_at for s in self.samples if s.succeeded_at is not None), default=None)


_DEVICES = TypeAdapter(list[Device])


def fetch(base_url: str, timeout: float, path: str = "/devices.json", most: int = MAX_BYTES) -> bytes:
    """The body of ``GET base_url/path``; CollectorsSilent says why there is none.

    *timeout* in seconds, of the whole exchange; *most* bytes.
    """
    try:
        status, body = exchanged(base_url + path, timeout, most=most + 1)
    except (OSError, http.client.HTTPException) as error:
        raise CollectorsSilent(f"{base_url}: {error or type(error).__name__}") from error
    if status != http.client.OK:
        raise CollectorsSilent(f"{base_url}{path} answered {status}")
    if len(body) > most:
        raise CollectorsSilent(f"{base_url}{path} is longer than {most} bytes")
    return body


def where(base_url: str, timeout: float, site: str, mac: str) -> list[tuple[str, str]]:
    """Switch and port behind which *mac* was learned; empty when nobody says so within a few seconds."""
    path = f"/where?{urlencode({'site': site, 'mac': mac})}"
    for _ in range(WHERE_TRIES):
        try:
            found = json.loads(fetch(base_url, timeout, path))
        except (CollectorsSilent, ValueError):
            return []
        if found is not None:
            return [(str(one["device"]), str(one["port"])) for one in found]
        time.sleep(WHERE_SECONDS)
    return []


def samples(body: bytes, at: float) -> tuple[Sample, ...]:
    """The samples in *body*, fetched at *at* (Unix time); CollectorsSilent when it is no list of devices."""
    try:
        return tuple(_sample(device, at) for device in _DEVICES.validate_json(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CollectorsSilent(f"devices.json: {where or 'body'}: {first['msg']}") from error


def believable(heard: Heard, now: float, max_age: float) -> list[Sample]:
    """The samples that still hold at *now*: successes younger than *max_age* seconds, and failures just reported."""
    return [sample for sample in heard.samples if _holds(sample, heard, now, max_age)]


def _holds(sample: Sample, heard: Heard, now: float, max_age: float) -> bool:
    if sample.up:
        return sample.succeeded_at is not None and now - sample.succeeded_at <= max_age
    return not heard.wrong and now - heard.at <= max_age


def _sample(device: Device, at: float) -> Sample:
    succeeded_at = None if device.age_seconds is None else at - device.age_seconds
    return Sample(device.device, device.up, device.reason or "", succeeded_at, device.clients)
