"""Our collectors with a made-up list of devices, for measurements: the whole service, from its first step on.

collecting.py PORT COUNT INTERVAL v2c|v3 FILE python|compiled: polls COUNT devices every INTERVAL seconds, serves their
pages on PORT, and keeps the number of polls so far, of failed ones, and of devices that were polled well three times or
more, in FILE (three unsigned integers of 64 bits).
``python``: as if there were no compiled core.
"""

import os
import pickle
import sys
from pathlib import Path

import agents

from collectors import compatible, foreign
from collectors.access import Community, Login, Logins
from collectors.device import Device
from collectors.first_step import folded
from collectors.known import known
from collectors.poller import Pacing
from collectors.start import Start
from parvis.launch import become_with

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
LOGINS = Logins({"v2c": Community("community", "v2c"), "v3": Login("bench", "SHA-1", "AES-128", "auth", "privacy")})
SECRETS = {"community": "public", "auth": agents.AUTH_PASSWORD, "privacy": agents.PRIV_PASSWORD}


def module() -> foreign.Module:
    """The 20 columns, as snmp_exporter's module of the same name has them."""
    texts = {name: {"oid": oid} for name, oid in LOOKUPS.items()}
    groups = {
        "if": {"oid": IF, "index": "ifIndex", "lookups": texts, "counters": IF_COUNTERS, "gauges": IF_GAUGES},
        "ifx": {"oid": IFX, "index": "ifIndex", "lookups": texts, "counters": IFX_COUNTERS, "gauges": IFX_GAUGES},
    }
    return foreign.Module.model_validate({"module": MODULE, "title": "The bench", "probe": IF, "groups": groups})


def start(port: int, count: int, interval: float, version: str, secrets: Path) -> Start:
    """What the service is handed."""
    foreign.modules()[MODULE] = module()
    return Start(
        address=("127.0.0.1", port),
        log_level="error",  # the breaks between turns would be told as failed polls
        town="made up",
        state=secrets,
        secrets=secrets,
        pacing=Pacing(interval, max(interval * 0.75, 30)),  # a busy machine learns slowly
        stale_after_seconds=interval * 3,
        modules=(MODULE,),
        gzip=False,
        listening=None,
        influx=None,
        devices=[
            Device(f"d{number}", agents.address(number), agents.PORT, credential=version, site="s", town="t")
            for number in range(count)
        ],
        logins=LOGINS,
        links=[],
        also=compatible.chosen([MODULE]),
        known=folded(known()),
    )


def main() -> None:
    port, count, interval, version, counts, kind = sys.argv[1:]
    secrets = Path(counts).with_suffix(".secrets")
    secrets.mkdir(exist_ok=True)
    for name, text in SECRETS.items():
        (secrets / name).write_text(text)
    made = start(int(port), int(count), float(interval), version, secrets)
    os.environ["BENCH_CORE"] = kind
    os.environ["PYTHONPATH"] = os.pathsep.join((str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")))
    become_with("collecting_running", pickle.dumps((made, counts)))


if __name__ == "__main__":
    main()
