"""What a server's answer means for the batch it was sent: the InfluxDB v2 write API, as a table. No I/O."""

from enum import StrEnum


class Verdict(StrEnum):
    """What to do with a batch."""

    TAKEN = "taken"
    SPLIT = "split"
    """Something in it is wrong or it is too large: send it in halves, and set aside what fails alone."""
    LATER = "later"
    """The server, or the way to it, is not well: the same again, more and more seldom."""
    STOPPED = "stopped"
    """Address, bucket or token are wrong: only a person can mend that; nothing is thrown away meanwhile."""


OF_STATUS = {
    200: Verdict.TAKEN,
    204: Verdict.TAKEN,
    400: Verdict.SPLIT,
    413: Verdict.SPLIT,
    422: Verdict.SPLIT,
    401: Verdict.STOPPED,
    403: Verdict.STOPPED,
    404: Verdict.STOPPED,
}


def of_status(status: int | None) -> Verdict:
    """What an HTTP status means; None is a server that was not reached.

    >>> of_status(204).value, of_status(429).value, of_status(503).value, of_status(None).value, of_status(401).value
    ('taken', 'later', 'later', 'later', 'stopped')
    """
    return OF_STATUS.get(status or 0, Verdict.LATER)


def retry_after(text: str | None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110 section 10.2.3), at most an hour; a date there is not waited for.

    >>> retry_after("7"), retry_after("99999"), retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), retry_after(None)
    (7.0, 3600.0, None, None)
    """
    return min(float(text), 3600.0) if text and text.strip().isdigit() else None


def halves(lines: list[str]) -> tuple[list[str], list[str]]:
    """A batch in two.

    >>> halves(["a", "b", "c"])
    (['a'], ['b', 'c'])
    """
    middle = len(lines) // 2
    return lines[:middle], lines[middle:]
