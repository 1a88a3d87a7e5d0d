"""Some of the twin's devices on the loopback, in a process of their own: ORDERS NUMBER…

Each has an address of its own, 127.1.0.NUMBER, and UDP port 1161; every fifth speaks SNMPv3.
"""

import asyncio
import sys
from pathlib import Path

from lab.agents import serving
from lab.agents.agent import Device
from lab.agents.standard import About
from lab.agents.usm import User

PORT = 1161
VENDORS = ("ubiquiti", "mikrotik", "aruba")
COMMUNITY = "public"
USER = User("parvis", "SHA-256", "AES-128", "authsecret1", "privsecret1")


def host(number: int) -> str:
    return f"127.1.0.{number + 1}"


def is_v3(number: int) -> bool:
    return number % 5 == 4


def device(number: int) -> Device:
    about = About(f"ap-{number}", "AP SFP", host(number), "02:00:5e:01:01:03", "Accueil")
    vendor = VENDORS[number % len(VENDORS)]
    if is_v3(number):
        return Device(vendor, about, "", PORT, user=USER)
    return Device(vendor, about, "", PORT, community=COMMUNITY)


async def main(orders: Path, numbers: list[int]) -> None:
    await serving.listen([device(number) for number in numbers], orders)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]))
