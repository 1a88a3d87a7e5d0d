"""The building's hours, for a door that keeps them. Asked at every page, so the answer is kept while it holds."""

from collections.abc import Callable


class Kept:
    """The same answers as *ask*, which is asked again when its answer is over or the wall clock went back."""

    def __init__(self, ask: Callable[[float], tuple[bool, float | None]]) -> None:
        self._ask = ask
        self._from, self._answer = float("inf"), (False, 0.0)  # type: float, tuple[bool, float | None]

    def __call__(self, wall: float) -> tuple[bool, float | None]:
        """Whether the building is open at *wall* (Unix seconds), and when that changes next; None: never."""
        begins, answer = self._from, self._answer
        if begins <= wall and (answer[1] is None or wall < answer[1]):
            return answer
        self._answer = answer = self._ask(wall)
        self._from = wall
        return answer


def building(expression: str, timezone: str) -> Kept:
    """The hours *expression* in *timezone*, in the notation of OpenStreetMap."""
    from parvis.opening import Opening  # noqa: PLC0415 5 MB, only where a door keeps hours

    return Kept(Opening(expression, timezone).at)
