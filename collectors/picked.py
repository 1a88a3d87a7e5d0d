"""Rows that are asked by name: of a table too long to be read whole, only those another table points at.

A controller tells the noise on every channel of every radio, a hundred rows an access point; what counts is the one
channel each radio is on.
"""

from collections.abc import Iterator, Mapping

from collectors import decode
from collectors.decode import Answers
from collectors.profile import Profile
from collectors.recall import Recall
from collectors.snmp import ber, walk
from collectors.snmp.ber import RawOid
from collectors.snmp.session import Session
from collectors.snmp.walk import Column, End, Pace
from collectors.streams import Held


async def ask(
    recall: Recall,
    profile: Profile,
    held: Mapping[str, Held],
    loose: Answers,
    session: Session,
    pace: Pace,
    clock: float,
) -> list[Column]:
    """The picked tables of *profile*; *held* and *loose* are the others, just asked. *clock* is in seconds."""
    found: list[Column] = []
    for name in profile.picked:
        rows = tuple(_rows(profile, name, held, loose))
        asked_at, columns = recall.loose.get(name, (clock, []))
        roots = profile.roots(name)
        keep = min(profile.keep_seconds(name, root) for root in roots)
        if recall.marks.get(name) != rows or clock - asked_at >= keep:
            columns = [await _column(root, rows, session, pace) for root in roots]
            recall.loose[name], recall.marks[name] = (clock, columns), rows
        found += columns
    return found


def _rows(profile: Profile, name: str, held: Mapping[str, Held], loose: Answers) -> Iterator[bytes]:
    """The rows wanted of table *name*: those of the table it is picked by, each with the number it says."""
    picked = profile.tables[name].picked
    if picked is None:
        return
    table = held.get(picked.of)
    answers = table.plan.cells(table.values) if table else loose
    for suffix, row in decode.rows(profile, picked.of, answers).items():
        number = row.get(picked.by)
        if isinstance(number, int | float) and number >= 0 and decode.counts(picked, row):
            yield suffix + ber.encode_index((int(number),))


async def _column(root: RawOid, rows: tuple[bytes, ...], session: Session, pace: Pace) -> Column:
    answered = await walk.get(session, [root + row for row in rows], pace)
    return Column(root, {name[len(root) :]: cell for name, cell in answered.items()}, End.COMPLETE)
