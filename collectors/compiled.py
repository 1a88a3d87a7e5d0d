"""The compiled core, where there is one: ``python -m collectors.compiled`` makes it of core.c with the C compiler.

It is optional. Without a compiler or Python's header files the same is done in Python, slower, with the same result.
"""

import shutil
import subprocess
import sys
import sysconfig
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE / "core.c"
INTERFACE = 2
"""What its functions take and give; a core compiled of an older source is as none."""


def built() -> Path:
    """Where the compiled core of this Python is."""
    return HERE / f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"


def command(target: Path, *more: str) -> list[str] | None:
    """The words that compile the core into *target*; None where compiler or header files are missing."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    include = Path(sysconfig.get_path("include"))
    if compiler is None or not (include / "Python.h").exists():
        return None
    return [compiler, "-O2", "-shared", "-fPIC", f"-I{include}", *more, str(SOURCE), "-o", str(target)]


def build() -> str:
    """Compile the core unless it is there already, and newer than its source; what came of it, in words."""
    target = built()
    if target.exists() and target.stat().st_mtime >= SOURCE.stat().st_mtime:
        return "the compiled core is there"
    words = command(target)
    if words is None:
        return "no compiler or no Python.h: the collectors' core stays Python"
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 our own words
    return f"the core could not be compiled: {done.stderr[-500:]}" if done.returncode else "the core is compiled"


def _load() -> Any:
    try:
        found = import_module("collectors._core")
    except ImportError:
        return None
    return found if getattr(found, "INTERFACE", 1) == INTERFACE else None


core: Any = _load()
"""The module, or None."""

if __name__ == "__main__":
    sys.stdout.write(f"{build()}\n")
