"""YAML with the line of every value, so that a fault can say where it is.

Scalars follow the YAML 1.2 core schema: ``no``, ``on`` and ``10:20:30`` stay text, unlike in YAML 1.1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Path_ = tuple[str | int, ...]
"""Keys and list positions from the top of a document to a value."""

MAX_BYTES = 1_000_000
"""A larger file is no site description; it is refused unread."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in one place, and what to do about it. *line* counts from 1."""

    file: str
    line: int
    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: {self.path}: " if self.path else f"{self.file}:{self.line}: "
        return f"{where}{self.message}" + (f"; {self.fix}" if self.fix else "")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its plain data, and the line of each path in it."""

    file: str
    data: Any
    lines: dict[Path_, int]

    def fault(self, path: Path_, message: str, fix: str = "") -> Fault:
        """Locate a fault at *path* or, when the value is missing, at its nearest parent."""
        nearest = path
        while nearest and nearest not in self.lines:
            nearest = nearest[:-1]
        return Fault(self.file, self.lines.get(nearest, 1), dotted(path), message, fix)


def dotted(path: Path_) -> str:
    """Write a path as people do.

    >>> dotted(("access_points", 2, "mac"))
    'access_points[2].mac'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


class _CoreSchemaLoader(yaml.SafeLoader):
    """SafeLoader with the scalar rules of YAML 1.2's core schema."""


_CoreSchemaLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _CoreSchemaLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), [*_first, ""] if _tag == "null" else [*_first]
    )
_CoreSchemaLoader.add_constructor("tag:yaml.org,2002:int", lambda _loader, node: int(node.value))


def read(path: Path, shown_as: str) -> tuple[Document | None, list[Fault]]:
    """Read one file; the document is None when it cannot be read as YAML at all."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [Fault(shown_as, 1, "", f"cannot be read: {error.strerror}", "check the path and its permissions")]
    if len(raw) > MAX_BYTES:
        return None, [Fault(shown_as, 1, "", f"{len(raw)} bytes is too large", f"keep a file below {MAX_BYTES} bytes")]
    try:
        return parse(raw.decode(), shown_as)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return None, [Fault(shown_as, line, "", "is not UTF-8 text", "save the file as UTF-8")]


def parse(text: str, shown_as: str) -> tuple[Document | None, list[Fault]]:
    """Parse YAML text; broken syntax and duplicate keys are faults, not exceptions."""
    loader = _CoreSchemaLoader(text)
    try:
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, [_syntax_fault(error, shown_as)]
    finally:
        loader.dispose()
    lines: dict[Path_, int] = {}
    faults: list[Fault] = []
    for where, line, duplicate in _walk(node, (), set()):
        lines.setdefault(where, line)
        if duplicate:
            faults.append(Fault(shown_as, line, dotted(where), "is given twice", "keep one of the two"))
    return Document(shown_as, data, lines), faults


def _syntax_fault(error: Exception, shown_as: str) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0] or type(error).__name__
    return Fault(
        shown_as, mark.line + 1 if mark else 1, "", f"is not YAML: {problem}", "check indentation, quotes and brackets"
    )


def _walk(node: yaml.Node | None, path: Path_, open_nodes: set[int]) -> Iterator[tuple[Path_, int, bool]]:
    """Yield (path, line, is a duplicate key) for each value; *open_nodes* stops aliases that contain themselves."""
    if node is None or id(node) in open_nodes:
        return
    yield path, node.start_mark.line + 1, False
    inside = open_nodes | {id(node)}
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            yield (*path, name), key.start_mark.line + 1, name in seen
            seen.add(name)
            yield from _walk(value, (*path, name), inside)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _walk(value, (*path, position), inside)
