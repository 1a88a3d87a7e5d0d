"""Pushing the export to Opendatasoft and data.gouv.fr: only what changed, again after a failure, no key in a log.

Opendatasoft's push key is part of the address, so nothing here says an address: neither our words nor urllib3's.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from parvis.inventory.places import DATA_GOUV_SECRET, DataGouv, Opendatasoft
from parvis.values import Secret

PATIENCE_SECONDS = 20
TRIES = 5
AT_ONCE = 500
"""Records of one push."""
ENDINGS = ("csv", "json", "geojson", "parquet", "schema.json")
"""The files of a dataset that data.gouv.fr gets."""
SAY_ADDRESSES = ("urllib3.connectionpool", "urllib3.util.retry")
"""Loggers whose lines would hold the key."""
AGAIN = (429, 500, 502, 503, 504)


class NotPushed(Exception):
    """The portal refused or did not answer; says which dataset, and what the portal said. Nothing holds a key."""


def _silent(_record: logging.LogRecord) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do at a portal, in words, and how."""

    words: str
    do: Callable[[], None]


def session(pause_seconds: float = 1.0) -> requests.Session:
    """HTTP that tries again after what may pass, as urllib3 does it, and is silent about where it goes."""
    for name in SAY_ADDRESSES:
        logging.getLogger(name).addFilter(_silent)
    retry = Retry(
        total=TRIES,
        backoff_factor=pause_seconds,
        status_forcelist=AGAIN,
        allowed_methods=None,  # our writes may be repeated: the same record and the same file change nothing
        raise_on_status=False,
    )
    made = requests.Session()
    for scheme in ("https://", "http://"):
        made.mount(scheme, HTTPAdapter(max_retries=retry))
    return made


def to_opendatasoft(
    http: requests.Session, portal: Opendatasoft, folder: Path, key: Callable[[str], Secret], known: dict[str, str]
) -> list[Step]:
    """What has to be pushed: datasets whose rows are not those pushed last (*known*, changed when a step is done)."""
    steps = []
    for name, resource in portal.resources.items():
        data = (folder / f"{name}.json").read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if known.get(f"{portal.url} {resource}") == digest:
            continue
        rows = json.loads(data)

        def push(name: str = name, resource: str = resource, rows: list[Any] = rows, digest: str = digest) -> None:
            for start in range(0, len(rows), AT_ONCE):
                _push(http, portal.url, name, resource, key(portal.secret(name)), rows[start : start + AT_ONCE])
            known[f"{portal.url} {resource}"] = digest

        steps.append(Step(f"Opendatasoft {resource}: {len(rows)} records of {name}", push))
    return steps


def _push(http: requests.Session, url: str, name: str, resource: str, key: Secret, rows: list[Any]) -> None:
    address = f"{url.rstrip('/')}/api/push/1.0/{resource}/push/"
    said = _spoken(
        name, lambda: http.post(address, params={"pushkey": key.reveal()}, json=rows, timeout=PATIENCE_SECONDS)
    )
    if said.get("status") != "ok":
        raise NotPushed(f"{name}: the portal did not say ok")


def to_data_gouv(http: requests.Session, portal: DataGouv, folder: Path, key: Callable[[str], Secret]) -> list[Step]:
    """What has to be uploaded: files that are not there yet, or with another checksum."""
    steps = []
    for name, dataset in portal.datasets.items():
        address = f"{portal.url.rstrip('/')}/api/1/datasets/{dataset}/"
        there = _spoken(name, lambda address=address: http.get(address, timeout=PATIENCE_SECONDS))  # type: ignore[misc]
        known = {one["title"]: one for one in there.get("resources", [])}
        for file in (folder / f"{name}.{ending}" for ending in ENDINGS):
            if not file.exists():
                continue
            old = known.get(file.name)
            if old and (old.get("checksum") or {}).get("value") == _sha1(file):
                continue
            where = f"{address}resources/{old['id']}/upload/" if old else f"{address}upload/"

            def upload(name: str = name, file: Path = file, where: str = where) -> None:
                _upload(http, name, file, where, key(DATA_GOUV_SECRET))

            steps.append(Step(f"data.gouv.fr {dataset}: {'replace' if old else 'add'} {file.name}", upload))
    return steps


def _upload(http: requests.Session, name: str, file: Path, where: str, key: Secret) -> None:
    headers = {"X-API-KEY": key.reveal()}
    body = {"file": (file.name, file.read_bytes())}
    made = _spoken(name, lambda: http.post(where, files=body, headers=headers, timeout=PATIENCE_SECONDS))
    if not made.get("success", True):
        raise NotPushed(f"{name}: data.gouv.fr did not take {file.name}")


def _sha1(file: Path) -> str:
    return hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()


def _spoken(name: str, ask: Callable[[], requests.Response]) -> Mapping[str, Any]:
    """The portal's answer, JSON; NotPushed, whose words hold no address."""
    try:
        answer = ask()
    except requests.RequestException as error:
        raise NotPushed(f"{name}: the portal does not answer ({type(error).__name__}); try again later") from None
    if answer.status_code // 100 != 2:  # noqa: PLR2004
        hint = "; check the key" if answer.status_code in {401, 403} else ""
        raise NotPushed(f"{name}: the portal refused with {answer.status_code}{hint}")
    try:
        said = answer.json()
    except ValueError:
        raise NotPushed(f"{name}: the portal's answer is no JSON") from None
    return said if isinstance(said, dict) else {}
