"""Our collectors with a made-up list of devices, for measurements: the poller, the board and the HTTP endpoint.

collecting.py PORT COUNT INTERVAL v2c|v3 FILE python|compiled: polls COUNT devices every INTERVAL seconds, serves their
pages on PORT, and keeps the number of polls so far, of failed ones, and of devices that were polled well three times or
more, in FILE (three unsigned integers of 64 bits).
``python``: as if there were no compiled core.
"""

import mmap
import struct
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import agents

if sys.argv[6:] == ["python"]:
    sys.modules["collectors._core"] = None  # type: ignore[assignment] # importing it fails

from collectors import compatible, foreign
from collectors.board import Board, Standing
from collectors.device import Device, Failed, Outcome
from collectors.poller import Pacing, Poller
from collectors.service import endpoint
from collectors.web import Questions
from parvis import heap
from parvis.inventory import CommunityCredential, Town, UserCredential
from parvis.running import start_logging
from parvis.values import Secret

MODULE = "bench"
IF, IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
LOOKUPS = {"ifAlias": f"{IFX}.18", "ifDescr": f"{IF}.2", "ifName": f"{IFX}.1"}
IF_COUNTERS = {
    "ifInOctets": 10,
    "ifInUcastPkts": 11,
    "ifInDiscards": 13,
    "ifInErrors": 14,
    "ifOutOctets": 16,
    "ifOutUcastPkts": 17,
    "ifOutDiscards": 19,
    "ifOutErrors": 20,
}
IF_GAUGES = {"ifMtu": 4, "ifSpeed": 5, "ifAdminStatus": 7, "ifOperStatus": 8}
IFX_COUNTERS = {"ifHCInOctets": 6, "ifHCInUcastPkts": 7, "ifHCOutOctets": 10, "ifHCOutUcastPkts": 11}
IFX_GAUGES = {"ifHighSpeed": 15}
"""17 columns that become metrics, and three that become labels."""
SETTLED = 3
"""After so many polls a device's plan is learned and its reply size has settled."""
CREDENTIALS = {
    "v2c": CommunityCredential(name="bench", version="v2c", community_secret="community"),
    "v3": UserCredential(
        name="bench",
        version="v3",
        user="bench",
        auth="SHA-1",
        privacy="AES-128",
        auth_secret="auth",
        privacy_secret="privacy",
    ),
}
SECRETS = {"community": "public", "auth": agents.AUTH_PASSWORD, "privacy": agents.PRIV_PASSWORD}


def module() -> foreign.Module:
    """The 20 columns, as snmp_exporter's module of the same name has them."""
    texts = {name: {"oid": oid} for name, oid in LOOKUPS.items()}
    groups = {
        "if": {"oid": IF, "index": "ifIndex", "lookups": texts, "counters": IF_COUNTERS, "gauges": IF_GAUGES},
        "ifx": {"oid": IFX, "index": "ifIndex", "lookups": texts, "counters": IFX_COUNTERS, "gauges": IFX_GAUGES},
    }
    return foreign.Module.model_validate({"module": MODULE, "title": "The bench", "probe": IF, "groups": groups})


class Counted(Board):
    """A board that says how often it was written to."""

    def __init__(self, devices: list[Device], stale_after_seconds: float, shared: mmap.mmap) -> None:
        super().__init__(devices, stale_after_seconds)
        self._shared = shared
        self._told = [0, 0, 0]
        self._well = Counter[str]()

    def put(self, device: Device, outcome: Outcome, *how: Any) -> Standing:
        failed = isinstance(outcome, Failed)
        self._told[0] += 1
        self._told[1] += failed
        if not failed and self._well[device.name] < SETTLED:
            self._well[device.name] += 1
            self._told[2] += self._well[device.name] == SETTLED
        struct.pack_into("QQQ", self._shared, 0, *self._told)
        return super().put(device, outcome, *how)


def main() -> None:
    port, count, interval, version, counts, _ = sys.argv[1:]
    start_logging("bench", "error")  # the breaks between turns would be told as failed polls

    heap.keep_small()
    foreign.modules()[MODULE] = module()
    devices = [
        Device(f"d{number}", agents.address(number), agents.PORT, credential=version, site="s", town="t")
        for number in range(int(count))
    ]
    town = cast("Town", SimpleNamespace(credential=CREDENTIALS.__getitem__))
    also = compatible.chosen([MODULE])
    with Path(counts).open("r+b") as file, mmap.mmap(file.fileno(), 24) as shared:
        board = Counted(devices, float(interval) * 3, shared)
        pacing = Pacing(float(interval), max(float(interval) * 0.75, 30))  # a busy machine learns slowly
        poller = Poller(town, devices, _secret, board, pacing, also=also)
        questions = Questions(board, [MODULE], time.time, gzip=False)
        with poller, endpoint(("127.0.0.1", int(port)), board, poller, questions=questions):
            heap.settle()
            while True:  # as parvis.running.hold does
                time.sleep(heap.TIDY_SECONDS)
                heap.tidy()


def _secret(name: str) -> Secret:
    return Secret(SECRETS[name])


if __name__ == "__main__":
    main()
