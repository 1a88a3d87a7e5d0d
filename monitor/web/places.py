"""What the pages of sites, access points, uplinks and the portal show, as plain values. No I/O, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitor.exposition import Figure
from monitor.findings import Finding, State
from monitor.history.series import FUNNEL_STEPS
from monitor.sites import SiteView
from monitor.web.words import Language, age, duration, pick, say
from parvis.inventory import AccessPoint, Site, Switch, Town, Uplink

RADIO_ROWS = (
    ("wifi_radio_channel", "radio-channel", 1, ""),
    ("wifi_radio_clients", "clients", 1, ""),
    ("wifi_radio_channel_utilization_ratio", "radio-airtime", 100, "%"),
    ("wifi_radio_noise_floor_dbm", "radio-noise", 1, "dBm"),
    ("wifi_radio_tx_power_dbm", "radio-power", 1, "dBm"),
)
LIGHT_ROWS = (
    ("optical_rx_power_dbm", "light-rx", "dBm"),
    ("optical_tx_power_dbm", "light-tx", "dBm"),
    ("optical_temperature_celsius", "light-temperature", "°C"),
    ("optical_bias_amperes", "light-bias", "A"),
)
DAY_SECONDS = 86400
CERTIFICATE = "portal_certificate_remaining_seconds"


def state(finding: Finding | None, lang: Language, *, stale: bool = False) -> dict[str, str]:
    """State and reason of a finding in words; of nothing, or of a picture that is late: unknown."""
    if finding is None or stale:
        return {
            "state": State.UNKNOWN.value,
            "word": say("state-unknown", lang),
            "reason": say("reason-not-asked", lang),
        }
    reason = say(f"reason-{finding.reason.value}", lang, cause=finding.cause)
    return {"state": finding.state.value, "word": say(f"state-{finding.state.value}", lang), "reason": reason}


def path(site: Site, device: AccessPoint | Switch | Uplink, found: Mapping[str, Finding], lang: Language) -> list[Any]:
    """From the device up to the fibre: what it stands behind, each with its state."""
    names = [device.name]
    if isinstance(device, AccessPoint):
        names.append(device.switch)
    if not isinstance(device, Uplink):
        names += [site.gateway.name, site.uplink.name]
    kinds = {name: found[name].target.kind.value for name in names if name in found}
    return [
        {
            "name": name,
            "kind": say(f"kind-{kinds[name]}", lang) if name in kinds else "",
            **state(found.get(name), lang),
        }
        for name in reversed(names)
    ]


def radios(figures: Iterable[Figure], lang: Language) -> list[dict[str, Any]]:
    """One entry a radio: its name and band, then what is known of it; None where the device does not say."""
    seen: dict[str, dict[str, Any]] = {}
    for figure in figures:
        labels = figure.labels
        if "radio" not in labels or labels.get("part", "total") != "total":
            continue
        title = f"{labels['radio']} ({labels['band']})" if labels.get("band") else labels["radio"]
        row = seen.setdefault(title, {"title": title, "values": {}})
        row["values"].setdefault(figure.metric, figure.value)
    return [
        {
            "title": row["title"],
            "cells": [
                {"name": say(key, lang), "value": amount(_scaled(row["values"].get(metric), by), unit, lang)}
                for metric, key, by, unit in RADIO_ROWS
            ],
        }
        for _, row in sorted(seen.items())
    ]


def facts(figures: Iterable[Figure], lang: Language) -> list[tuple[str, str]]:
    """What a device says of itself: model, version, how long it has run, how warm it is."""
    found = []
    for figure in figures:
        if figure.metric == "device_info":
            model = " ".join(filter(None, (figure.labels.get(key) for key in ("vendor", "model"))))
            found += [
                (say("device-model", lang), model),
                (say("device-version", lang), figure.labels.get("version", "")),
            ]
        elif figure.metric == "device_uptime_seconds":
            found.append((say("device-uptime", lang), duration(figure.value, lang)))
        elif figure.metric == "device_temperature_celsius":
            found.append((say("device-temperature", lang), amount(figure.value, "°C", lang)))
        elif figure.metric == "snmp_poll_age_seconds":
            found.append((say("data-age", lang), age(figure.value, lang)))
    return [(name, value) for name, value in found if value]


def light(uplink: Uplink, figures: Sequence[Figure], lang: Language) -> dict[str, Any]:
    """The optical budget of an uplink's own module: light, limits, margins, drift, forecast, loss of the span."""
    own = [one for one in figures if (one.labels.get("device"), one.labels.get("port")) == (uplink.switch, uplink.port)]
    rows = [
        (_lane(say(key, lang), one), amount(one.value, unit, lang, 4 if unit == "A" else 1))
        for metric, key, unit in LIGHT_ROWS
        for one in own
        if one.metric == metric
    ]
    for one in own:
        which = one.labels.get("which", one.labels.get("direction", ""))
        if one.metric == "optical_threshold_dbm":
            rows.append((say("light-limit", lang, which=which), amount(one.value, "dBm", lang, 1)))
        elif one.metric == "optical_margin_db" and which.endswith("low_warn"):
            rows.append((_lane(say("light-margin", lang, which=which), one), amount(one.value, "dB", lang, 1)))
        elif one.metric == "optical_drift_db":
            rows.append((_lane(say("light-drift", lang, which=which), one), amount(one.value, "dB", lang, 1)))
        elif one.metric == "optical_trend_db_per_month":
            rows.append((_lane(say("light-trend", lang, which=which), one), amount(one.value, "dB", lang, 2)))
        elif one.metric == "optical_low_warning_remaining_seconds":
            rows.append((say("light-forecast", lang), say("days", lang, count=int(one.value // DAY_SECONDS))))
    spans = [one for one in figures if one.metric == "optical_span_loss_db" and one.labels.get("uplink") == uplink.name]
    rows += [
        (say("light-span", lang, way=one.labels.get("direction", "")), amount(one.value, "dB", lang, 1))
        for one in spans
    ]
    known = [one.labels.get("state", "") for one in own if one.metric == "optical_state" and one.value]
    words = say(f"optics-{known[0].replace('_', '-')}", lang) if known else say("optics-unknown", lang)
    return {"state": words, "bad": bool(known) and known[0] != "ok", "rows": rows}


def beyond(figures: Sequence[Figure], lang: Language) -> list[tuple[str, str]]:
    """Each address the gateway asks beyond its own line: whether it answers, how fast, how much is lost."""
    told = {(one.metric, one.labels.get("target", "")): one.value for one in figures}
    rows = []
    for (metric, target), value in told.items():
        if metric != "uplink_target_up":
            continue
        words = [say("state-up" if value else "reason-silent", lang)]
        if (rtt := told.get(("uplink_target_rtt_seconds", target))) is not None:
            loss = round(100 * told.get(("uplink_target_loss_ratio", target), 0.0))
            words.append(say("uplink-figures", lang, rtt=amount(rtt * 1000, "", lang, 1), loss=loss))
        rows.append((target, ", ".join(words)))
    return rows


def funnel(counts: Mapping[str, float], lang: Language) -> list[dict[str, Any]]:
    """Each step: how many devices came to it, and which part of those at the step before; None where nobody counts."""
    rows = []
    before: float | None = None
    for step in FUNNEL_STEPS:
        count = counts.get(step)
        part = count / before if count is not None and before else None
        rows.append(
            {
                "step": step,
                "title": say(f"step-{step}", lang),
                "count": None if count is None else round(count),
                "part": "" if part is None else amount(100 * part, "%", lang),
                "width": 0 if count is None or not counts else round(100 * count / max(1.0, *counts.values())),
            }
        )
        before = count
    return rows


def portal(site: Site, view: SiteView | None, seen: Sequence[Figure], lang: Language) -> dict[str, Any]:
    """What a site's portal shows beside the site's own state: what went wrong, whose devices, when its name ends."""
    ends = min((one.value for one in seen if one.metric == CERTIFICATE), default=None)
    return {
        "site": site.site,
        "title": pick(site.title, lang),
        "state": view.state.value if view else State.UNKNOWN.value,
        "word": say(f"state-{view.state.value}" if view else "state-unknown", lang),
        "errors": by_label(seen, "portal_errors_total", "reason"),
        "refusals": by_label(seen, "portal_refusals_total", "reason"),
        "families": by_label(seen, "portal_api_requests_total", "family"),
        "languages": by_label(seen, "portal_splash_pages_total", "language"),
        "certificate": "" if ends is None else say("days", lang, count=int(ends // DAY_SECONDS)),
    }


def slowest(seen: Iterable[Figure], most: int, lang: Language) -> list[dict[str, str]]:
    """The devices whose last poll took longest."""
    polls = ((one.value, one.labels.get("device", "")) for one in seen if one.metric == "snmp_poll_duration_seconds")
    return [{"name": name, "took": amount(took, "s", lang, 2)} for took, name in sorted(polls, reverse=True)[:most]]


def by_label(figures: Iterable[Figure], metric: str, label: str) -> list[tuple[str, int]]:
    """(label's value, count), most first."""
    found: dict[str, float] = {}
    for figure in figures:
        if figure.metric == metric:
            key = figure.labels.get(label, "")
            found[key] = found.get(key, 0.0) + figure.value
    return sorted(((key, round(value)) for key, value in found.items() if value), key=lambda row: (-row[1], row[0]))


def amount(value: float | None, unit: str, lang: Language, decimals: int = 0) -> str:
    """A value with its unit; unknown is a word, not a number.

    >>> amount(12.5, "dB", "fr", 1), amount(None, "dB", "en")
    ('12,5 dB', 'unknown')
    """
    if value is None:
        return say("clients-unknown", lang)
    text = f"{value:.{decimals}f}"
    return f"{text.replace('.', ',') if lang == 'fr' else text} {unit}".strip()


def place_of(town: Town, name: str) -> tuple[Site, AccessPoint] | None:
    """The access point called *name*, with its site."""
    return next(((site, point) for site in town.sites for point in site.access_points if point.name == name), None)


def title_of(point: AccessPoint, lang: Language) -> str:
    """How an access point is called: its place."""
    return f"{point.name} ({pick(point.place, lang)})"


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value * by


def _lane(words: str, figure: Figure) -> str:
    lane = figure.labels.get("lane", "")
    return f"{words} ({lane})" if lane not in {"", "1"} else words
