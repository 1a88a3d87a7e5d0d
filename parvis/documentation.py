"""The pages of docs/ that follow from the code: metrics and settings. ``script/docs`` writes them, a test compares."""

from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from typing import Any

from parvis.catalogue import Metric, metrics
from parvis.settings import PREFIX, ProcessSettings

NOTE = "<!-- Written by script/docs from the code; change it there. -->"
TITLES = {
    "all": "Every process",
    "portal": "Portal",
    "gatewayd": "gatewayd",
    "collectors": "Collectors",
    "monitor": "Monitor",
    "console": "Staff console",
    "evidence": "Evidence recorder",
    "archive": "Evidence archive",
}


def pages() -> dict[str, str]:
    """Every generated page, by its file name in docs/."""
    return {"08-metrics.md": metrics_page(metrics().values()), "09-settings.md": settings_page(settings_models())}


def settings_models() -> dict[str, type[ProcessSettings]]:
    """Each process' settings class, registered under the entry-point group parvis.settings."""
    return {entry.name: entry.load() for entry in sorted(entry_points(group="parvis.settings"), key=lambda e: e.name)}


def metrics_page(entries: Iterable[Metric]) -> str:
    """The catalogue as tables, one a process."""
    listed = list(entries)
    lines = ["# 8. Metrics", "", NOTE, ""]
    lines += [
        "Prometheus adds `town`, `site` and `device` to what gateway processes expose. An absent value is an absent",
        "series, never 0.",
    ]
    for process, title in TITLES.items():
        lines += ["", f"## {title}", "", "| metric | kind | unit | labels | meaning |", "|---|---|---|---|---|"]
        lines += [_metric_row(entry) for entry in listed if entry.exposed_by == process]
    return "\n".join(lines) + "\n"


def _metric_row(entry: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in entry.labels)
    levels = [
        f"{word} when `{rule}`" for word, rule in (("warn", entry.levels.warn), ("page", entry.levels.page)) if rule
    ]
    meaning = " ".join([entry.help, *(f"Level: {level}." for level in levels)])
    return f"| `{entry.name}` | {entry.kind} | {entry.unit} | {labels} | {_cell(meaning)} |"


def settings_page(models: Mapping[str, type[ProcessSettings]]) -> str:
    """Settings as tables: what every process knows, then what each adds, or has another default of."""
    common = ProcessSettings.model_fields
    lines = ["# 9. Settings", "", NOTE, ""]
    lines += [
        "A process reads `--settings FILE` (TOML) or the file named by `PARVIS_SETTINGS`; a variable `PARVIS_…` wins",
        "over the file. A wrong or unknown key stops the process with a sentence. Secrets are files: systemd's",
        "credentials first, then the folder `secrets`.",
        "",
        "## Every process",
        "",
        *_settings_table(common),
    ]
    for name, model in models.items():
        fields = model.model_fields.items()
        own = {key: field for key, field in fields if key not in common or field.default != common[key].default}
        lines += ["", f"## parvis {name}", "", *_settings_table(own)]
    return "\n".join(lines) + "\n"


def _settings_table(fields: Mapping[str, Any]) -> list[str]:
    rows = ["| key | variable | default | meaning |", "|---|---|---|---|"]
    for key, field in fields.items():
        default = "required" if field.is_required() else f"`{_shown(key, field.default)}`"
        rows.append(f"| `{key}` | `{PREFIX}{key.upper()}` | {default} | {_cell(field.description or '')} |")
    return rows


def _shown(key: str, default: object) -> str:
    return "the demo town" if key == "town" else str(default)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
