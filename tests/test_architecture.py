"""The five rules of the design that a machine can check."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KERNEL = "parvis"
ROOMS = ("captive_portal", "collectors", "monitor", "dashboards", "lab", "upkeep")
MAX_FILE_LINES = 350
MAX_TEST_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
GIVEN_FOLDERS = (
    "captive_portal",
    "monitor",
    "collectors",
    "dashboards",
    "tests",
    "ansible",
    "docs",
    "script",
    "parvis",
    "lab",
)

TESTS = sorted((ROOT / "tests").rglob("*.py"))
FILES = sorted(path for room in (KERNEL, *ROOMS) for path in (ROOT / room).rglob("*.py"))

ONE_PLACE = {
    "scapy": ("monitor/probes/",),
    "nftables": ("captive_portal/",),
    "sqlalchemy": ("captive_portal/store", "captive_portal/migrations/", "monitor/store", "monitor/migrations/"),
    "psycopg": ("captive_portal/store_shared",),
    "alembic": ("captive_portal/store", "captive_portal/migrations/", "monitor/store", "monitor/migrations/"),
    "pysnmp": ("lab/", "collectors/traps/", "collectors/snmp/slow_lane"),
    "pyasn1": ("lab/", "collectors/traps/", "collectors/snmp/slow_lane"),
    "pyroute2": ("lab/", "captive_portal/neighbours"),
    "granian": ("captive_portal/",),
    "grafana_foundation_sdk": ("dashboards/grafana/",),
    "opening_hours": ("parvis/opening.py",),
    "influxdb_client": ("collectors/influx/",),
    "waitress": ("parvis/threaded.py",),
    "httptools": ("parvis/quick.py",),
    "cheroot": ("captive_portal/tls.py",),
    "argon2": ("captive_portal/console/accounts.py",),
    "pyotp": ("captive_portal/console/accounts.py",),
    "segno": (
        "captive_portal/posters.py",
        "captive_portal/legal/town_commands.py",
        "captive_portal/console/commands.py",
        "captive_portal/web/papers.py",
    ),
    "authlib": ("captive_portal/console/oidc.py",),
    "joserfc": ("captive_portal/console/oidc.py",),
    "apprise": ("monitor/channels/apprise.py",),
    "icalendar": ("monitor/calendars.py",),
    "recurring_ical_events": ("monitor/calendars.py",),
    "holidays": ("monitor/holidays_of_france.py",),
    "fpdf": ("parvis/papers.py", "captive_portal/posters.py", "captive_portal/legal/answer_files.py"),
    "rdflib": ("captive_portal/opendata/dcat.py",),
    "arro3": ("captive_portal/opendata/formats.py",),
    "lark": ("captive_portal/opendata/odsql.py",),
    "smtplib": ("monitor/channels/mail.py",),
    "cryptography": ("collectors/snmp/", "lab/", "captive_portal/legal/sealing.py"),
    "shamir_mnemonic": ("captive_portal/legal/holders.py",),
}
"""Third parties are named in one place each, so that one place is rewritten to replace one."""


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports, with its line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write imports in full"
            yield node.module or "", node.lineno


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_the_given_folders_are_there() -> None:
    assert [name for name in GIVEN_FOLDERS if not (ROOT / name).is_dir()] == []


def test_a_room_imports_only_the_kernel_and_itself() -> None:
    wrong = []
    for path in FILES:
        room = path.relative_to(ROOT).parts[0]
        for module, line in imports(path):
            top = module.split(".")[0]
            if top in ROOMS and top != room:
                wrong.append(f"{where(path, line)} imports {module}")
    assert wrong == []


def test_no_module_is_in_an_import_cycle() -> None:
    """Imports at the top of modules form no circle, within a room or across."""
    known = {name_of(path): path for path in FILES}
    graph = {name: {m for m in top_level_imports(path) if m in known} for name, path in known.items()}
    assert cycles(graph) == []


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def top_level_imports(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """Names that can reach themselves.

    A package's ``__init__`` that gathers its modules' names is no cycle unless a module imports the package.
    """
    found = []
    for start, first in graph.items():
        seen: set[str] = set()
        todo = list(first)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += graph[name]
        if start in seen:
            found.append(start)
    return found


def test_files_and_functions_stay_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for files, most in ((FILES, MAX_FILE_LINES), (TESTS, MAX_TEST_FILE_LINES))
        for path in files
        if (count := len(path.read_text("utf-8").splitlines())) > most
    ]
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    long.append(f"{where(path, node.lineno)} {node.name}: {length} lines")
    assert long == []


def test_every_test_asserts_something_itself() -> None:
    """An assertion in a function that it calls does not count: a reader of the test sees what it promises."""
    silent = [
        f"{where(path, node.lineno)} {node.name}"
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and path.name.startswith("test_")
        and node.name.startswith("test_")
        and not any(asserts(part) for part in ast.walk(node))
    ]
    assert silent == []


def asserts(node: ast.AST) -> bool:
    """Whether *node* is ``assert``, ``pytest.raises`` or ``pytest.warns``."""
    return isinstance(node, ast.Assert) or (isinstance(node, ast.Attribute) and node.attr in {"raises", "warns"})


def test_third_parties_are_named_in_one_place_each() -> None:
    wrong = []
    for path in FILES:
        relative = str(path.relative_to(ROOT))
        for module, line in imports(path):
            places = ONE_PLACE.get(module.split(".")[0])
            if places and not relative.startswith(places):
                wrong.append(f"{where(path, line)} imports {module}")
    assert wrong == []


CORE = (
    "parvis/values.py",
    "captive_portal/admission.py",
    "captive_portal/session.py",
    "captive_portal/ruleset.py",
    "captive_portal/port_blocks.py",
    "captive_portal/legal/bindings.py",
    "captive_portal/legal/clock_doubts.py",
    "captive_portal/legal/conntrack.py",
    "captive_portal/legal/retention.py",
    "captive_portal/legal/search.py",
    "captive_portal/legal/segment.py",
    "captive_portal/legal/timeline.py",
    "captive_portal/directives.py",
    "captive_portal/pseudonym.py",
    "captive_portal/console/roles.py",
    "captive_portal/console/throttle.py",
    "captive_portal/console/verdict.py",
    "captive_portal/dhcp.py",
    "captive_portal/opendata/publication.py",
    "captive_portal/opendata/sites.py",
    "captive_portal/opendata/formats.py",
    "captive_portal/uniques.py",
    "captive_portal/dpo/arcom.py",
    "captive_portal/dpo/duties.py",
    "captive_portal/dpo/incident.py",
    "captive_portal/dpo/journal.py",
    "captive_portal/dpo/register.py",
    "collectors/decode.py",
    "collectors/layout.py",
    "collectors/reading.py",
    "collectors/optics.py",
    "collectors/plausibility.py",
    "collectors/explain.py",
    "collectors/bridge.py",
    "collectors/fibre/module.py",
    "collectors/fibre/trend.py",
    "collectors/fibre/history.py",
    "collectors/fibre/span.py",
    "collectors/fibre/report.py",
    "collectors/influx/verdicts.py",
    "collectors/clocks.py",
    "collectors/traps/limit.py",
    "collectors/traps/wire.py",
    "collectors/traps/kinds.py",
    "collectors/schedule.py",
    "monitor/findings.py",
    "monitor/guests.py",
    "monitor/causes.py",
    "monitor/drills/chain.py",
    "monitor/drills/report.py",
    "monitor/drills/world.py",
    "monitor/evidence.py",
    "monitor/flapping.py",
    "monitor/planned.py",
    "monitor/signals.py",
    "monitor/topology.py",
    "monitor/alertmanager.py",
    "monitor/astreinte.py",
    "monitor/checks.py",
    "monitor/delivery.py",
    "monitor/gsm7.py",
    "monitor/incidents.py",
    "monitor/links.py",
    "monitor/messages.py",
    "monitor/replies.py",
    "monitor/oncall.py",
    "monitor/rota.py",
    "monitor/statement.py",
    "monitor/explain.py",
    "monitor/exposition.py",
    "monitor/history/blocks.py",
    "monitor/history/ring.py",
    "monitor/history/series.py",
    "monitor/sla/figures.py",
    "monitor/sla/hours.py",
    "monitor/sla/outages.py",
    "monitor/sla/published.py",
    "monitor/sla/report.py",
    "monitor/sla/tracking.py",
    "monitor/sla/words.py",
    "monitor/status/content.py",
    "monitor/status/files.py",
    "monitor/web/curve.py",
    "monitor/web/places.py",
    "dashboards/rules.py",
)
WORLD = {"socket", "subprocess", "time", "os", "asyncio", "threading", "sqlite3", "urllib", "http", "requests"}


def test_modules_that_decide_do_not_touch_the_world() -> None:
    """No I/O, no clock, no globals in the core: pictures in, actions out."""
    wrong = [
        f"{where(path, line)} imports {module}"
        for path in (ROOT / name for name in CORE)
        for module, line in imports(path)
        if module.split(".")[0] in WORLD
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["utils", "common", "helpers", "misc"])
def test_no_drawer_for_odds_and_ends(name: str) -> None:
    assert [path for path in ROOT.rglob(f"{name}*") if not {".venv", ".git"} & set(path.parts)] == []


def test_every_dependency_is_pinned_without_an_address() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    wanted = {re.split(r"[\[<>=]", name)[0].lower() for name in [*project["dependencies"], *extras]}
    text = (ROOT / "script/constraints.txt").read_text("utf-8")
    pinned = dict(line.lower().split("==") for line in text.splitlines() if line and not line.startswith("#"))

    assert wanted - {name.replace("_", "-") for name in pinned} == set()
    assert "://" not in text
    assert not [version for version in pinned.values() if "!" in version], "an epoch version sorts above the real ones"
