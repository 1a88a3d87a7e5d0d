"""One key for each UTC day and store: its public half seals, its private half is itself sealed to the town's holders.

Whoever destroys the key's file makes that day unreadable wherever copies of its sealed files are. So the folder of keys
is kept out of every backup; it is copied live, and destroyed in each place.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from captive_portal.legal import sealing
from captive_portal.legal.segment import Store, key_name
from parvis.durable import write_whole


@dataclass(frozen=True, slots=True)
class DayKey:
    """What a key's file holds; *wrapped* opens with the holders' key called *master* only."""

    store: Store
    gateway: str
    day: date
    public: bytes
    wrapped: bytes
    master: str

    @property
    def about(self) -> str:
        """The words the private half is sealed with."""
        return f"parvis day key {self.store.value} {self.gateway} {self.day.isoformat()}"

    def text(self) -> str:
        """The file."""
        return json.dumps(
            {
                "store": self.store.value,
                "gateway": self.gateway,
                "day": self.day.isoformat(),
                "public": b64encode(self.public).decode(),
                "wrapped": b64encode(self.wrapped).decode(),
                "master": self.master,
            }
        )

    def private(self, master: bytes) -> bytes:
        """The day's private key; sealing.NotOurs when *master* is not the holders' key it was made for."""
        return sealing.unseal(master, self.wrapped, self.about)


def read(text: str) -> DayKey:
    """The key a file holds; ValueError when it is none."""
    try:
        said: Mapping[str, Any] = json.loads(text)
        return DayKey(
            Store(said["store"]),
            str(said["gateway"]),
            date.fromisoformat(said["day"]),
            b64decode(said["public"], validate=True),
            b64decode(said["wrapped"], validate=True),
            str(said["master"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"is no key of a day: {error}") from error


def new(store: Store, gateway: str, day: date, master: bytes) -> DayKey:
    """A fresh key, whose private half nobody but the holders of *master* has from here on."""
    pair = sealing.new_pair()
    bare = DayKey(store, gateway, day, pair.public, b"", sealing.fingerprint(master))
    wrapped = sealing.seal(master, pair.private, bare.about)
    return DayKey(store, gateway, day, pair.public, wrapped, bare.master)


def of_day(folder: Path, store: Store, gateway: str, day: date, master: bytes) -> DayKey:
    """The key in *folder*; a new one, on disk when this returns, where there is none or it was for other holders."""
    path = folder / key_name(store, gateway, day)
    if path.exists():
        known = read(path.read_text("ascii"))
        if known.master == sealing.fingerprint(master):
            return known
        path.rename(path.with_name(f"{path.stem}-{known.master}.key"))  # its sealed files open with the old holders'
    made = new(store, gateway, day, master)
    write_whole(path, made.text().encode("ascii"))
    return made
