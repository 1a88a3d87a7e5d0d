"""Every room's log: one JSON object a line on standard error, as journald takes it. Facts are fields of their own.

Written by hand because a logging library with an event loop behind it costs each process 4 MB.
"""

import json
import sys
import threading
import traceback
from datetime import UTC, datetime

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class Journal:
    """Writes events that are at least as grave as its level; :func:`start_logging` says whose they are."""

    def __init__(self) -> None:
        self._process = ""
        self._least = LEVELS["info"]
        self._lock = threading.Lock()

    def begin(self, process: str, level: str) -> None:
        """From here on events are *process*'; KeyError when *level* is none of :data:`LEVELS`."""
        self._process, self._least = process, LEVELS[level.lower()]

    def debug(self, event: str, **facts: object) -> None:
        """Say what only a developer wants to know."""
        self._write("debug", event, facts)

    def info(self, event: str, **facts: object) -> None:
        """Say what happened as it should."""
        self._write("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Say what should not be, and mends itself."""
        self._write("warning", event, facts)

    def error(self, event: str, *, exc_info: BaseException | None = None, **facts: object) -> None:
        """Say what somebody must look at; *exc_info* adds where it was raised."""
        self._write("error", event, facts, exc_info)

    def exception(self, event: str, **facts: object) -> None:
        """An error, inside an ``except``: where it was raised is added."""
        self._write("error", event, facts, sys.exception())

    def _write(self, level: str, event: str, facts: dict[str, object], error: BaseException | None = None) -> None:
        if LEVELS[level] < self._least:
            return
        moment = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        said = {**facts, "event": event, "process": self._process, "level": level, "timestamp": moment}
        if error is not None:
            said["exception"] = "".join(traceback.format_exception(error)).rstrip()
        line = json.dumps(said, ensure_ascii=False, default=repr) + "\n"
        with self._lock:
            sys.stderr.write(line)
            sys.stderr.flush()


log = Journal()
"""What every room writes its events with."""
