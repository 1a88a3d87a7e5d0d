"""What can be true of each metric: bounds in its unit, in one place for all profiles. No I/O, no clock.

A value out of bounds is no sample; it is counted, because it is an agent's fault or ours. Sentinels that a profile
names (`absent`) are states of the device, and are not.
"""

from collections.abc import Mapping
from typing import NamedTuple

from collectors.radio import BANDS, LINKS, MEGAHERTZ


class Bounds(NamedTuple):
    """The least and the greatest value that can be true, both included."""

    low: float
    high: float

    def hold(self, value: float) -> bool:
        """Whether *value* can be true."""
        return self.low <= value <= self.high


CELSIUS = Bounds(-50, 125)
"""Outdoors in winter, a chip at its end; 127 and 127.996 are a field of ones."""
RATIO = Bounds(0, 1)
LIGHT_DBM = Bounds(-39.9, 20)
"""Modules that see nothing report their floor, -40 dBm; weaker light than this is no light."""
AMPLIFIED_DBM = Bounds(LIGHT_DBM.low, 40)
"""Of an amplifier, as the rule says (``amplified``): it sends up to 10 W, which are shared out among many fibres."""
THRESHOLD_DBM = Bounds(-50, 20)
MODULE_VOLTS = Bounds(0.5, 6.5)
BIAS_AMPERES = Bounds(0, 0.52)
"""A module counts in 16 bits of 0.1 mV and of 2 to 8 uA (SFF-8472, CMIS); all ones, 6.5535 V, say nothing."""
SIGNAL_DBM = Bounds(-120, -2)
"""Not -1: an error's number."""
RATE = tuple(Bounds(low, high) for low, high in ((0, 2**31 - 2), (2**31, 2**32 - 2), (2**32, 1e11)))
"""Bits per second; not a field of 31 or 32 ones."""
CLIENTS = Bounds(0, 64_000)
"""As many as the largest controller admits; 65535 is a counter of 16 bits that says none."""

FREQUENCY = "wifi_radio_frequency_hertz"
WIFI, LICENSED = (
    tuple(Bounds(low * MEGAHERTZ, high * MEGAHERTZ) for low, high in edges) for edges in (BANDS.values(), LINKS)
)

BOUNDS: Mapping[str, tuple[Bounds, ...]] = {
    "device_cpu_utilization_ratio": (RATIO,),
    "device_load_1min": (Bounds(0, 100_000),),
    "device_memory_bytes": (Bounds(0, 1e15),),
    "device_temperature_celsius": (CELSIUS,),
    "port_speed_bits_per_second": (Bounds(1, 2e12),),
    "port_counters_since_seconds": (Bounds(0, 2**32 / 100),),
    "wifi_radio_clients": (CLIENTS,),
    "wifi_ssid_clients": (CLIENTS,),
    "wifi_clients": (CLIENTS,),
    "wifi_ap_clients": (CLIENTS,),
    "wifi_radio_channel": (Bounds(1, 233),),
    FREQUENCY: WIFI,
    "wifi_radio_channel_utilization_ratio": (RATIO,),
    "wifi_radio_noise_floor_dbm": (Bounds(-120, -20),),
    "wifi_radio_tx_power_dbm": (Bounds(-20, 60),),
    "wifi_radio_ccq_ratio": (RATIO,),
    "wifi_link_signal_dbm": (SIGNAL_DBM,),
    "wifi_link_snr_db": (Bounds(0, 100),),
    "wifi_link_rate_bits_per_second": RATE,
    "wifi_link_distance_meters": (Bounds(0.1, 300_000),),
    "wifi_client_signal_dbm": (SIGNAL_DBM,),
    "wifi_client_snr_db": (Bounds(0, 100),),
    "wifi_client_rate_bits_per_second": RATE,
    "device_fan_rpm": (Bounds(0, 60_000),),
    "wifi_controller_aps": (CLIENTS,),
    "optical_rx_power_dbm": (LIGHT_DBM,),
    "optical_tx_power_dbm": (LIGHT_DBM,),
    "optical_temperature_celsius": (CELSIUS,),
    "optical_bias_amperes": (BIAS_AMPERES,),
    "optical_voltage_volts": (MODULE_VOLTS,),
    "optical_threshold_dbm": (THRESHOLD_DBM,),
    "pon_onu_rx_power_dbm": (LIGHT_DBM,),
    "pon_onu_tx_power_dbm": (LIGHT_DBM,),
    "pon_olt_rx_power_dbm": (LIGHT_DBM,),
    "poe_port_power_watts": (Bounds(0, 200),),
    "poe_budget_watts": (Bounds(1, 100_000),),
    "poe_consumption_watts": (Bounds(0, 100_000),),
}
"""Every metric that is measured and not counted; a value must lie within one of its bounds."""
DARK = frozenset(metric for metric, bounds in BOUNDS.items() if LIGHT_DBM in bounds)
"""Metrics of which a value below the bounds means "no light": a state, not a fault."""
NO_LIGHT = "no light"
WIDER: Mapping[str, tuple[Bounds, ...]] = {**dict.fromkeys(DARK, (AMPLIFIED_DBM,)), FREQUENCY: (*WIFI, *LICENSED)}
"""Where the rule says so: light of an amplifier, frequency of a licensed bridge."""


def doubt(metric: str, value: float, *, wider: bool = False) -> str | None:
    """Why *value* cannot be a measurement of *metric*, in words; None when it can. *wider*: see :data:`WIDER`.

    >>> doubt("device_temperature_celsius", 5000), doubt("optical_rx_power_dbm", -40)
    ('implausible: not within -50 to 125', 'no light: not within -39.9 to 20')
    >>> doubt("optical_rx_power_dbm", -8.2), doubt("port_up", 1), doubt("optical_tx_power_dbm", 33.5, wider=True)
    (None, None, None)
    """
    bounds = (WIDER if wider else BOUNDS).get(metric)
    if bounds is None or any(each.hold(value) for each in bounds):
        return None
    kind = NO_LIGHT if metric in DARK and value < bounds[0].low else "implausible"
    return f"{kind}: not within {' or '.join(f'{low:g} to {high:g}' for low, high in bounds)}"
