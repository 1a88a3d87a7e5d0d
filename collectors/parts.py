"""What a part of a device is called: boards, fans and power supplies of ENTITY-MIB (RFC 6933), each by its own name.

Switches of one stack have boards of the same name. What tells them apart is what holds them, as people see it: numbers
of entities may be others after a restart.
"""

from collections.abc import Mapping

from collectors.snmp import ber

Read = str | float | None
Rows = Mapping[bytes, Mapping[str, Read]]

DERIVED = ("part", "class")
_MAX_DEPTH = 10


def derive(parts: Rows, entities: Rows) -> dict[bytes, dict[str, Read]]:
    r"""The rows of a table indexed by entPhysicalIndex with *part*, a name of its own, and entPhysicalClass as *class*.

    >>> names = {4: ("Slot 1", 0), 5: ("Slot 2", 0), 6: ("Board", 4), 7: ("Board", 5), 8: ("Fan 1", 4)}
    >>> entities = {bytes([n]): {"name": name, "parent": parent} for n, (name, parent) in names.items()}
    >>> [row["part"] for row in derive({b"\x06": {}, b"\x07": {}, b"\x08": {}, b"\x09": {}}, entities).values()]
    ['Board @ Slot 1', 'Board @ Slot 2', 'Fan 1', '9']
    """
    own = _own_names(parts, entities)
    return {
        suffix: {**row, "part": own[suffix], "class": entities.get(suffix, {}).get("class")}
        for suffix, row in parts.items()
    }


def _own_names(parts: Rows, entities: Rows) -> dict[bytes, str]:
    alike: dict[str, list[bytes]] = {}
    for suffix in parts:
        alike.setdefault(_called(suffix, entities), []).append(suffix)
    return {
        suffix: name
        for called, together in alike.items()
        for suffix, name in zip(together, _told_apart(called, together, entities), strict=True)
    }


def _called(suffix: bytes, entities: Rows) -> str:
    entity = entities.get(suffix, {})
    return str(entity.get("name") or entity.get("descr") or ".".join(map(str, ber.index(suffix))))


def _told_apart(called: str, alike: list[bytes], entities: Rows) -> list[str]:
    """*called*, where several have that name with what holds each, as far up as it takes; else with its number."""
    if len(alike) == 1:
        return [called]
    held_by = [_holders(suffix, entities) for suffix in alike]
    for depth in range(1, _MAX_DEPTH):
        paths = [" / ".join(reversed(holders[:depth])) for holders in held_by]
        if all(paths) and len(set(paths)) == len(paths):
            return [f"{called} @ {path}" for path in paths]
    return [f"{called} #{ber.index(suffix)[0]}" for suffix in alike]


def _holders(suffix: bytes, entities: Rows) -> list[str]:
    """What holds an entity, what holds that, and so on, by name."""
    found: list[str] = []
    numbers = ber.index(suffix)[:1]
    for _ in range(_MAX_DEPTH):
        parent = entities.get(ber.encode_index(numbers), {}).get("parent")
        if not isinstance(parent, int | float) or parent <= 0:
            break
        numbers = (int(parent),)
        found.append(_called(ber.encode_index(numbers), entities))
    return found
