"""Where a plan puts values, and how they are found again, whatever the columns, the replies and the way of asking."""

from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.snmp import ber, plan
from collectors.snmp.ber import Value
from collectors.snmp.expected import Expected
from collectors.snmp.plan import Cells, Plan, Way
from collectors.snmp.values import Values, Where

TAGS = (ber.COUNTER64, ber.COUNTER32, ber.INTEGER, ber.OCTET_STRING)
COLUMN = st.tuples(st.sampled_from(TAGS), st.sampled_from((3, 3, 2)), st.sampled_from((0, 600)), st.booleans())
TABLES = st.lists(COLUMN, min_size=1, max_size=9)
WAYS = st.sampled_from((Way.ROWS, Way.NAMES, Way.SCALARS))


def columns_of(drawn: Sequence[tuple[int, int, float, bool]]) -> list[Cells]:
    found = []
    for arc, (tag, rows, keep, moves) in enumerate(drawn, 1):
        indexes = tuple(ber.encode_index((row,)) for row in range(1, rows + 1))
        found.append(Cells(ber.oid(f"1.3.6.1.2.1.2.2.1.{arc}"), indexes, (tag,) * rows, keep, moves))
    return found


def name(column: Cells, row: int) -> bytes:
    return ber.tlv(ber.OBJECT_IDENTIFIER, column.root + column.rows[row]) + bytes((column.tags[row],))


def answered(made: Plan, values: Values) -> None:
    """Put what a device answers into *values* as fetch does: each cell says its own number."""
    numbers = {
        name(column, row): made.starts()[column.root].start + row
        for column in made.columns
        for row in range(len(column.rows))
    }
    for question in (*made.often, *made.kept):
        expected = question.request.read
        assert isinstance(expected, Expected)
        found = [numbers[cell] for cell, _, _ in expected.cells]
        assert len(found) == question.count
        values.put(Where(question.are_numbers, slice(question.begin, question.begin + question.count)), found)


@given(TABLES, st.integers(1, 90), st.integers(1, 90), WAYS)
def test_every_answer_lands_in_the_place_of_its_cell_under_any_plan(
    drawn: list[tuple[int, int, float, bool]], budget: int, other: int, way: Way
) -> None:
    columns = columns_of(drawn)
    made, again = plan.plan(columns, budget, way), plan.plan(columns, other, way)
    values = made.laid([None] * made.size if any(c.tags[0] not in ber.WIDTH for c in columns) else [0] * made.size)
    answered(made, values)

    flat = made.flat(values)
    assert flat == list(range(made.size))
    assert again.flat(again.laid(flat)) == flat
    some = tuple(range(0, made.size, 2))
    for each, held in ((made, values), (again, again.laid(flat))):
        pick = each.pick(some)
        assert list(pick.take(pick.source(held))) == list(some)
        assert each.cells(held)[columns[-1].root] == {
            row: (columns[-1].tags[0], number)
            for row, number in zip(columns[-1].rows, flat[-len(columns[-1].rows) :], strict=True)
        }


def test_counters_take_eight_octets_each_and_nothing_among_them_makes_a_list() -> None:
    counters = columns_of([(ber.COUNTER64, 3, 0, True)])
    made = plan.plan(counters, 40)
    values = made.laid([1, 2, 2**64 - 1])

    assert isinstance(values.numbers, array)
    assert values.numbers.itemsize * len(values.numbers) == 24
    assert made.flat(values) == [1, 2, 2**64 - 1]

    values.put(Where(are_numbers=True, place=slice(0, 2)), [7, None])
    assert made.flat(values) == [7, None, 2**64 - 1]
    values.put(Where(are_numbers=True, place=slice(0, 2)), [8, 9])
    assert made.flat(values) == [8, 9, 2**64 - 1]


def test_devices_of_one_kind_have_the_names_of_their_ports_in_common() -> None:
    made = plan.plan(columns_of([(ber.OCTET_STRING, 2, 600, False)]), 40)
    one, other = (made.laid([bytes(b"Gi0/%d" % port) for port in (1, number)]) for number in (2, 3))

    assert one.others == [b"Gi0/1", b"Gi0/2"]
    assert other.others == [b"Gi0/1", b"Gi0/3"]
    assert other.others[0] is one.others[0]


@pytest.mark.parametrize("value", [b"x", 1, None])
def test_what_is_put_among_the_others_is_seen_by_its_version(value: Value) -> None:
    values = Values(1, 1)
    before = values.version

    values.put(Where(are_numbers=False, place=slice(0, 1)), [value])

    assert values.version != before
