"""Light in optical modules: from watts to dBm, and what Huawei means by its numbers. No I/O, no clock."""

from collections.abc import Mapping
from math import log10

Read = str | float | None
Row = Mapping[str, Read]

DERIVED = ("rx_dbm", "tx_dbm")
SAME_HUNDREDTHS = 50
"""0.5 dB: the two readings of one module are not taken at the same instant."""


def dbm(watts: float) -> float | None:
    """Light in dBm; None: none at all. What is too weak or too strong to be light is plausibility's to say.

    >>> dbm(0.000221), dbm(0.0), dbm(1e-7)
    (-6.556, None, -40.0)
    """
    return round(10 * log10(watts * 1000), 3) if watts > 0 else None


def derive_huawei(modules: Mapping[bytes, Row], *, hundredths: bool = False) -> dict[bytes, dict[str, Read]]:
    r"""HUAWEI-ENTITY-EXTENT-MIB hwOpticalModuleInfoTable with *rx_dbm* and *tx_dbm*.

    Older switches give microwatts, newer devices hundredths of a dBm. A negative number can only be the latter; then
    the module's other number is one too. Two positive ones are hundredths if the lanes' texts, which always are, agree;
    or where *hundredths* says so of the software.

    >>> rows = derive_huawei({b"\x01": {"rx": -622.0, "tx": 150.0}, b"\x02": {"rx": 239.0, "tx": 562.0}})
    >>> [(row["rx_dbm"], row["tx_dbm"]) for row in rows.values()]
    [(-6.22, 1.5), (-6.216, -2.503)]
    """
    return {suffix: {**row, **_huawei(row, hundredths=hundredths)} for suffix, row in modules.items()}


def _huawei(row: Row, *, hundredths: bool) -> dict[str, Read]:
    raw = {name: value for name in ("rx", "tx") if isinstance(value := row.get(name), int | float)}
    hundredths = hundredths or any(power < 0 or _agrees(row, name, power) for name, power in raw.items())
    return {f"{name}_dbm": _light(value / 100) if hundredths else dbm(value * 1e-6) for name, value in raw.items()}


def _agrees(row: Row, name: str, value: float) -> bool:
    """Whether the first lane's text says the same number."""
    lane = row.get(f"lane_{name}")
    return isinstance(lane, int | float) and abs(lane - value) <= SAME_HUNDREDTHS


def _light(power: float) -> float | None:
    """A power in dBm, unless it says that there is none."""
    return round(power, 3) if power else None
