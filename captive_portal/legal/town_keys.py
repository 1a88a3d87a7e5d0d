"""What everybody may know of the town's keys: one public file, made by the key ceremony, copied to each gateway."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass

from captive_portal.legal.sealing import KEY_BYTES, fingerprint
from captive_portal.legal.segment import Store


@dataclass(frozen=True, slots=True)
class TownKeys:
    """Public halves: of the holders' key of each store, and of what the town signs with; *holders* by name."""

    made: str
    needed: int
    holders: tuple[str, ...]
    stores: dict[Store, bytes]
    signer: bytes

    def text(self) -> str:
        """The file."""
        keys = {store.value: b64encode(key).decode() for store, key in self.stores.items()}
        facts = {"made": self.made, "needed": self.needed, "holders": list(self.holders), "keys": keys}
        return json.dumps({**facts, "signer": b64encode(self.signer).decode()}, indent=1) + "\n"

    def prints(self) -> dict[str, str]:
        """Fingerprints, to be read aloud at the ceremony and compared."""
        named = {f"store {store.value}": fingerprint(key) for store, key in self.stores.items()}
        return {**named, "signature": fingerprint(self.signer)}


def read(text: str) -> TownKeys:
    """The keys in a file; ValueError when it is not one of :meth:`TownKeys.text`."""
    try:
        said = json.loads(text)
        stores = {Store(letter): b64decode(key, validate=True) for letter, key in said["keys"].items()}
        signer = b64decode(said["signer"], validate=True)
        made = TownKeys(str(said["made"]), int(said["needed"]), tuple(map(str, said["holders"])), stores, signer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"is not the public file of a key ceremony: {error}") from error
    if set(stores) != set(Store) or any(len(key) != KEY_BYTES for key in (*stores.values(), signer)):
        raise ValueError("is not the public file of a key ceremony: a key is missing or has another length")
    return made
