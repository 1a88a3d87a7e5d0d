"""The management API's place among the portal's parts."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from captive_portal.devices import key
from captive_portal.management.api import create_api
from captive_portal.management.desk import Desk
from captive_portal.store import Store
from captive_portal.tls import TlsServer
from captive_portal.web.visitor import Hall


def management(handed: dict[str, Any], hall: Hall, store: Store) -> TlsServer:
    """The management API, ready to start."""
    told = handed["management"]
    desk = Desk(
        site=hall.facts.site,
        zone=ZoneInfo(hall.facts.timezone),
        clock=hall.clock,
        store=store,
        door=hall.door,
        doorkeeper=hall.doorkeeper,
        timeline=hall.timeline,
        directives=hall.directives,
        key=lambda mac: key(mac, handed["secret"].encode()),
        uplink=hall.uplink,
    )
    address, port = told["address"]
    desk.reopen()
    api = create_api(desk, told["token"], hall.instruments)
    return TlsServer((address, port), api, Path(told["certificate"]), Path(told["key"]))
