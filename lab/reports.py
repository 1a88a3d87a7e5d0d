"""Tables of the running twin for the person at the terminal."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.table import Table

from lab import network
from lab.plan import WEB, Resident
from lab.probes import status
from lab.processes import Running, pss_bytes
from lab.town import Lab
from lab.windows import PROXY

PROBE_HOST, PROBE_PATH = "connectivitycheck.gstatic.com", "/generate_204"
HTTP = 80
NO_CONTENT = 204
MEGABYTE = 1024**2
OWNERS = {"ours": "Parvis", "debian": "Debian's servers", "resident": "residents' DHCP clients"}
READABLE_WIDTH = 240
OVER_TLS = {"console"}
SHOWN = {"monitor": "the wall", "console": "staff console"}
"""What a process' page is called to people, where that is not the process' name."""


def print_windows(lab: Lab) -> None:
    """Print what the host's browser may open."""
    about = lab.about
    screen = _screen()
    if about.windows:
        screen.print("Open in this machine's browser:")
    for name, port in about.windows.items():
        if name == PROXY:
            shown = f"chromium --proxy-server=127.0.0.1:{port} http://example.org/   (as {about.proxied})"
            screen.print(f"  {'resident':14}{shown}", highlight=False)
        else:
            scheme = "https" if name in OVER_TLS else "http"
            screen.print(f"  {SHOWN.get(name, name):14}{scheme}://127.0.0.1:{port}/", highlight=False)


def print_account(name: str, password: str, printed: str) -> None:
    """Print how to sign in to the staff console; this is the only time."""
    screen = _screen()
    screen.print(f"Staff console: sign in as {name} with the password {password} and a code from your phone.")
    screen.print(printed.rstrip(), highlight=False, markup=False)


def print_status(lab: Lab) -> None:
    """Print processes with memory, and residents with what they can reach."""
    about, screen = lab.about, _screen()
    wiring = lab.plan
    state = f"up, built in {about.seconds:.1f} s" if about.complete else "not complete: the run was interrupted"
    sites = ", ".join(site.site for site in lab.town.sites)
    screen.print(f"{lab.folder}: {state}; {len(wiring.namespaces)} namespaces {about.prefix}…; sites: {sites}")
    running = lab.processes()
    memory = pss_bytes(running)
    screen.print(_process_table(running, memory))
    totals: dict[str, int] = defaultdict(int)
    for run in running:
        totals[run.program.kind] += memory[run.program.name]
    words = ", ".join(f"{OWNERS[kind]} {size / MEGABYTE:.0f} MB" for kind, size in sorted(totals.items(), reverse=True))
    screen.print(f"Memory (PSS): {words}", highlight=False)
    screen.print(_resident_table(lab, wiring.residents))
    print_windows(lab)


def reach(resident: Resident) -> str:
    """What the resident's phone finds: ``online``, ``captive`` (the portal answers) or ``nothing answers``."""
    found = status(resident.namespace, WEB[0], HTTP, PROBE_PATH, PROBE_HOST)
    if found is None:
        return "nothing answers"
    return "online" if found == NO_CONTENT else "captive"


def _process_table(running: list[Running], memory: dict[str, int]) -> Table:
    table = _table("Process", "Namespace", "PID", "Up", "PSS MB", "State")
    for run in running:
        if not run.alive:
            table.add_row(run.program.name, run.program.namespace, "", "", "", "[red]ended[/red]")
            continue
        state = "ready" if run.ready else "[yellow]not ready[/yellow]"
        size = f"{memory[run.program.name] / MEGABYTE:.1f}"
        table.add_row(run.program.name, run.program.namespace, str(run.pid), f"{run.uptime_seconds:.0f} s", size, state)
    return table


def _resident_table(lab: Lab, residents: list[Resident]) -> Table:
    table = _table("Resident", "Alias", "MAC", "Addresses", "API (option 114)", "State")
    with ThreadPoolExecutor() as pool:
        reached = list(pool.map(reach, residents))
    for resident, state in zip(residents, reached, strict=True):
        addresses = ", ".join(network.addresses(resident.namespace, "wlan0")) or "none"
        url = lab.lease(resident.name).get("url", "none")
        table.add_row(resident.name, resident.alias, resident.mac.text, addresses, url, state)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True, justify="right" if column in {"PID", "Up", "PSS MB"} else "left")
    return table


def _screen() -> Console:
    return Console(width=READABLE_WIDTH, soft_wrap=True, emoji=False)
