"""Import this before anything that imports asyncio: it then does without TLS, as where Python has none, 3 MB less.

For a process whose event loop speaks no TLS. Who imports ssl afterwards, such as a client library in a thread, has it.
"""

import sys

if "asyncio" not in sys.modules and "ssl" not in sys.modules:
    sys.modules["ssl"] = None  # type: ignore[assignment] # importing it fails, which asyncio expects
    try:
        import asyncio as asyncio  # noqa: PLC0414 it is imported for good
    finally:
        del sys.modules["ssl"]
