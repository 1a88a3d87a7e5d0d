"""What was found as a piece of a site's file, to be reviewed: what could not be known says so. No I/O, no clock."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from collectors.device import Device, Polled
from collectors.discovery.sweep import Found
from parvis.inventory.model import Vendor

UNKNOWN_MAC = "02:00:00:00:00:00"
UNKNOWN_PLACE = {"fr": "à préciser", "en": "to be named"}
UNKNOWN_SWITCH = "sw-to-be-named"
NO_MAC = "00:00:00:00:00:00"
MOST_LETTERS = 40
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")

Feeds = Mapping[str, tuple[str, str]]
"""For a name or address a neighbour gives itself: the switch and the port that see it."""


def fragment(found: Sequence[Found], known: Sequence[Device]) -> str:
    """YAML with ``switches`` and ``access_points``, commented; those in *known* are left out but feed the others."""
    names = {device.host: device.name for device in known}
    taken = {device.name for device in known}
    called = {}
    for each in found:
        host = each.answered.address
        called[host] = names.get(host) or _free(_name(each), taken)
        taken.add(called[host])
    new = [each for each in found if each.answered.address not in names]
    feeds = _feeds(found, called)
    switches = [called[each.answered.address] for each in found if each.speaks_for in {"", "switch"}]
    first = next(iter(switches), UNKNOWN_SWITCH)
    lines = []
    for key, kinds in (("switches", ("switch", "")), ("access_points", ("access-point",))):
        listed = [each for each in new if each.speaks_for in kinds]
        if listed:
            lines.append(f"{key}:")
        for each in listed:
            entry = _entry(each, called[each.answered.address])
            if key == "access_points":
                entry |= _place(each, feeds, first)
            lines += _written(each, entry)
    lines += [f"# {_why(each)}: a controller; list the access points it speaks for" for each in new if _controls(each)]
    return "".join(f"{line}\n" for line in lines)


def _controls(each: Found) -> bool:
    return each.speaks_for == "controller"


def _written(each: Found, entry: dict[str, Any]) -> list[str]:
    text = yaml.safe_dump([entry], default_flow_style=None, sort_keys=False, allow_unicode=True, width=1000)
    notes = [f"  # {_why(each)}"]
    unsure = [word for word, is_so in _doubts(each, entry).items() if is_so]
    if unsure:
        notes.append(f"  # REVIEW: {', '.join(unsure)}")
    if each.answered.way.stranger:
        notes.append("  # REVIEW: this community is no credential of town.yml yet")
    return [*notes, *(f"  {line}" for line in text.splitlines())]


def _doubts(each: Found, entry: Mapping[str, Any]) -> dict[str, bool]:
    return {
        "kind of equipment": not each.speaks_for,
        "model": entry["model"] == "?",
        "mac": entry.get("mac") == UNKNOWN_MAC,
        "switch and port": entry.get("port") == "?",
        "place": entry.get("place") == UNKNOWN_PLACE,
    }


def _why(each: Found) -> str:
    where = each.answered.address
    if isinstance(each.polled, Polled):
        return f"{where}: {each.polled.title}, because {each.polled.why}"
    return f"{where}: {each.polled.reason}, {each.answered.description or 'says nothing of itself'}"


def _entry(each: Found, name: str) -> dict[str, Any]:
    info = _labels(each, "device_info")
    model = next((labels["model"] for labels in info if labels.get("model")), each.answered.description)
    vendor = next((labels["vendor"].lower() for labels in info if labels.get("vendor")), "")
    known = {vendor.value for vendor in Vendor}
    generic = "net-snmp" if each.answered.object_id.startswith("1.3.6.1.4.1.8072.") else "other"
    return {
        "name": name,
        "vendor": vendor if vendor in known else generic,
        "model": model[:80] or "?",
        "address": each.answered.address,
        "snmp": {"credential": _slug(each.answered.way.name) or "discovered"},
    }


def _place(each: Found, feeds: Feeds, first: str) -> dict[str, Any]:
    macs = _macs(each)
    switch, port = next(
        (feeds[word] for word in (each.answered.address, each.answered.name, *macs) if word in feeds), (first, "?")
    )
    return {"mac": next(iter(macs), UNKNOWN_MAC), "switch": switch, "port": port, "place": UNKNOWN_PLACE}


def _feeds(found: Iterable[Found], called: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """By LLDP, on equipment that is no access point itself."""
    feeds: dict[str, tuple[str, str]] = {}
    for each in found:
        if each.speaks_for == "access-point":
            continue
        for labels in _labels(each, "lldp_neighbor_info"):
            for word in (labels.get("remote_name"), labels.get("remote_chassis"), labels.get("remote_port")):
                if word:
                    feeds.setdefault(word, (called[each.answered.address], labels.get("port", "?")[:40]))
    return feeds


def _macs(each: Found) -> list[str]:
    """The hardware addresses of its own ports, the first port's first."""
    macs = [labels.get("mac", "") for labels in _labels(each, "port_info")]
    return [mac for mac in dict.fromkeys(macs) if _MAC.fullmatch(mac) and mac != NO_MAC]


def _labels(each: Found, metric: str) -> list[dict[str, str]]:
    if not isinstance(each.polled, Polled):
        return []
    return [dict(sample.labels) for sample in each.polled.samples if sample.metric == metric]


def _name(each: Found) -> str:
    short = {"access-point": "ap", "controller": "wlc"}.get(each.speaks_for, "sw")
    return _slug(each.answered.name) or f"{short}-{_slug(each.answered.address)}"


def _slug(text: str) -> str:
    """A name of the inventory: lower case letters, digits, single hyphens.

    >>> _slug("AP Mairie (Étage 1)"), _slug("10.91.4.11")
    ('ap-mairie-tage-1', '10-91-4-11')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:MOST_LETTERS].strip("-")


def _free(name: str, taken: set[str]) -> str:
    """*name*, or with a number where it is taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name[: MOST_LETTERS - 4]}-{number}" in taken:
        number += 1
    return f"{name[: MOST_LETTERS - 4]}-{number}"
