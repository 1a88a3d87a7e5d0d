"""The compiled core says what Python says, to the bit, and reads nothing it was not given (AddressSanitizer)."""

import os
import random
import shutil
import subprocess
import sys
from array import array
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import compiled, prometheus
from collectors.layout import Part, layout
from collectors.snmp import ber, plan
from collectors.snmp.expected import Expected, unsigned
from collectors.snmp.plan import Cells, Way

HERE = Path(__file__).parent
HAS_COMPILER = compiled.command(Path("x")) is not None
pytestmark = pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler, or Python.h is missing")
ROOTS = [ber.oid(f"1.3.6.1.2.1.31.1.1.1.{arc}") for arc in (6, 7, 10)]
TAGS = (ber.COUNTER64, ber.COUNTER32, ber.GAUGE32)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The core, compiled of the source as it is now."""
    return loaded(tmp_path_factory.mktemp("core") / compiled.built().name)


def loaded(target: Path, *more: str) -> ModuleType:
    words = compiled.command(target, *more)
    assert words
    subprocess.run(words, check=True)
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415 only here

    spec = spec_from_file_location("_core", target)
    assert spec
    assert spec.loader
    found = module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@cache
def question(rows: int, columns: int) -> plan.Question:
    cells = [
        Cells(root, tuple(ber.encode_index((row,)) for row in range(100, 100 + rows)), (tag,) * rows)
        for root, tag in zip(ROOTS[:columns], TAGS, strict=False)
    ]
    return plan.plan(cells, 200, Way.ROWS).often[0]


def answer(asked: plan.Question, dice: random.Random) -> bytes:
    """Bindings as an agent sends them; now and then one in an unusual spelling."""
    expected = asked.request.read
    assert isinstance(expected, Expected)
    found = b""
    for name, _, width in expected.cells:
        value = dice.randrange(2 ** dice.choice((1, 7, 8, 15, 31, 8 * width)))
        content = value.to_bytes(max((value.bit_length() + 7) // 8, 1) + dice.choice((0, 0, 0, 1)))
        found += ber.tlv(ber.SEQUENCE, name + bytes((len(content),)) + content)
    return found


def mutated(body: bytes, dice: random.Random) -> bytes:
    octets = bytearray(body)
    for _ in range(dice.choice((0, 1, 1, 2, 5))):
        if octets:
            octets[dice.randrange(len(octets))] = dice.choice((0, 1, 6, 0x30, 0x7F, 0x80, 0xFF, dice.randrange(256)))
    return bytes(octets[: dice.randrange(len(octets) + 1)] if octets and dice.random() < 0.2 else octets)


def both(core: Any, seed: int) -> tuple[list[Any], list[Any]]:
    """One made-up answer, whole or broken, put into places by the core and by Python."""
    dice = random.Random(seed)
    asked = question(dice.randrange(1, 40), dice.randrange(1, 4))
    expected = asked.request.read
    assert isinstance(expected, Expected)
    data = b"before" + mutated(answer(asked, dice), dice) + b"behind"
    end = max(len(data) - dice.choice((6, 6, 6, 0, 3)), 6)
    compiled_values = array("Q", bytes(8 * (asked.count + 2)))
    done = core.fill(data, 6, end, expected.cells, 1, compiled_values)
    found = unsigned(data, 6, end, expected.cells)
    assert done is (found is not None)
    return list(compiled_values), [0, *(found or [0] * asked.count), 0]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64))
def test_numbers_land_where_python_puts_them_or_nowhere(core: ModuleType, seed: int) -> None:
    by_core, by_python = both(core, seed)

    assert by_core == by_python


def test_the_greatest_numbers_are_read_at_once_as_agents_spell_them(core: ModuleType) -> None:
    """X.690 section 8.3: a first bit that is set wants an octet of zeros before it; half of all counters have one."""
    asked = question(20, 3)
    expected = asked.request.read
    assert isinstance(expected, Expected)
    greatest = [256**width - 1 for _, _, width in expected.cells]
    spelled = [
        ber.tlv(ber.SEQUENCE, name + bytes((width + 1, 0)) + b"\xff" * width) for name, _, width in expected.cells
    ]
    data, values = b"".join(spelled), array("Q", bytes(8 * asked.count))

    assert unsigned(data, 0, len(data), expected.cells) == greatest
    assert core.fill(data, 0, len(data), expected.cells, 0, values)
    assert list(values) == greatest
    longer = data.replace(b"\x05\x00", b"\x05\x01")
    assert unsigned(longer, 0, len(longer), expected.cells) is None
    assert not core.fill(longer, 0, len(longer), expected.cells, 0, values)


VALUES = st.one_of(st.none(), st.integers(-(2**70), 2**70), st.integers(0, 2**54), st.floats(), st.booleans())
LABELS = st.lists(st.tuples(st.sampled_from(("port", "ssid")), st.text(max_size=8)), max_size=2).map(tuple)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(LABELS, VALUES), max_size=12), st.text(max_size=6))
def test_lines_are_those_python_writes(core: ModuleType, series: list[tuple[Any, Any]], device: str) -> None:
    made = layout("port_up", [labels for labels, _ in series])
    part = Part(made, [value for _, value in series])
    for own in ("", f'device="{prometheus.escaped(device)}"'):
        begins = prometheus.beginning(made, own)
        lines = core.render(prometheus.pieces(made.rows, bare=not own), begins, part.values, prometheus.number)

        assert lines == prometheus.in_python(part, own)


@pytest.mark.parametrize(
    "words",
    [
        (),
        (b"", 0, 0, (), 0, None),
        (b"", 0, 0, ((b"x", 1),), 0, array("Q", [0])),
        (b"0", "x", 1, (), 0, array("Q")),
        (b"", 0, 0, (), 0, array("q")),
        (b"", 0, 0, (), 0, [0]),
        (b"", 0, 0, (), 0, b"12345678"),
    ],
)
def test_what_is_no_question_is_refused(core: ModuleType, words: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, BufferError)):
        core.fill(*words)


def test_bounds_that_lie_outside_are_no_answer(core: ModuleType) -> None:
    assert not core.fill(b"0", 0, 2, (), 0, array("Q"))
    assert not core.fill(b"0", -1, 1, (), 0, array("Q"))
    assert not core.fill(b"", 0, 0, (), 5, array("Q"))
    assert not core.fill(b"", 0, 0, (), -1, array("Q"))


def test_a_template_and_its_values_must_fit(core: ModuleType) -> None:
    for lines, values in (("a", [1, 2]), ("a\nb", [1]), ("a\nb\nc", [None, None]), ("", [1, 2])):
        with pytest.raises(ValueError, match="a line of text for each"):
            core.render(lines, "", values, prometheus.number)
    with pytest.raises(TypeError, match="written as a text"):
        core.render("a ", "", [0.5], lambda _: 5)
    with pytest.raises(TypeError, match="array of Q"):
        core.render("a ", "", array("q", [1]), prometheus.number)
    with pytest.raises(TypeError, match="render"):
        core.render(b"a ", "", [1], prometheus.number)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_broken_answers_under_addresssanitizer(tmp_path: Path) -> None:
    gcc = shutil.which("gcc") or "cc"
    library = subprocess.run([gcc, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    if not Path(library.stdout.strip()).is_absolute():
        pytest.skip("the compiler has no AddressSanitizer")
    environment = {
        **os.environ,
        "LD_PRELOAD": library.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": os.pathsep.join(map(str, (HERE.parents[1], HERE))),
    }
    words = [sys.executable, "-c", "import sys, test_compiled as t; t.storm(sys.argv[1])", str(tmp_path / "_core.so")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=800, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "100000 the same\n"


def storm(target: str) -> None:
    core: Any = loaded(Path(target), "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
    same = sum(by_core == by_python for by_core, by_python in (both(core, seed) for seed in range(100_000)))
    for seed in range(2_000):
        dice = random.Random(seed)
        values = [dice.choice((None, 0, 2**53, -1, 0.5, dice.randrange(2**64))) for _ in range(dice.randrange(60))]
        made = layout("port_up", [(("port", "é" * dice.randrange(90)),) for _ in values])
        rows = prometheus.pieces(made.rows, bare=bool(seed % 2))
        core.render(rows, "own" * (seed % 2), values, prometheus.number)
        core.render(rows, "", array("Q", range(len(values))), prometheus.number)
    sys.stdout.write(f"{same} the same\n")
