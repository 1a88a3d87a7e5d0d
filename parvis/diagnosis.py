"""What ``parvis doctor`` finds. A room adds its own under the entry-point group parvis.doctors: ``look(town)``."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "look", "wrong"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at: whether it is well, in words, and what to do when it is not.

    ``wrong``: residents or staff notice; ``look``: they will, if nobody acts.
    """

    level: Level
    about: str
    words: str
    fix: str = ""
