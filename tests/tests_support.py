"""Types and small readers that several tests share."""

import shutil
from collections.abc import Callable
from pathlib import Path

from parvis.inventory import Fault, examine

Edit = Callable[[str, str, str], None]
"""(file in the town folder, old text, new text)."""


def faults_of(folder: Path) -> list[Fault]:
    """The faults of a town folder that must have some."""
    town, faults = examine(folder, thorough=True)
    assert (town is None) == bool(faults)
    return faults


def copy_town(source: Path, folder: Path) -> Path:
    """A copy of a town folder to change."""
    shutil.copytree(source, folder)
    return folder
