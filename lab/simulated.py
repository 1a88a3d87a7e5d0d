"""What the town is played against, in one process: the access points' SNMP agents and the fake internet.

``python -m lab.simulated DEVICES ORDERS CERTIFICATE KEY``, run where the internet is. DEVICES is a JSON list of
devices, whose sockets are opened in their own namespaces; ORDERS is the path of the socket for orders.
"""

import asyncio
import json
import sys
from pathlib import Path

from lab import inet
from lab.agents import serving
from lab.agents.agent import Device


async def main(devices: list[Device], orders: Path, certificate: Path, key: Path) -> None:
    """Serve until the process is ended; the internet last, by which one sees that all is open."""
    await serving.listen(devices, orders)
    await inet.serve(certificate, key)


if __name__ == "__main__":
    listed, *paths = map(Path, sys.argv[1:5])
    asyncio.run(main([Device.read(raw) for raw in json.loads(listed.read_text())], *paths))
