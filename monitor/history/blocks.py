"""Roll-ups: what many samples of one series come to, and how they are packed. No I/O, no clock.

A value takes a half float (IEEE 754 binary16: 11 significant bits, up to 65,504); series are named in units that fit.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite

_PACKED = struct.Struct("<6e")
BLOCK_BYTES = _PACKED.size
LARGEST = 65504.0
NOTHING = b"\0" * BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Tier:
    """One resolution: *slot* seconds a roll-up, *pack* seconds kept together, all of it for *keep* seconds."""

    number: int
    slot: int
    pack: int
    keep: int

    def slot_of(self, at: float) -> int:
        """The beginning of the slot an instant is in (Unix seconds)."""
        return int(at // self.slot) * self.slot

    def pack_of(self, at: float) -> int:
        """The beginning of the pack an instant is in."""
        return int(at // self.pack) * self.pack

    @property
    def slots(self) -> int:
        """Slots of a pack."""
        return self.pack // self.slot


FIVE_MINUTES = Tier(1, 300, 86400, 30 * 86400)
HOUR = Tier(2, 3600, 10 * 86400, 730 * 86400)
TIERS = (FIVE_MINUTES, HOUR)


@dataclass(frozen=True, slots=True)
class Block:
    """What *count* samples were: arithmetic mean, smallest, median, 95th percentile, largest."""

    count: int
    mean: float
    low: float
    middle: float
    high: float
    top: float


def rolled(samples: Iterable[float]) -> Block | None:
    """The roll-up of *samples*; None when there is none. Percentiles by nearest rank.

    >>> rolled([4.0, 1.0, 2.0, 3.0])
    Block(count=4, mean=2.5, low=1.0, middle=2.0, high=4.0, top=4.0)
    """
    ordered = sorted(value for value in samples if isfinite(value))
    if not ordered:
        return None
    count = len(ordered)
    middle, high = (ordered[max(0, ceil(part * count) - 1)] for part in (0.5, 0.95))
    return Block(count, sum(ordered) / count, ordered[0], middle, high, ordered[-1])


def joined(blocks: Sequence[Block]) -> Block | None:
    """Several roll-ups as one: mean, smallest and largest are exact, the percentiles are means by count."""
    count = sum(block.count for block in blocks)
    if not count:
        return None
    mean, middle, high = (
        sum(getattr(block, name) * block.count for block in blocks) / count for name in ("mean", "middle", "high")
    )
    low, top = min(block.low for block in blocks), max(block.top for block in blocks)
    return Block(count, mean, low, middle, high, top)


def packed(block: Block) -> bytes:
    """*block* in twelve bytes; what is beyond a half float becomes its largest."""
    values = (float(block.count), block.mean, block.low, block.middle, block.high, block.top)
    return _PACKED.pack(*(max(-LARGEST, min(LARGEST, value)) for value in values))


def unpacked(data: bytes, place: int = 0) -> Block | None:
    """The block number *place* of *data*; None where there is none."""
    start = place * BLOCK_BYTES
    if len(data) < start + BLOCK_BYTES:
        return None
    count, *values = _PACKED.unpack_from(data, start)
    return Block(int(count), *values) if count else None
