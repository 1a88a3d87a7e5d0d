"""What ``parvis collectors`` becomes once everything is read and checked: the service, without what that took."""

import pickle
import sys

import parvis.without_tls  # noqa: F401 before anything imports asyncio

# isort: split
from collectors.service import serve
from collectors.traps.door import CannotListen
from parvis.launch import handed_bytes
from parvis.secrets import SettingsError


def main() -> int:
    """Serve what was handed over, until a signal; the exit code."""
    start = pickle.loads(handed_bytes("collectors"))  # noqa: S301 what our own first step wrote for us alone
    try:
        return serve(start)
    except (CannotListen, SettingsError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
