"""Nothing is kept that the data inventory does not know: tables, columns, files, the modules that write, the days."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from parvis.data_inventory import DataInventory, data_inventory
from parvis.kept import kept_days

ROOT = Path(__file__).parents[2]
ROOMS = ("parvis", "captive_portal", "collectors", "monitor", "dashboards")
"""The lab is no room of a town that is in service."""

OF_TABLE = {"sheets": "monitor", "spells": "history"}
"""A table that only this database has."""
WRITERS = {"write_text", "write_bytes", "write_whole", "append_text", "create_engine"}
FOR_OTHERS = ROOT / "parvis/durable.py"
"""Writes what others hand it: those are named."""


def modules() -> list[Path]:
    every = (path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return sorted(path for path in every if "migrations" not in path.parts)


def stored() -> dict[str, list[str]]:
    """database.table -> columns, of every table that any module declares."""
    found = {}
    for path in modules():
        text = path.read_text("utf-8")
        if "sqlalchemy" not in text or "Table(" not in text:
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for value in vars(module).values():
            if isinstance(value, sqlalchemy.Table):
                database = next((name for table, name in OF_TABLE.items() if table in value.metadata.tables), "portal")
                found[f"{database}.{value.name}"] = [column.name for column in value.c]
    return found


def known_columns(inventory: DataInventory) -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for kind in inventory.kinds.values():
        for table, columns in kind.tables.items():
            known.setdefault(table, set()).update(columns)
    return known


def strangers(tables: dict[str, list[str]], inventory: DataInventory) -> list[str]:
    known = known_columns(inventory)
    return [
        f"{table}.{column}"
        for table, columns in tables.items()
        for column in columns
        if column not in known.get(table, set())
    ]


def test_gdp02_every_table_and_column_of_every_database_is_in_the_inventory() -> None:
    tables = stored()

    assert {"portal.acceptances", "portal.passes", "monitor.sheets"} <= tables.keys()
    assert strangers(tables, data_inventory()) == [], (
        "say in parvis/data_inventory.yml what it is and how long it is kept"
    )


def test_gdp02_the_inventory_names_no_table_or_column_that_is_not_there() -> None:
    tables = stored()
    ghosts = [
        f"{table}.{column}"
        for table, columns in known_columns(data_inventory()).items()
        for column in columns
        if table not in tables or column not in tables[table]
    ]

    assert ghosts == []


def test_gdp02_a_new_column_of_any_table_would_stop_the_build() -> None:
    grown = {table: [*columns, "email"] for table, columns in stored().items()}

    assert strangers(grown, data_inventory()) == [f"{table}.email" for table in grown]


def writes(path: Path) -> Iterator[int]:
    """The lines on which a module opens a file or a database for writing."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        words = [one.value for one in [*node.args, *(k.value for k in node.keywords)] if isinstance(one, ast.Constant)]
        mode = any(isinstance(word, str) and re.fullmatch(r"[wax][bt+]{0,2}", word) for word in words)
        flags = any(isinstance(part, ast.Attribute) and part.attr == "O_CREAT" for part in ast.walk(node))
        if name in WRITERS or (name in {"open", "fdopen"} and (mode or flags)):
            yield node.lineno


def test_gdp02_every_module_that_writes_a_file_is_named_in_the_inventory() -> None:
    named = {module for kind in data_inventory().kinds.values() for module in kind.written_by}
    found = {str(path.relative_to(ROOT)) for path in modules() if path != FOR_OTHERS and list(writes(path))}

    assert found - named == set(), "say in parvis/data_inventory.yml what it writes and how long that is kept"
    assert {one for one in named if not (ROOT / one).is_file()} == set()


def test_a_way_to_write_would_be_seen(tmp_path: Path) -> None:
    ways = [
        'Path("file").write_text("y")',
        'open("file", "wb")',
        'Path("file").open("a")',
        "os.open(p, os.O_WRONLY | os.O_CREAT, 0o600)",
        'os.fdopen(h, "wb")',
        'write_whole(Path("file"), data)',
        'append_text(Path("file"), "y")',
    ]
    for number, way in enumerate(ways):
        file = tmp_path / f"{number}.py"
        file.write_text(way)
        assert list(writes(file)) == [1], way
    (tmp_path / "reads.py").write_text('Path("file").open("rb"); open("file")')
    assert list(writes(tmp_path / "reads.py")) == []


def test_programs_that_erase_read_the_days_of_the_inventory() -> None:
    """The small reader, which holds no YAML parser, reads what the whole one reads."""
    for name, kind in data_inventory().kinds.items():
        if kind.days is None:
            with pytest.raises(KeyError, match=name):
                kept_days(name)
        else:
            assert kept_days(name) == kind.days, name


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("live-session", 0),
        ("source-log", 365),
        ("traffic-log", 365),
        ("security-log", 90),
        ("staff-journal", 365),
        ("on-call", 395),
        ("day-uniques", 0),
    ],
)
def test_no_kind_is_kept_longer_than_the_law_allows(kind: str, most: int) -> None:
    assert kept_days(kind) == most


def test_gdp05_every_kind_has_a_basis_and_none_rests_on_consent() -> None:
    inventory = data_inventory()

    assert {kind.basis for kind in inventory.kinds.values()} <= set(inventory.bases)
    assert [text for text in inventory.bases.values() if "consentement" in text.lower() or "6.1.a" in text] == []
    assert "6.1.c" in inventory.bases[inventory.kinds["source-log"].basis]


def test_gdp05_an_inventory_that_says_too_little_is_refused() -> None:
    whole = data_inventory().model_dump(by_alias=True)
    for change, words in (
        ({"basis": "consent"}, "no legal basis is called consent"),
        ({"processing": "marketing"}, "no processing is called marketing"),
        ({"days": None}, "would not say how long"),
    ):
        kinds = whole["kinds"] | {"acceptance-proof": whole["kinds"]["acceptance-proof"] | change}
        with pytest.raises(ValueError, match=words):
            DataInventory.model_validate(whole | {"kinds": kinds})
