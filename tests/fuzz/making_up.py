"""How long it goes on, and frames and header blocks that no good peer sends."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import hpack

from edgegate.http.fields import Field
from edgegate.http.h2.frames import frame
from edgegate.http.h2.hpack import block_of

SECONDS = float(os.environ.get("EDGEGATE_FUZZ_SECONDS", "0"))
"""How long each property is tried, at least."""

COUNT = 1000
"""How many conversations each property is tried with, at least: as many on a slow machine as on a fast one."""

SEED = os.environ.get("EDGEGATE_FUZZ_SEED", "")
"""One to be tried alone, as it is told where it failed: C{START-number}."""

START = os.environ.get("EDGEGATE_FUZZ_START", "0")
"""What all seeds begin with: another one makes up other conversations, the same one the same each time."""

CORPUS = Path(__file__).parent / "corpus"
"""Conversations that broke something once, in hexadecimal, by the side that says them: C{client-*}, C{backend-*}."""

Frames = list[bytes]

NAMES = (
    b":method",
    b":path",
    b":status",
    b":x",
    b"a",
    b"cookie",
    b"te",
    b"host",
    b"content-length",
    b"trailer",
    b"Bad",
)
VALUES = (b"", b"a", b"/", b"POST", b"5", b"3", b"200", b"a.example", b"trailers", b"a\r\nb", b" x", b"gzip, deflate")
WORDS = (0, 1, 2, 5, 100, 16384, 65535, 65536, (1 << 24) - 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
KINDS = (0, 0, 0, 0, 2, 3, 4, 6, 7, 8, 8, 9, 5, 77)


def fields(rnd: random.Random) -> list[Field]:
    """Return some fields."""
    return [(rnd.choice(NAMES), rnd.choice(VALUES)) for _ in range(rnd.randint(0, 3))]


def headers(rnd: random.Random, first: list[Field], encoder: hpack.Encoder) -> bytes:
    """
    Return a frame of HEADERS, mostly of a good message.

    @param first: What a good message begins with.
    @param encoder: Whose table the blocks of one connection share.
    """
    said = list(first) + (fields(rnd) if rnd.random() < 0.3 else [])
    if rnd.random() < 0.15:
        said = fields(rnd)
    block = bytes(encoder.encode(said)) if rnd.random() < 0.5 else block_of(said)
    if rnd.random() < 0.05:
        block = changed(rnd, block)
    flags = rnd.choice((4, 5, 4, 5, 4, 5, 0, 1, 0xC, 0x24, 0x2D))
    if flags & 0x20:
        block = bytes(4) + b"\x10" + block
    if flags & 8:
        block = b"\x03" + block + bytes(3)
    return frame(1, flags, rnd.choice((1, 3, 5, 7, rnd.randint(0, 12))), block)


def other(rnd: random.Random) -> bytes:
    """Return a frame of another kind: a good one, or nearly."""
    kind = rnd.choice(KINDS)
    number = rnd.choice((1, 1, 3, 5, rnd.randint(0, 9))) if kind in (0, 2, 3, 8, 9) else int(rnd.random() < 0.1)
    if kind == 8 and rnd.random() < 0.4:
        number = 0
    flags = rnd.choice((0, 0, 0, 1, 1, 4, 8, 9))
    if kind == 0:
        body = rnd.choice((b"", b"x", b"hello", b"y" * 2000, b"z" * 16000))
        payload = b"\x02" + body + bytes(2) if flags & 8 else body
    elif kind == 4:
        pairs = [] if flags & 1 else [(rnd.randint(0, 9), rnd.choice(WORDS)) for _ in range(rnd.randint(0, 3))]
        payload = b"".join(name.to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in pairs)
    elif kind in (3, 8):
        payload = rnd.choice(WORDS).to_bytes(4, "big")
    elif kind == 2:
        payload = rnd.randint(0, 9).to_bytes(4, "big") + b"\x10"
    else:
        payload = bytes(8)
    if rnd.random() < 0.03:
        payload = payload[:-1]
    return frame(kind, flags, number, payload)


def changed(rnd: random.Random, data: bytes) -> bytes:
    """Return bytes with some of them changed, left out or put in."""
    found = bytearray(data)
    for _ in range(rnd.randint(1, 3)):
        at = rnd.randint(0, max(0, len(found) - 1))
        how = rnd.randint(0, 2)
        if how == 0:
            found[at : at + 1] = bytes((rnd.randint(0, 255),))
        elif how == 1:
            del found[at : at + rnd.randint(1, 9)]
        else:
            found[at:at] = rnd.randbytes(rnd.randint(0, 4))
    return bytes(found)


def conversation(rnd: random.Random, first: list[Field]) -> Frames:
    """
    Return what a peer says behind its first SETTINGS.

    @param first: What a good message of it begins with.
    """
    encoder = hpack.Encoder()
    found = [headers(rnd, first, encoder) if rnd.random() < 0.4 else other(rnd) for _ in range(rnd.randint(1, 16))]
    if rnd.random() < 0.15:
        at = rnd.randrange(len(found))
        found[at] = changed(rnd, found[at])
    return found


def pieces(rnd: random.Random, frames: Frames) -> Frames:
    """Return bytes as they come: cut at some places, mostly about where frames begin, or at every one."""
    data = b"".join(frames)
    if rnd.random() < 0.05 and len(data) < 5000:
        return [data[at : at + 1] for at in range(len(data))]
    places = {0, len(data), *(rnd.randint(0, len(data)) for _ in range(rnd.randint(0, 3)))}
    at = 0
    for each in frames:
        at += len(each)
        if rnd.random() < 0.5:
            places.add(min(len(data), max(0, at + rnd.randint(-3, 12))))
    return [data[begin:end] for begin, end in pairwise(sorted(places))]


def known(who: str) -> list[Frames]:
    """Return the conversations of the corpus that clients or backends say, one frame a line."""
    return [
        [bytes.fromhex(line) for line in path.read_text().split() if line]
        for path in sorted(CORPUS.glob(f"{who}-*.hex"))
    ]


def again(
    make: Callable[[random.Random], Frames],
    check: Callable[[Frames, random.Random], None],
    who: str,
    only: str = SEED,
) -> int:
    """
    Check one conversation after the other, those of the corpus first, until there were enough and the time is over;
    return how many.

    @param make: Makes one up.
    @param check: Raises if it is not taken as it should be; draws where it is cut.
    @param only: The seed of one that is checked alone.
    @raise AssertionError: With the shortest that could be found, and its seed.
    """
    corpus = known(who)
    least = max(COUNT, len(corpus))
    until = time.monotonic() + SECONDS
    # what is said depends on the number too: the first ones are those of the corpus
    count = int(only.rpartition("-")[2]) if only else 0
    while True:
        seed = only or f"{START}-{count}"
        rnd = random.Random(seed)
        if count < len(corpus):
            said = corpus[count]
        elif corpus and rnd.random() < 0.1:
            said = [changed(rnd, each) if rnd.random() < 0.3 else each for each in rnd.choice(corpus)]
        else:
            said = make(rnd)
        try:
            check(said, rnd)
        except Exception as found:
            short = _shortest(said, check, seed)
            told = "\n".join(each.hex() for each in short)
            raise AssertionError(f"EDGEGATE_FUZZ_SEED={seed}: {found!r}\nas short as it can be:\n{told}") from found
        count += 1
        if only or (count >= least and time.monotonic() >= until):
            return count


def _shortest(said: Frames, check: Callable[[Frames, random.Random], None], seed: str) -> Frames:
    """Leave out frame after frame as long as it still fails."""
    at = 0
    while at < len(said):
        less = said[:at] + said[at + 1 :]
        try:
            check(less, random.Random(seed))
        except Exception:
            said = less
        else:
            at += 1
    return said
