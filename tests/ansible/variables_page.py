"""The table of docs/20-install.md that follows from the roles: ``script/docs`` writes it, a test compares."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/20-install.md"
_TABLE = re.compile(r"(?<=<!-- variables: written by script/docs -->\n).*?(?=\n<!-- end of variables -->)", re.DOTALL)


def table() -> str:
    """Every variable a person may set, one a line, by role."""
    lines = ["| variable | default | what it is |", "|---|---|---|"]
    for file in sorted((ROOT / "ansible/roles").glob("*/meta/argument_specs.yml")):
        for name, option in yaml.safe_load(file.read_text("utf-8"))["argument_specs"]["main"]["options"].items():
            lines.append(f"| `{name}` | {_default(option)} | {_meaning(option)} |")
    return "\n".join(lines)


def _default(option: dict[str, Any]) -> str:
    if option.get("required"):
        return "required"
    text = yaml.safe_dump(option["default"], default_flow_style=True, width=1000)
    shown = text.removesuffix("\n").removesuffix("\n...")
    return "what `script/package` made" if "{{" in shown else f"`{shown}`"


def _meaning(option: dict[str, Any]) -> str:
    inner = "".join(
        f" `{name}`{'' if one.get('required') else ' (may be left out)'}: {one['description']}"
        for name, one in option.get("options", {}).items()
    )
    choices = f" One of {', '.join(f'`{one}`' for one in option['choices'])}." if "choices" in option else ""
    return " ".join(f"{option['description']}{choices}{inner}".split()).replace("|", "\\|")


def page() -> str:
    """The page as it should be."""
    return _TABLE.sub(lambda _: table(), PAGE.read_text("utf-8"))
