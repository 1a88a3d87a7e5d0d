"""What people call the things of the twin, and what they are told when nothing is called so."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

Thing = TypeVar("Thing")


class LabError(Exception):
    """The twin cannot do that; the words say why and what to do."""


def called(name: str, things: Mapping[str, Thing], kind: str) -> Thing:
    """The one of *things* that is called *name*; LabError with a suggestion.

    >>> called("gw-mps", {"gw-msp": 1}, "gateway")
    Traceback (most recent call last):
    lab.naming.LabError: no gateway is called gw-mps; did you mean gw-msp?
    """
    if name in things:
        return things[name]
    close = difflib.get_close_matches(name, things, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(things)) or 'none'}"
    raise LabError(f"no {kind} is called {name}; {hint}")
