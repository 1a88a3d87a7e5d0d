"""``script/soak HOURS``: the whole town under plausible load, with faults and kill -9, and what must hold all the time.

Residents come and go as the day goes, change places, look at pages; fibres are cut, access points lose power, devices
misbehave, a colleague flushes the rules, processes are killed at random and started again as systemd does. All the
while: nobody is online without an acceptance; no accepted session is lost; no page is lost or doubled; no sample is
stale without saying so; memory and descriptors are flat; store and kernel agree. Everything is drawn from a seed before
it begins: ``--seed`` repeats a run that failed. Prints a report; ends with 1 when a promise was broken.

``script/soak door`` is the door alone, with 20,000 sessions and no faults (soak_door.py).
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from soak_plan import Cast, Deed, plan
from soak_town import Soak
from stopping import STOPPED, may_be_stopped

from lab.building import Options
from lab.rooms import Pace
from lab.town import Lab

LEFT_ALONE = {"simulated", "windows"}
"""The world around the town: the fake internet and the devices."""
PACE = Pace(poll=5.0, probe=1.0, visit=30.0, alerts=0.1)


def cast(lab: Lab) -> Cast:
    """Who and what there is in *lab*."""
    sites = lab.town.sites
    residents = [resident.name for resident in lab.plan.residents]
    ours = [run.program.name for run in lab.processes() if run.program.kind == "ours"]
    debian = [f"{site.gateway.name}.{name}" for site in sites for name in ("kea", "dnsmasq")]
    running = {run.program.name for run in lab.processes()}
    struck = [*ours, *debian, "prometheus", "alertmanager"]
    return Cast(
        residents,
        [site.gateway.name for site in sites],
        [site.site for site in sites],
        [point.name for site in sites for point in site.access_points],
        sorted(name for name in struck if name in running and name.partition(".")[0] not in LEFT_ALONE),
    )


def pace(soak: Soak, deeds: list[Deed], seconds: float) -> None:
    """Do what is due, look while nothing is, until *seconds* are over."""
    started = time.monotonic()
    waiting = list(deeds)
    while (now := time.monotonic() - started) < seconds:
        if waiting and waiting[0].at <= now:
            soak.do(waiting.pop(0))
        else:
            soak.look()
            rest = min(waiting[0].at if waiting else seconds, seconds) - (time.monotonic() - started)
            time.sleep(min(max(rest, 0.0), 0.5))
    soak.rest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hours", type=float, help="how long; 0.1 is six minutes")
    parser.add_argument("--seed", type=int, help="what happens, and in which order; drawn when not given")
    parser.add_argument("--residents", type=int, default=4, help="at each site")
    parser.add_argument("--prefix", default="so-", help="of the namespaces")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy logs and databases there at the end")
    words = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if words.seed is None else words.seed
    seconds = words.hours * 3600
    may_be_stopped()
    print(f"seed {seed}; to repeat it: script/soak {words.hours:g} --seed {seed}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="parvis-soak-") as folder:
        Path(folder).chmod(0o755)
        lab = Lab(Path(folder) / "lab")
        lab.up(Options(prefix=words.prefix, residents=words.residents, windows=False, pace=PACE))
        try:
            soak = Soak(lab, seed)
            started, stopped = time.monotonic(), False
            try:
                pace(soak, plan(seed, seconds, cast(lab)), seconds)
            except KeyboardInterrupt:
                stopped = True
                print("told to stop before its time: the report is of what was until then", file=sys.stderr, flush=True)
            print(soak.report(seed, round((time.monotonic() - started) / 3600, 2)))
            if words.keep:
                soak.keep(words.keep)
            return 1 if soak.broken else STOPPED if stopped else 0
        finally:
            lab.down()


if __name__ == "__main__":
    sys.exit(main())
