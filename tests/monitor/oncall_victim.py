"""An on-call engine that takes 200 incidents, calls, acknowledges, and is killed meanwhile: run by test_oncall_killed.

What Alertmanager and the person on call know for sure is written to a diary after the engine has answered.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor_actors import alert

from monitor.alertmanager import Message
from monitor.duty import PAGES_FILE, Duty
from monitor.incidents import Event
from monitor.instruments import MonitorMetrics
from monitor.settings import MonitorSettings
from parvis.inventory import DEMO_TOWN, load

INCIDENTS = 200
DIARY = "diary.txt"


def note(state: Path, line: str) -> None:
    with (state / DIARY).open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def known(state: Path, what: str) -> set[int]:
    text = (state / DIARY).read_text() if (state / DIARY).exists() else ""
    return {int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{what} ") and line.endswith(".")}


def written(state: Path) -> int:
    return len((state / PAGES_FILE).read_bytes().splitlines()) if (state / PAGES_FILE).exists() else 0


def main(state: Path) -> None:
    town = load(DEMO_TOWN)
    settings = MonitorSettings(state=state, message_budget=100, message_window=1, alertmanager_url="")
    duty = Duty(town, settings, MonitorMetrics(town.town))
    print("ready", flush=True)
    duty.dispatcher.once()
    told, acknowledged = known(state, "told"), known(state, "acknowledged")
    for number in range(1, INCIDENTS + 1):
        if number not in told:
            one = alert("Service", layer="service", site=f"s{number}", startsAt=datetime.now(UTC).isoformat())
            duty.engine.take(Message.model_validate({"version": "4", "alerts": [one]}), datetime.now(UTC))
            note(state, f"told {number} .")
        called = number - 6
        if called > 0 and called % 3 == 0 and called not in acknowledged:
            with duty.engine.book.page() as entries:
                row = next(row for row in entries.rows(1000) if row["site"] == f"s{called}")
            duty.engine.act(row["number"], Event.ACKNOWLEDGE, "agent-1", duty.clock())
            note(state, f"acknowledged {called} {written(state)} .")
        if number % 5 == 0:
            duty.engine.tick(duty.clock())
            duty.dispatcher.once()
    while True:
        duty.engine.tick(duty.clock())
        duty.dispatcher.once()
        with duty.engine.book.page() as entries:
            if not entries.waiting():
                break
    note(state, "done 0 .")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
