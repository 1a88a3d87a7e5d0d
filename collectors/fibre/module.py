"""One optical module: which limits hold for it, how far it is from them, and its state when it shows no light.

No I/O, no clock. Works on the samples of one device, whichever profile they came from.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from collectors.sample import Labels, Sample

RX, TX = "optical_rx_power_dbm", "optical_tx_power_dbm"
THRESHOLD, STATE, INFO, MARGIN = (
    "optical_threshold_dbm",
    "optical_state",
    "optical_module_info",
    "optical_margin_db",
)
ALIVE = ("optical_temperature_celsius", "optical_voltage_volts", "optical_bias_amperes")
"""What a module tells even when it sees no light."""
DIRECTIONS = {RX: "rx", TX: "tx"}
NAMES = ("low_alarm", "low_warn", "high_warn", "high_alarm")
MIN_SPAN_DB = 3
"""Between the warnings; modules that claim less have not been programmed."""
NO_LIGHT, LASER_OFF, NO_DDM, OK = "no_light", "laser_off", "no_ddm", "ok"

CLASSES: tuple[tuple[re.Pattern[str], tuple[float, float, float, float]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), limits)
    for pattern, limits in (
        (r"GPON.*C\+.*OLT|OLT.*C\+", (-32, -30, -12, -12)),
        (r"GPON.*B\+.*OLT|OLT.*B\+|GPON.?OLT", (-29, -28, -8, -8)),
        (r"GPON", (-28, -27, -8, -8)),
        (r"10G\w*[-_ ]?LRM", (-12.4, -8.4, 0.5, 0.5)),
        (r"10G\w*[-_ ]?LR", (-18.4, -14.4, 0.5, 0.5)),
        (r"10G\w*[-_ ]?SR", (-13.9, -11.1, -1, -1)),
        (r"(1000|1G|GE|GLC)\w*[-_ ]?(base)?[-_ ]?BX", (-22.5, -19.5, -3, -3)),
        (r"(1000|1G|GE|GLC|SFP)\w*[-_ ]?(base)?[-_ ]?(LX|LH)", (-23, -20, -3, -3)),
        (r"(1000|1G|GE|GLC|SFP)\w*[-_ ]?(base)?[-_ ]?SX", (-20, -17, 0, 0)),
    )
)
"""Received light by kind of module: low alarm, low warning, high warning, high alarm (IEEE 802.3, ITU-T G.984.2).

