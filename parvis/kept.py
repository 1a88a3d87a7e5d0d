"""How long a kind of data is kept, for the programs that erase it: read from the data inventory, and nowhere else.

Small on purpose: the processes on a gateway hold no YAML parser. ``parvis.data_inventory`` reads the same file whole.
"""

import re
from pathlib import Path

FILE = Path(__file__).with_name("data_inventory.yml")
SECONDS_A_DAY = 86400


def kept_days(kind: str) -> int:
    """Days for which *kind* may be kept; KeyError when the inventory does not say.

    >>> kept_days("acceptance-proof")
    365
    """
    text = FILE.read_text("utf-8").partition("\nkinds:\n")[2]
    found = re.search(rf"^  {re.escape(kind)}:\n(?:    .*\n)*?    days: (\d+)$", text, re.MULTILINE)
    if found is None:
        raise KeyError(f"{FILE.name}: no number of days for {kind!r}")
    return int(found[1])


def kept_seconds(kind: str) -> int:
    """The same in seconds."""
    return kept_days(kind) * SECONDS_A_DAY
