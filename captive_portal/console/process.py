"""The console's process: pages for staff over HTTPS, metrics. ``parvis console`` starts it; this is what it becomes."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from captive_portal.console.accounts import Accounts
from captive_portal.console.application import create_app
from captive_portal.console.audit import Audit
from captive_portal.console.hall import Hall
from captive_portal.console.secrecy import Acknowledgements
from captive_portal.console.sites import Site, Sites
from captive_portal.console.upkeep import Upkeep
from captive_portal.legal.clock_marks import Witness
from captive_portal.tls import TlsServer
from parvis.endpoint import Endpoint
from parvis.instruments import VERSION, Definition, registry_of
from parvis.launch import handed
from parvis.running import hold, start_logging


def run(facts: dict[str, Any]) -> None:
    """Serve until a signal. *facts* are those of :func:`captive_portal.console.commands.console_facts`."""
    start_logging("console", facts["log_level"])
    registry, instruments = registry_of("console", [Definition(**entry) for entry in facts["metrics"]])
    Path(facts["audit"]).mkdir(mode=0o700, exist_ok=True)
    audit = Audit(Path(facts["audit"]))
    witness, refused = Witness(Path(facts["clock"]), audit.newest_day), "console_erasing_refused_files"
    upkeep = Upkeep(audit, witness, Path(facts["records"]), instruments.gauge(refused).set)
    hall = Hall(
        town=facts["title"],
        zone=ZoneInfo(facts["timezone"]),
        accounts=Accounts(Path(facts["accounts"])),
        audit=audit,
        sites=Sites([Site(**site) for site in facts["sites"]], Path(facts["authority"]), facts["token"]),
        instruments=instruments,
        acknowledged=Acknowledgements(Path(facts["acknowledged"])),
    )
    app = create_app(hall)
    if facts["oidc"]:
        from captive_portal.console.oidc import Provider, add_oidc  # noqa: PLC0415 10 MB, where it is used

        add_oidc(app, Provider(**facts["oidc"]))
    server = TlsServer((facts["bind"], facts["https_port"]), app, Path(facts["certificate"]), Path(facts["key"]))
    endpoint = Endpoint((facts["listen"], facts["port"]), registry, {"upkeep": upkeep.wrong})
    hold([server, endpoint], version=VERSION, town=facts["town"], port=facts["port"])


if __name__ == "__main__":
    run(handed("console"))
