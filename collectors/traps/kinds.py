"""What a trap is called: ``kinds.yml`` says so, as data; what it does not list is ``unknown``."""

import re
from functools import cache
from pathlib import Path

from collectors.known import known

UNKNOWN = "unknown"
FILE = Path(__file__).with_name("kinds.yml")


class KindsError(Exception):
    """``kinds.yml`` is wrong; the text says where and why. Whoever edits it must act."""


@cache
def kinds() -> dict[str, str]:
    """From snmpTrapOID to the kind's name; an OID that ends in ``.*`` stands for all below it."""
    return read(FILE.read_text("utf-8"))


def read(text: str) -> dict[str, str]:
    """The kinds in *text*; KindsError for an OID that is none, or named twice.

    >>> read("link_down: [1.3.6.1.6.3.1.1.5.3]")
    {'1.3.6.1.6.3.1.1.5.3': 'link_down'}
    """
    import yaml  # noqa: PLC0415 the service is handed what was read

    found: dict[str, str] = {}
    for name, oids in (yaml.safe_load(text) or {}).items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)) or not isinstance(oids, list):
            raise KindsError(f"{FILE.name}: {name}: a name in small letters and a list of OIDs are expected")
        for oid in map(str, oids):
            if not re.fullmatch(r"[0-2](\.\d+)+(\.\*)?", oid):
                raise KindsError(f"{FILE.name}: {name}: {oid} is no OID")
            if oid in found:
                raise KindsError(f"{FILE.name}: {oid} is both {found[oid]} and {name}; leave one")
            found[oid] = str(name)
    return found


def kind(oid: str) -> str:
    """The name of the kind of trap *oid* is.

    >>> kind("1.3.6.1.6.3.1.1.5.3"), kind("1.3.6.1.4.1.99999.0.1")
    ('link_down', 'unknown')
    """
    named = known().kinds
    return named.get(oid) or named.get(f"{oid.rpartition('.')[0]}.*") or UNKNOWN
