"""Panels asked as Grafana asks: a Prometheus filled with history, a reader's choices put into each query."""

import json
import math
import re
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import urlopen

from dashboards.panel import INSTANT, Panel
from dashboards.query import LABEL_OF

SCRAPE_SECONDS = 60
_SPECIAL = re.compile(r"[$^*{}\[\]'+?.()|]")
Choices = Mapping[str, tuple[str, ...]]
"""Variable -> values; none: all."""
Answer = dict[tuple[tuple[str, str], ...], list[float | None]]
"""Labels of a line -> its values, one a step from the beginning."""


class Filled:
    """Prometheus on a port of its own over blocks made from lines, with *config* for its configuration."""

    def __init__(self, folder: Path, config: str = "global: {}\n") -> None:
        self._config = config
        self._data = folder / "data"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._line = HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._answers: dict[str, Any] = {}

    def fill(self, name: str, lines: Iterable[str], longest: str = "1440h") -> None:
        """Make blocks, each no longer than *longest*, from *lines* in OpenMetrics: within a series in order of time."""
        file = self._folder / f"{name}.om"
        with file.open("w", encoding="utf-8") as opened:
            opened.writelines(f"{line}\n" for line in lines)
            opened.write("# EOF\n")
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", f"--max-block-duration={longest}"]
        done = subprocess.run([*command, str(file), str(self._data)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        file.unlink()

    def __enter__(self) -> Self:
        (self._folder / "prometheus.yml").write_text(self._config)
        flags = [f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.retention.time=100y"]
        flags += [f"--config.file={self._folder}/prometheus.yml", f"--storage.tsdb.path={self._data}"]
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(["prometheus", *flags], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                    return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self._folder / "prometheus.log").read_text()[-2000:])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()
        if self._process:
            self._process.kill()
            self._process.wait()

    def ask(self, path: str, **words: object) -> Any:
        """The data of one answer of the API; an error of the query is an AssertionError with its words.

        Nothing is added to the blocks once it runs: what was asked before has the same answer.
        """
        asked = f"/api/v1/{path}?{urlencode(words)}"
        if asked not in self._answers:
            self._line.request("GET", asked)
            answer = self._line.getresponse()
            said = json.load(answer)
            assert answer.status == HTTPStatus.OK, f"{words.get('query', path)}: {said}"
            self._answers[asked] = said["data"]
        return self._answers[asked]


@dataclass(frozen=True)
class Shown:
    """From when to when a board shows, and in which steps; everything in seconds."""

    begins: float
    ends: float
    step: float = SCRAPE_SECONDS
    all: Choices = field(default_factory=dict)
    """What "all" is of a variable that lists it."""


def escaped(value: str) -> str:
    """A choice as Grafana's Prometheus datasource writes it into a regular expression.

    >>> print(escaped("a.b (c)"))
    a\\\\.b \\\\(c\\\\)
    """
    return _SPECIAL.sub(lambda found: f"\\\\{found[0]}", value.replace("\\", "\\\\\\\\"))


def filled_in(query: str, choices: Choices, shown: Shown) -> str:
    """*query* with Grafana's variables replaced as Grafana does."""
    span = shown.ends - shown.begins
    rate = max(shown.step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)
    known = {"__rate_interval": f"{rate:.0f}s", "__range_s": f"{span:.0f}", "__range": f"{span:.0f}s"}
    known["__interval"] = f"{shown.step:.0f}s"

    def value(found: re.Match[str]) -> str:
        if found[1] in known:
            return known[found[1]]
        if found[1] not in LABEL_OF:
            return found[0]
        values = [escaped(one) for one in choices.get(found[1]) or shown.all.get(found[1], ())]
        return ".*" if not values else values[0] if len(values) == 1 else f"({'|'.join(values)})"

    return re.sub(r"\$(\w+)", value, query)


def answers(prometheus: Filled, panel: Panel, choices: Choices, shown: Shown) -> list[Answer]:
    """What each query of *panel* gets."""
    found = []
    for asked in panel.promql:
        text = filled_in(asked, choices, shown)
        if panel.kind in INSTANT:
            rows = prometheus.ask("query", query=text, time=shown.ends)["result"]
            found.append({_labels(row): [_value(row["value"][1])] for row in rows})
        else:
            rows = prometheus.ask("query_range", query=text, start=shown.begins, end=shown.ends, step=shown.step)
            found.append({_labels(row): _spread(row, shown) for row in rows["result"]})
    return found


def _labels(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(row["metric"].items()))


def _spread(row: Mapping[str, Any], shown: Shown) -> list[float | None]:
    places = {round((at - shown.begins) / shown.step): _value(text) for at, text in row["values"]}
    return [places.get(place) for place in range(round((shown.ends - shown.begins) / shown.step) + 1)]


def _value(text: str) -> float | None:
    number = float(text)
    return None if math.isnan(number) else number


def same(one: list[Answer], other: list[Answer]) -> bool:
    """Whether two answers say the same, but for what adding up in another order makes of a float."""
    return all(
        left.keys() == right.keys() and all(_alike(left[labels], right[labels]) for labels in left)
        for left, right in zip(one, other, strict=True)
    )


def _alike(one: list[float | None], other: list[float | None]) -> bool:
    return all(
        a is b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9))
        for a, b in zip(one, other, strict=True)
    )


def numbers(found: Iterable[Answer]) -> list[float]:
    """Every figure of some answers."""
    return [value for answer in found for values in answer.values() for value in values if value is not None]
