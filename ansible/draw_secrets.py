#!/usr/bin/env python3
"""Draws every secret the town needs that FILE does not hold yet, as YAML for Ansible: ``ansible/draw_secrets.py FILE``.

The town's folder is ``$PARVIS_TOWN``. Encrypt the file afterwards: ``ansible-vault encrypt FILE``. A secret that a
device or an operator knows already (SNMP passwords, an SMS account) is written over what was drawn.
"""

import os
import secrets
import sys
from pathlib import Path

import yaml

from parvis.inventory import DEMO_TOWN, load
from upkeep.delivered import everything

BYTES = 32


def completed(held: dict[str, str], wanted: list[str]) -> dict[str, str]:
    """*held*, and a fresh random secret for each name of *wanted* that is not in it."""
    return held | {name: secrets.token_urlsafe(BYTES) for name in wanted if name not in held}


def main() -> None:
    """Read, complete, write."""
    if len(sys.argv) != 2:  # noqa: PLR2004 the program's name and the file
        sys.exit(str(__doc__))
    file = Path(sys.argv[1])
    text = file.read_text("utf-8") if file.exists() else ""
    if text.startswith("$ANSIBLE_VAULT"):
        sys.exit(f"{file} is encrypted; ansible-vault decrypt it first")
    held = (yaml.safe_load(text) or {}).get("parvis_secrets", {})
    made = completed(held, list(everything(load(Path(os.environ.get("PARVIS_TOWN") or DEMO_TOWN)))))
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump({"parvis_secrets": made}), "utf-8")
    sys.stdout.write(
        f"{file}: {len(made) - len(held)} drawn, {len(held)} kept; encrypt it: ansible-vault encrypt {file}\n"
    )


if __name__ == "__main__":
    main()
