"""How alert rules are put before promtool: a rule, series, and what is to fire at a moment."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import promql_parser
import yaml
from rule_cases import SAMPLES

from dashboards.rules import recorded, rules
from parvis.inventory import Town


def parsed(town: Town, pace: float = 1.0) -> list[dict[str, Any]]:
    """The alerts among the rules."""
    groups = yaml.safe_load(rules(town, pace))["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def with_recorded(rule: dict[str, Any]) -> str:
    """A file of one rule, behind what it asks for of all that is recorded."""
    groups = recorded()
    for group in groups:
        group["rules"] = [one for one in group["rules"] if one["record"] in rule["expr"]]
    return yaml.safe_dump({"groups": [*groups, {"name": "this one", "rules": [rule]}]})


def of_tests(tests: list[Any], step: int = 60) -> str:
    """A file of tests; what is recorded is worked out before who asks for it."""
    order = [group["name"] for group in recorded()]
    file = {"rule_files": ["rules.yml"], "evaluation_interval": f"{step}s", "group_eval_order": order, "tests": tests}
    return yaml.safe_dump(file)


def rule_called(town: Town, name: str) -> dict[str, Any]:
    """The rule of that name for the site of the cases, or for the town."""
    found = [rule for rule in parsed(town) if rule["alert"] == name]
    return next((rule for rule in found if rule["labels"].get("site") == "leo-lagrange"), found[0])


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60, check=False)


def expectation(rule: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    texts = dict(rule["annotations"])
    for label in ("device", "hazard", "job", "port", "band", "channel", "vendor", "model", "fan", "supply"):
        texts = {key: text.replace(f"{{{{ $labels.{label} }}}}", labels.get(label, "")) for key, text in texts.items()}
    return {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": texts}


def unit_test(
    rule: dict[str, Any], series: Mapping[str, str], at: float, expected: list[dict[str, Any]], step: int = 15
) -> Any:
    shown = {name: values if "x" in values else f"{values}x{SAMPLES}" for name, values in series.items()}
    return {
        "interval": f"{step}s",
        "input_series": [{"series": name, "values": values} for name, values in shown.items()],
        "alert_rule_test": [{"eval_time": f"{at:.0f}s", "alertname": rule["alert"], "exp_alerts": expected}],
    }


def judged(tmp_path: Path, rule: dict[str, Any], *tests: Any) -> subprocess.CompletedProcess[str]:
    """What promtool says of the tests of one rule."""
    (tmp_path / "rules.yml").write_text(with_recorded(rule))
    (tmp_path / "tests.yml").write_text(of_tests(list(tests), int(tests[0]["interval"].removesuffix("s"))))
    return promtool("test", "rules", str(tmp_path / "tests.yml"))


def selectors(node: Any) -> set[str]:
    """The metric names in a PromQL expression."""
    if isinstance(node, promql_parser.VectorSelector):
        return {node.name}
    found: set[str] = set()
    for part in ("lhs", "rhs", "expr", "vector_selector"):
        if (child := getattr(node, part, None)) is not None:
            found |= selectors(child)
    for child in getattr(node, "args", ()) or ():
        found |= selectors(child)
    return found
