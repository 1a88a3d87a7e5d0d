"""Fetch what the gateways have sealed: only what is new, checked as it comes, durable before it counts as here."""

import http.client
import json
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from captive_portal.legal import segment
from captive_portal.legal.day_keys import read as read_key
from captive_portal.legal.erasing import key_day
from captive_portal.legal.retention import Day, last_day
from captive_portal.legal.segment import Broken, Name
from parvis.durable import write_whole

SECONDS = 10.0
MODE = 0o600
LARGEST_KEY = 10_000


class GatewaySilent(Exception):
    """The gateway does not answer, not with our certificate, or not rightly: look at its recorder and its fibre."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway's counter."""

    site: str
    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Collector:
    """Fetches into *folder* and *keys*."""

    folder: Path
    keys: Path
    token: str
    context: ssl.SSLContext

    def fetch(self, gateway: Gateway, today: date) -> int:
        """Everything new of *gateway* that is not over *today*; how many octets. GatewaySilent; what came stays."""
        channel = http.client.HTTPSConnection(gateway.address, gateway.port, timeout=SECONDS, context=self.context)
        try:
            listed = json.loads(self._get(channel, "/"))
            if not isinstance(listed, dict):
                raise GatewaySilent(f"{gateway.site}: its list is none")
            names = sorted(str(name) for name in listed)
            count, faults = 0, list[str]()
            for name in [one for one in names if one.endswith(".key")] + [n for n in names if n.endswith(".sealed")]:
                try:
                    count += self._one(channel, gateway, name, int(listed[name]), today)
                except (Broken, ValueError, TypeError) as error:  # one that is spoiled keeps no other from us
                    faults.append(f"{name}: {error}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise GatewaySilent(f"{gateway.site}: {error}") from error
        finally:
            channel.close()
        if faults:
            more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
            raise GatewaySilent(f"{gateway.site}: {faults[0]}{more}")
        return count

    def _one(self, channel: http.client.HTTPSConnection, gateway: Gateway, name: str, size: int, today: date) -> int:
        is_key = name.endswith(".key")
        day = key_day(name) if is_key else _day(Name.read(name))
        if day.gateway != gateway.name or last_day(day.store, day.day) < today:
            return 0
        return self._key(channel, name) if is_key else self._sealed(channel, name, size)

    def _key(self, channel: http.client.HTTPSConnection, name: str) -> int:
        path = self.keys / name
        if path.exists():
            return 0
        data = self._get(channel, f"/{name}")[:LARGEST_KEY]
        read_key(data.decode("ascii"))
        write_whole(path, data)
        return len(data)

    def _sealed(self, channel: http.client.HTTPSConnection, name: str, size: int) -> int:
        """What a file has grown by, whole frames only, appended."""
        path, count = self.folder / name, 0
        have = path.stat().st_size if path.exists() else 0
        while have < size:
            part = self._get(channel, f"/{name}?from={have}")
            whole = segment.whole(part)
            if not whole:
                break  # the gateway is writing this very frame
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, MODE)
            try:
                if os.write(handle, part[:whole]) != whole:
                    with suppress(OSError):
                        os.ftruncate(handle, have)
                    raise OSError(28, "the disk is full")
                os.fsync(handle)
            finally:
                os.close(handle)
            have, count = have + whole, count + whole
        return count

    def _get(self, channel: http.client.HTTPSConnection, path: str) -> bytes:
        channel.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        answer = channel.getresponse()
        data = answer.read()
        if answer.status != http.client.OK:
            raise ValueError(f"{answer.status} {data[:100].decode('ascii', 'replace')}")
        return data


def _day(name: Name) -> Day:
    return Day(name.store, name.gateway, name.day)
