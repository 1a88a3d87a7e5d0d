"""Messages bent in ways that break parsers: bits, lengths, cuts, repeats, extremes; the same for the same seed."""

from random import Random

LENGTHS = bytes((0, 1, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x88, 0xFF))
NUMBERS = (b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff" * 9, b"\x00" * 9)


def mutant(data: bytes, chance: Random) -> bytes:
    """*data* changed one to three times."""
    bent = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        chance.choice((_flip, _octet, _length, _cut, _repeat, _insert, _drop))(bent, chance)
    return bytes(bent) if bytes(bent) != data else data[:-1]


def _at(bent: bytearray, chance: Random) -> int:
    return chance.randrange(len(bent)) if bent else 0


def _flip(bent: bytearray, chance: Random) -> None:
    if bent:
        bent[_at(bent, chance)] ^= 1 << chance.randrange(8)


def _octet(bent: bytearray, chance: Random) -> None:
    if bent:
        bent[_at(bent, chance)] = chance.randrange(256)


def _length(bent: bytearray, chance: Random) -> None:
    """The octet behind something that looks like a tag."""
    places = [at for at, octet in enumerate(bent[:-1]) if octet in b"\x02\x04\x05\x06\x30\xa2\x41\x46"]
    if places:
        bent[chance.choice(places) + 1] = chance.choice(LENGTHS)


def _cut(bent: bytearray, chance: Random) -> None:
    del bent[_at(bent, chance) :]


def _repeat(bent: bytearray, chance: Random) -> None:
    start = _at(bent, chance)
    piece = bent[start : start + chance.randint(1, 40)]
    bent[start:start] = piece * chance.choice((1, 1, 2, 20))


def _insert(bent: bytearray, chance: Random) -> None:
    start = _at(bent, chance)
    bent[start:start] = chance.choice((*NUMBERS, chance.randbytes(chance.randint(1, 8))))


def _drop(bent: bytearray, chance: Random) -> None:
    start = _at(bent, chance)
    del bent[start : start + chance.randint(1, 12)]
