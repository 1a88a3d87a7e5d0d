"""A process of ours gives memory back, and its threads share what it has. Each test is a process of its own."""

import subprocess
import sys

RESIDENT = """
import pathlib
from parvis import heap
def megabytes():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
blocks = [bytes(range(100)) * 100 for _ in range(5000)]
kept = blocks[::50]
full = megabytes()
del blocks
heap.give_back()
print(full - megabytes())
"""
HEAPS = """
import pathlib, sys, threading
from parvis import heap
if sys.argv[1] == "shared":
    heap.keep_small()
start = threading.Barrier(8)
def work():
    start.wait()
    bytes(1000)
    start.wait()
threads = [threading.Thread(target=work) for _ in range(7)]
for thread in threads:
    thread.start()
start.wait()
maps = [line.split() for line in pathlib.Path("/proc/self/maps").read_text().splitlines()]
ends = [(int(end, 16) for end in line[0].split("-")) for line in maps if line[1] == "---p"]
print(sum(high - low > 32 * 1024**2 for low, high in ends))
start.wait()
"""


def run(program: str, *argv: str) -> float:
    done = subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_what_lies_free_between_used_blocks_goes_back_to_the_kernel() -> None:
    assert run(RESIDENT) > 25


def test_threads_share_one_heap() -> None:
    assert run(HEAPS, "one each") > 3
    assert run(HEAPS, "shared") == 0


def test_what_is_there_when_a_process_has_started_is_not_searched_again() -> None:
    program = "import gc\nfrom parvis import heap\nkept = [[] for _ in range(1000)]\nheap.settle()\n"
    program += "print(sum(one is kept for one in gc.get_objects()) + (gc.get_freeze_count() < 1000))"

    assert run(program) == 0


def test_rubbish_left_by_the_start_is_collected_and_not_kept_for_ever() -> None:
    program = "import gc, weakref\nfrom parvis import heap\nclass Ring:\n    pass\none = Ring()\none.self = one\n"
    program += "gone = weakref.ref(one)\ndel one\ngc.disable()\nheap.settle()\nprint(int(gone() is None))"

    assert run(program) == 1


def test_while_thousands_of_objects_are_made_nobody_looks_for_cycles_and_then_again() -> None:
    program = (
        "import gc\nfrom parvis import heap\ntry:\n    with heap.uncollected():\n        within = gc.isenabled()\n"
    )
    program += "        raise KeyError\nexcept KeyError:\n    print(int(not within and gc.isenabled()))"

    assert run(program) == 1


def test_what_came_since_is_not_searched_again_either_but_once_an_hour() -> None:
    program = "import gc, weakref\nfrom parvis import heap\nclass Ring:\n    pass\none = Ring()\none.self = one\n"
    program += "heap.tidy()\ngone = weakref.ref(one)\nfrozen = not any(each is one for each in gc.get_objects())\n"
    program += "del one\nfor _ in range(heap.WHOLE_EVERY):\n    heap.tidy()\nprint(int(frozen and gone() is None))"

    assert run(program) == 1


def test_some_thousand_objects_under_way_make_nobody_look_for_cycles_and_very_many_do() -> None:
    program = "import gc\nfrom parvis import heap\nheap.settle()\nseen = []\n"
    program += "gc.callbacks.append(lambda *_: seen.append(1))\n"
    program += "some = [[] for _ in range(20_000)]\nfew = len(seen)\nmany = [[] for _ in range(60_000)]\n"
    program += "print(int(few == 0 and len(seen) > 0))"

    assert run(program) == 1
