"""The building's hours, for a door that keeps them. Asked at every page, so the answer is kept while it holds."""

from collections.abc import Callable

from captive_portal.circumstances import Hours, always_open

DAY_SECONDS = 86400.0


class Kept:
    """The same answers as *ask*, which is asked again when its answer is over or the wall clock went back.

    "No change" is asked again after a day: who answers looks a week ahead at least, and a portal runs for longer.
    """

    def __init__(self, ask: Callable[[float], tuple[bool, float | None]]) -> None:
        self._ask = ask
        self._kept: tuple[float, tuple[bool, float | None]] = (float("inf"), (False, 0.0))

    def __call__(self, wall: float) -> tuple[bool, float | None]:
        """Whether the building is open at *wall* (Unix seconds), and when that changes; None: not within a week."""
        begins, answer = self._kept  # both at once: other threads ask of other moments
        if begins <= wall < (begins + DAY_SECONDS if answer[1] is None else answer[1]):
            return answer
        answer = self._ask(wall)
        self._kept = (wall, answer)
        return answer


def building(expression: str | None, timezone: str) -> Hours:
    """The hours *expression* in *timezone*, in the notation of OpenStreetMap; always open without any."""
    if not expression:
        return always_open
    from parvis.opening import Opening  # noqa: PLC0415 5 MB, only where a door keeps hours

    return Kept(Opening(expression, timezone).at)
