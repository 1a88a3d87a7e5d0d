"""Run by test_echo_probe.py in a network namespace of its own: one round of echoes a line, as JSON."""

import json
import subprocess
import sys
import time
from ipaddress import ip_address

from monitor.probes.icmp import Prober, _received
from monitor.targets import Kind, Target
from parvis.echo import ping_socket, request

SILENT = "192.0.2.9"
ADDRESSES = {"near": "127.0.0.1", "six": "::1", "far": "192.0.2.1", "silent": SILENT, "nowhere": "203.0.113.1"}


def run(*words: str) -> None:
    subprocess.run(words, check=True)


def tell(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


def main(rounds: int) -> None:
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", "192.0.2.1/32", "dev", "lo")
    run("ip", "link", "add", "void0", "type", "veth", "peer", "name", "void1")
    run("ip", "address", "add", "192.0.2.10/30", "dev", "void0")
    run("ip", "link", "set", "void0", "up")
    run("ip", "link", "set", "void1", "up")
    run("ip", "neighbour", "add", SILENT, "lladdr", "02:00:5e:00:00:09", "dev", "void0")
    targets = [Target(name, Kind.GATEWAY, "site", ip_address(text)) for name, text in ADDRESSES.items()]
    with Prober(targets, timeout=0.5, window=4) as prober:
        for _ in range(rounds):
            started = time.monotonic()
            outcomes = {o.target: [o.answered, o.loss_ratio, o.rtt_seconds] for o in prober.round()}
            tell({"outcomes": outcomes, "seconds": time.monotonic() - started})
    tell(prober.counts)
    tell({"stamped_after": stamped_after()})


def stamped_after() -> float | None:
    """Seconds from an echo to its kernel stamp, read a tenth of a second late."""
    with ping_socket(4) as channel:
        sent = time.time_ns()
        channel.sendto(request(4, 1, b"token"), ("127.0.0.1", 0))
        time.sleep(0.1)
        stamps = [stamp for _packet, _source, stamp in _received(channel)]
    return None if stamps[0] is None else (stamps[0] - sent) / 1e9


if __name__ == "__main__":
    main(int(sys.argv[1]))
