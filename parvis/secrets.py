"""Secrets by name, from where they were delivered. It imports little: small processes use it."""

import os
from collections.abc import Mapping
from pathlib import Path

from parvis.values import Secret


class SettingsError(Exception):
    """The settings are wrong; each line says which key, why, and from where. Whoever runs the process must act."""


class SecretMissing(SettingsError):
    """A secret the process needs was not delivered to it."""


def find_secret(name: str, folder: Path | None, environment: Mapping[str, str] = os.environ) -> Secret:
    """Read the secret *name* from ``$CREDENTIALS_DIRECTORY`` (systemd.exec) or *folder*, less one trailing newline.

    SecretMissing when no file of that name is there, is empty, or cannot be read.
    """
    places = [Path(environment["CREDENTIALS_DIRECTORY"])] if environment.get("CREDENTIALS_DIRECTORY") else []
    places += [folder] if folder else []
    for place in places:
        try:
            text = (place / name).read_text("utf-8").removesuffix("\n")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise SecretMissing(f"secret {name}: {place / name} cannot be read: {error}") from error
        if not text:
            raise SecretMissing(f"secret {name}: {place / name} is empty; write the secret into it")
        return Secret(text)
    looked = ", ".join(str(place) for place in places) or "nowhere: set PARVIS_SECRETS or LoadCredential="
    raise SecretMissing(f"secret {name} is missing; looked in {looked}")
