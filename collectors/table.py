"""What a poll found, as tables for a newcomer: one line a radio, a network name, a port."""

from collections import defaultdict
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from collectors.device import Polled
from collectors.sample import Sample

YES_NO = "yes/no"
Columns = dict[str, tuple[str, float, str]]
"""For each metric (with its part, if any): the column's heading, a factor, and the format of a value."""

RADIO: Columns = {
    "wifi_radio_clients": ("Clients", 1, "{:.0f}"),
    "wifi_radio_channel": ("Channel", 1, "{:.0f}"),
    "wifi_radio_frequency_hertz": ("MHz", 1e-6, "{:.0f}"),
    "wifi_radio_tx_power_dbm": ("Power dBm", 1, "{:g}"),
    "wifi_radio_noise_floor_dbm": ("Noise dBm", 1, "{:g}"),
    "wifi_radio_channel_utilization_ratio total": ("Busy", 1, "{:.0%}"),
}
NETWORK: Columns = {"wifi_ssid_clients": ("Clients", 1, "{:.0f}")}
PORT: Columns = {
    "port_up": ("Up", 1, YES_NO),
    "port_admin_up": ("Enabled", 1, YES_NO),
    "port_speed_bits_per_second": ("Mbit/s", 1e-6, "{:g}"),
    "port_receive_bytes_total": ("Received GB", 1e-9, "{:,.3f}"),
    "port_transmit_bytes_total": ("Sent GB", 1e-9, "{:,.3f}"),
    "port_receive_errors_total": ("Errors in", 1, "{:.0f}"),
    "port_transmit_errors_total": ("Errors out", 1, "{:.0f}"),
    "optical_rx_power_dbm": ("Light in dBm", 1, "{:.2f}"),
    "optical_tx_power_dbm": ("Light out dBm", 1, "{:.2f}"),
}
SECTIONS: tuple[tuple[str, tuple[str, ...], Columns], ...] = (
    ("Radios", ("ap", "radio", "band"), RADIO),
    ("Network names", ("ssid", "band"), NETWORK),
    ("Ports", ("port",), PORT),
)


def print_poll(polled: Polled, where: str) -> None:
    """Print what *polled* found at *where*."""
    console = Console()
    console.print(f"[bold]{where}[/bold] says: {polled.description or 'nothing about itself'}", highlight=False)
    console.print(f"Profile [bold]{polled.profile}[/bold] ({polled.title}), because {polled.why}.", highlight=False)
    if polled.engine_id:
        console.print(f"SNMPv3 engine {polled.engine_id.hex()}.", highlight=False)
    for oid, end in polled.faults:
        console.print(f"[yellow]The device's answer for {oid} is incomplete: {end}.[/yellow]", highlight=False)
    shown: set[str] = set()
    for title, labels, columns in SECTIONS:
        table = _pivot(title, labels, columns, polled.samples)
        if table:
            console.print(table)
            shown |= {key.split()[0] for key in columns}
    shown |= {sample.metric for sample in polled.samples if sample.metric.startswith("port_")}
    console.print(_listing(sample for sample in polled.samples if sample.metric not in shown))


def _shown(form: str, value: float) -> str:
    return ("yes" if value else "no") if form == YES_NO else form.format(value)


def _pivot(title: str, labels: tuple[str, ...], columns: Columns, samples: Iterable[Sample]) -> Table | None:
    cells: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for sample in samples:
        found = dict(sample.labels)
        key = f"{sample.metric} {found['part']}" if "part" in found else sample.metric
        if key in columns:
            _, factor, form = columns[key]
            cells[tuple(found.get(label, "") for label in labels)][key] = _shown(form, sample.value * factor)
    if not cells:
        return None
    present = [key for key in columns if any(key in row for row in cells.values())]
    named = [position for position, _ in enumerate(labels) if any(name[position] for name in cells)]
    table = Table(title=title, title_justify="left", header_style="bold")
    for position in named:
        table.add_column(labels[position].capitalize() if labels[position] not in {"ap", "ssid"} else "Name")
    for key in present:
        table.add_column(columns[key][0], justify="right")
    for name, row in cells.items():
        table.add_row(*(name[position] for position in named), *(row.get(key, "-") for key in present))
    return table


def _listing(samples: Iterable[Sample]) -> Table:
    table = Table(title="Also", title_justify="left", header_style="bold")
    table.add_column("Metric", overflow="fold")
    table.add_column("Labels", overflow="fold")
    table.add_column("Value", justify="right")
    for sample in samples:
        labels = ", ".join(f"{name}={value}" for name, value in sample.labels if name != "device")
        table.add_row(sample.metric, labels, f"{sample.value:g}")
    return table
