"""Sets and maps read from a real kernel's nftables, in a namespace of our own."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from door_twin import Inside, sh

from captive_portal.elements import Element, Elements

pytestmark = pytest.mark.root
NAME = f"be-{os.getpid()}-el"
RULES = """
table inet portal {
    map auth { typeof iifname . ether saddr : ct mark; flags timeout; }
    set up { typeof ct mark; flags timeout; limit rate 10 mbytes/second burst 1 mbytes counter; }
    set plain { type ipv4_addr; counter; }
    set blocked { type ether_addr; flags timeout; }
    set empty { type ipv4_addr; }
}
"""


def guest(number: int) -> bytes:
    """The kernel's key for a device: interface name in 16 bytes, MAC address in 8."""
    return b"guest0".ljust(16, b"\0") + bytes.fromhex("0200000000") + bytes([number]) + b"\0\0"


def mark(number: int) -> bytes:
    return number.to_bytes(4, "little")


@pytest.fixture(scope="module")
def nft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    sh("ip", "netns", "add", NAME)
    file = tmp_path_factory.mktemp("nft") / "rules"
    run(file, RULES)
    yield file
    sh("ip", "netns", "del", NAME)


def run(file: Path, text: str) -> None:
    file.write_text(text)
    sh("ip", "netns", "exec", NAME, "nft", "-f", str(file))


@pytest.fixture
def elements(nft: Path) -> Iterator[Elements]:
    run(nft, "flush map inet portal auth\nflush set inet portal up\nflush set inet portal plain\n")
    with Inside(NAME):
        made = Elements("portal")
    with made:
        yield made


def test_r42_counters_and_times_are_read_as_numbers_never_as_text(nft: Path, elements: Elements) -> None:
    run(
        nft,
        'add element inet portal auth { "guest0" . 02:00:00:00:00:01 timeout 1h : 7 }\n'
        "add element inet portal up { 7 limit rate 5 kbytes/second burst 32000 bytes "
        "counter packets 3 bytes 8589934593 timeout 1h expires 30m }\n",
    )

    (admitted,) = elements.all("auth")
    (counted,) = elements.all("up")

    assert (admitted.key, admitted.data, admitted.counted) == (guest(1), mark(7), None)
    assert 3590 < (admitted.seconds or 0) <= 3600
    assert (counted.key, counted.data, counted.counted) == (mark(7), b"", 8589934593)
    assert 1790 < (counted.seconds or 0) <= 1800


def test_a_counter_at_zero_is_zero_and_no_counter_is_none(nft: Path, elements: Elements) -> None:
    run(nft, "add element inet portal plain { 10.0.0.1 counter packets 2 bytes 99, 10.0.0.2 }\n")

    found = {one.key: (one.counted, one.seconds) for one in elements.all("plain")}

    assert found == {bytes([10, 0, 0, 1]): (99, None), bytes([10, 0, 0, 2]): (0, None)}


def test_elements_that_are_written_otherwise_are_read_too(nft: Path, elements: Elements) -> None:
    """Elements for ever among others that end: the layout changes from one to the next."""
    many = ", ".join(
        f"{n} limit rate {n} kbytes/second burst 32000 bytes counter packets 1 bytes {n * 10}"
        f"{' timeout 1h' if n % 3 else ''}"
        for n in range(1, 2001)
    )
    run(nft, f"add element inet portal up {{ {many} }}\n")

    found = {int.from_bytes(one.key, "little"): one for one in elements.all("up")}

    assert {n: one.counted for n, one in found.items()} == {n: n * 10 for n in range(1, 2001)}
    assert all((one.seconds is None) == (n % 3 == 0) for n, one in found.items())


def test_some_elements_are_found_by_their_keys_and_missing_ones_left_out(nft: Path, elements: Elements) -> None:
    some = ", ".join(f'"guest0" . 02:00:00:00:00:{n:02x} timeout 1h : {n + 1000}' for n in range(1, 101))
    run(nft, f"add element inet portal auth {{ {some} }}\n")

    found = elements.find("auth", [guest(n) for n in (0, 1, 50, 100, 101, *range(2, 50))])

    assert {key: one.data for key, one in found.items()} == {guest(n): mark(n + 1000) for n in (*range(1, 51), 100)}
    assert elements.find("auth", []) == {}


def test_a_key_that_does_not_fill_its_words_is_read_without_their_rest(nft: Path, elements: Elements) -> None:
    run(nft, "add element inet portal blocked { 02:00:00:00:00:01 timeout 1h }\n")

    assert [one.key.hex(":") for one in elements.all("blocked")] == ["02:00:00:00:00:01"]


def test_an_empty_set_has_no_elements_and_a_missing_one_is_an_error(elements: Elements) -> None:
    assert elements.all("empty") == []
    with pytest.raises(FileNotFoundError):
        elements.all("no-such-set")
    with pytest.raises(FileNotFoundError):
        Elements("no-such-table").all("empty")


def test_what_is_read_is_what_nft_prints(nft: Path, elements: Elements) -> None:
    many = ", ".join(
        f"{n * 7919} limit rate 9 kbytes/second burst {n} bytes counter packets {n} bytes {n * n} timeout {n}h"
        for n in range(1, 500)
    )
    run(nft, f"add element inet portal up {{ {many} }}\n")

    printed = sh("ip", "netns", "exec", NAME, "nft", "list", "set", "inet", "portal", "up")

    by_text = {int(n, 16): int(size) for n, size in re.findall(r"(0x[0-9a-f]+)[^,}]*? bytes (\d+) timeout", printed)}
    assert {int.from_bytes(one.key, "little"): one.counted for one in elements.all("up")} == by_text
    assert Element(b"").counted is None
