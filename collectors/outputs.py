"""What the collectors derive from the town: the list of poll targets, and faults only they can see."""

from collectors.detect import is_below
from collectors.device import Device, devices
from collectors.schedule import offset_seconds
from collectors.written import profiles
from parvis.inventory import Fault, Town


def outputs(town: Town) -> dict[str, str]:
    """``collectors/targets.tsv``: who is polled, how, and where in the minute."""
    header = "device\tsite\tkind\taddress\tcredential\tturn"
    lines = [header, *(_line(device) for device in devices(town))]
    return {"collectors/targets.tsv": "\n".join(lines) + "\n"}


def faults(town: Town) -> list[Fault]:
    """An object_id that replaces a device's own must be one that some profile knows, or it serves nothing."""
    roots = {match.object_id for profile in profiles() for match in profile.match if match.object_id}
    found = []
    for site in town.sites:
        for device in site.polled():
            given = device.snmp.object_id
            if given and not any(is_below(given, root) for root in roots):
                message = f"{device.name}: no profile knows object_id {given}"
                fix = f"leave it out, or use one below {', '.join(sorted(roots))}"
                found.append(Fault(f"sites/{site.site}.yml", 1, device.name, message, fix))
    return found


def _line(device: Device) -> str:
    turn = f"{offset_seconds(device.name, 60):05.2f} s"
    return "\t".join((device.name, device.site, device.kind, f"{device.host}:{device.port}", device.credential, turn))
