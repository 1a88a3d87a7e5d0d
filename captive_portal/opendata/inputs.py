"""What another program tells: availability by month, states. A file, or an HTTP address that answers with one."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import requests
from pydantic import TypeAdapter, ValidationError

from captive_portal.opendata.sites import SaidMonth, SaidState, Seen

MOST_BYTES = 8 * 1024 * 1024
PATIENCE_SECONDS = 10
Told = TypeVar("Told")


class BadInput(Exception):
    """What another program told cannot be read, or is not what was agreed; says which, where and why."""


def availability(place: str) -> list[SaidMonth]:
    """The lines of the availability file at *place*."""
    return _checked(place, TypeAdapter(list[SaidMonth]))


def states(place: str) -> dict[str, Seen]:
    """How each site is, as told at *place*."""
    said = _checked(place, TypeAdapter(dict[str, SaidState]))
    return {site: Seen(one.etat, one.date_etat) for site, one in said.items()}


def _checked(place: str, shape: TypeAdapter[Told]) -> Told:
    try:
        return shape.validate_python(json.loads(_read(place)))
    except (OSError, ValueError, requests.RequestException) as error:
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise BadInput(f"{place}: {where}: {first['msg']}") from error
        raise BadInput(f"{place}: {error}") from error


def _read(place: str) -> bytes:
    if not place.startswith(("http://", "https://")):
        return Path(place).read_bytes()
    with requests.get(place, timeout=PATIENCE_SECONDS, stream=True) as answer:
        answer.raise_for_status()
        data = answer.raw.read(MOST_BYTES + 1, decode_content=True)
    if len(data) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return bytes(data)


def month_before(today: date) -> str:
    """The last month that is over.

    >>> month_before(date(2026, 1, 31)), month_before(date(2026, 12, 1))
    ('2025-12', '2026-11')
    """
    return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