Where a standard has one upper limit it stands for both. The lower alarm is what receivers still bear beyond it.
"""

Limits = Mapping[str, float]


@dataclass(slots=True)
class Module:
    """What the samples of one port say. *dark*: directions that were asked and gave no value."""

    light: list[tuple[str, Labels, float]] = field(default_factory=list)
    limits: dict[str, dict[str, float]] = field(default_factory=lambda: {"rx": {}, "tx": {}})
    told: set[str] = field(default_factory=set)
    dark: set[str] = field(default_factory=set)
    kind: str = ""
    is_alive: bool = False


def filled(told: Limits) -> Limits:
    """Limits with those a device does not tell: its alarm stands for its warning, and its warning for its alarm.

    >>> filled({"low_alarm": -20, "high_warn": -1})
    {'low_alarm': -20, 'low_warn': -20, 'high_warn': -1, 'high_alarm': -1}
    """
    other = {"low_alarm": "low_warn", "low_warn": "low_alarm", "high_warn": "high_alarm", "high_alarm": "high_warn"}
    return {name: told.get(name, told.get(other[name], 0)) for name in NAMES if name in told or other[name] in told}


def are_limits(found: Limits) -> bool:
    """Whether four limits can be a module's: in order, and far enough apart.

    >>> are_limits({"low_alarm": -20, "low_warn": -18, "high_warn": -1, "high_alarm": 0})
    True
    >>> are_limits({"low_alarm": 0, "low_warn": -30, "high_warn": -1, "high_alarm": 0}), are_limits({"low_alarm": -20})
    (False, False)
    """
    if len(found) < len(NAMES):
        return False
    low_alarm, low_warn, high_warn, high_alarm = (found[name] for name in NAMES)
    return low_alarm <= low_warn < high_warn <= high_alarm and high_warn - low_warn >= MIN_SPAN_DB


def limits_of_class(kind: str) -> Limits:
    """What modules of this kind bear at the receiver; empty for a kind that is not known.

    >>> limits_of_class("SFP-10GBase-LR")["low_warn"], limits_of_class("1000BASE-LX")["low_warn"]
    (-14.4, -20)
    >>> limits_of_class("direct attach copper")
    {}
    """
    found = next((limits for pattern, limits in CLASSES if pattern.search(kind)), ())
    return dict(zip(NAMES, found, strict=False))


def complete(samples: Iterable[Sample], dark: Iterable[tuple[str, Labels]], at: float) -> list[Sample]:
    """*samples* with checked limits instead of those the device told, with margins, and with each module's state.

    *dark* are the series of received or sent light that were asked for and gave no value.
    """
    modules: dict[Labels, Module] = defaultdict(Module)
    kept = [each for each in samples if not each.metric.startswith("optical_") or not _take(modules, each)]
    for metric, labels in dark:
        modules[_port(labels)].dark.add(DIRECTIONS[metric])
    for port, module in modules.items():
        kept += _conclusions(port, module, at)
    return kept


def _port(labels: Labels) -> Labels:
    """The labels that tell the module from others, without those that tell its series apart."""
    return tuple((name, value) for name, value in labels if name not in {"lane", "which", "state", "type"})


def _take(modules: dict[Labels, Module], sample: Sample) -> bool:
    """Note what *sample* says of its module; whether it is to be left out, because a conclusion replaces it."""
    labels = dict(sample.labels)
    if "onu" in labels:
        return False
    module = modules[_port(sample.labels)]
    if sample.metric in DIRECTIONS:
        module.light.append((DIRECTIONS[sample.metric], sample.labels, sample.value))
    elif sample.metric in ALIVE:
        module.is_alive = True
    elif sample.metric == INFO:
        module.kind = labels.get("type", "")
    elif sample.metric == THRESHOLD:
        direction, _, name = labels.get("which", "").partition("_")
        module.limits.get(direction, {})[name] = sample.value
        return True
    elif sample.metric == STATE:
        module.told.add(labels.get("state", ""))
        return True
    return False


def _conclusions(port: Labels, module: Module, at: float) -> Iterator[Sample]:
    for direction, told in module.limits.items():
        own = filled(told)
        limits: Limits = own if are_limits(own) else limits_of_class(module.kind) if direction == "rx" else {}
        source = "module" if limits is own else "class"
        for name, limit in limits.items():
            labels = (*port, ("which", f"{direction}_{name}"), ("source", source))
            yield Sample(THRESHOLD, labels, limit, at)
        if limits:
            yield from _margins(module, direction, limits, at)
    for state in sorted(states(module)):
        yield Sample(STATE, (*port, ("state", state)), 1, at)


def _margins(module: Module, direction: str, limits: Limits, at: float) -> Iterator[Sample]:
    for each, labels, power in module.light:
        if each == direction:
            yield Sample(MARGIN, (*labels, ("which", f"{each}_low_warn")), round(power - limits["low_warn"], 3), at)
            yield Sample(MARGIN, (*labels, ("which", f"{each}_high_warn")), round(limits["high_warn"] - power, 3), at)


def states(module: Module) -> set[str]:
    """What is wrong with a module, or that nothing is; what the device says of itself comes first.

    >>> states(Module(dark={"rx"}, is_alive=True)), states(Module(dark={"rx", "tx"}))
    ({'no_light'}, {'no_ddm'})
    """
    told = module.told - {OK, ""}
    lit = {direction for direction, _, _ in module.light}
    missing = module.dark - lit
    if not lit and not module.is_alive:
        return told or ({NO_DDM} if missing else set())
    found = told | {state for direction, state in (("rx", NO_LIGHT), ("tx", LASER_OFF)) if direction in missing}
    return found or ({OK} if lit else set())
