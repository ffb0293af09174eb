# Hot path: takes from a bucket for each request that a limit counts.
"""
Token buckets by key, in memory that all processes of a gateway may share.

A bucket is one number: when it will be full again (the theoretical arrival time of the generic cell rate algorithm,
ITU-T I.371), so that it fills continuously and costs nothing while nobody asks for it. One that is full need not be
kept at all.

How many buckets are kept is bounded. Where one has to make room it is the fullest of those that its place is shared
with, so what a flood of new keys puts out is the flood's own. What was put out leaves its mark: a new key in that place
begins no fuller than what was put out there, but with enough for one request. So nobody fills his own bucket by filling
the memory: he would have to empty all others in its place first, and gets one request for it, as he would for any new
key. And nobody is kept out by what others do.

Places are found by a keyed hash, so that nobody can choose what he shares a place with.

Processes write without a lock. Each number is one machine word and is read or written whole; where two take from one
bucket within the same microsecond one of the two may go uncounted.
"""

from __future__ import annotations

from hashlib import blake2b
from mmap import mmap
from typing import Final

WAYS: Final = 7
"""Buckets that share a place: their tags, the mark and their times are two cache lines."""

PLACES: Final = 1 << 15
"""A power of two: room for 229,376 buckets."""

HEADER: Final = 4096
"""Bytes before the places; the first of them are the key of the hash."""

SECRET: Final = 32
"""Bytes of that key."""

SIZE: Final = HEADER + PLACES * 128
"""Bytes of all. What was never used takes no memory."""

MOST_NUMBERS: Final = 16_384
"""Keys whose hashes are remembered for one limit: beyond it they are made anew."""

LONGEST_KEY: Final = 64
"""Bytes of a key that are remembered as they are; a longer one is hashed each time."""

_MARK: Final = WAYS
_TIMES: Final = 8
_EXACT: Final = 1e-6
"""Seconds that sums of times may be wrong by; or, where tokens come faster, a hundredth of the time for one."""


class Buckets:
    """
    The token buckets of all limits.

    @ivar put_out: How many were put out that were not full.
    """

    __slots__ = ("_mask", "_secret", "_tags", "_times", "put_out")

    def __init__(self, memory: mmap, offset: int = 0, places: int = PLACES) -> None:
        """
        @param memory: L{SIZE} bytes from C{offset} on, of which the first L{SECRET} are random and all others were 0 at
            first. It may be shared.
        @param places: How many there are: a power of two.
        """
        whole = memoryview(memory)
        self._secret = bytes(whole[offset : offset + SECRET])
        begin = offset + HEADER
        slots = whole[begin : begin + places * 128]
        self._tags = slots.cast("q")
        self._times = slots.cast("d")
        self._mask = places - 1
        self.put_out = 0

    def number(self, limit: bytes, key: bytes) -> int:
        """
        Return the number of a bucket, by which it is found.

        @param limit: What tells the limit from all others.
        """
        digest = blake2b(key, digest_size=8, key=self._secret, salt=_salt(limit))
        return (int.from_bytes(digest.digest(), "little") >> 2) | 1

    def take(self, number: int, interval: float, capacity: float, cost: float, now: float) -> float:
        """
        Take tokens, if there are enough.

        @param interval: Seconds in which a bucket gets one token.
        @param capacity: Seconds in which an empty one is full.
        @param cost: How many are taken: not more than a bucket holds.
        @param now: Monotonic seconds, of all processes' clock.
        @return: How many are left; or below 0, as nothing was taken: minus the seconds until there are enough.
        """
        taken = cost * interval
        place = self._find(number, now + capacity - taken, now)
        times = self._times
        due = times[place]
        due = max(due, now)
        due += taken
        room = now + capacity - due
        if room < 0.0:
            if room < -_EXACT or room < interval * -0.01:
                return room
            room = 0.0
        times[place] = due
        return room / interval

    def give_back(self, number: int, seconds: float) -> None:
        """
        Put tokens back that were taken a moment ago; where the bucket was put out since, they are lost.

        @param seconds: In which a bucket gets as many.
        """
        tags = self._tags
        base = (number & self._mask) << 4
        for at in range(base, base + WAYS):
            if tags[at] == number:
                self._times[at + _TIMES] -= seconds
                return

    def room(self, number: int, interval: float, capacity: float, cost: float, now: float) -> float:
        """Return what L{take} would, without taking anything."""
        taken = cost * interval
        due = self._times[self._find(number, now + capacity - taken, now)]
        due = max(due, now)
        room = now + capacity - due - taken
        if room < 0.0:
            if room < -_EXACT or room < interval * -0.01:
                return room
            room = 0.0
        return room / interval

    def _find(self, number: int, latest: float, now: float) -> int:
        """
        Return where the time of a bucket is, which is made where there is none.

        @param latest: The time of a bucket with just enough in it.
        """
        tags = self._tags
        base = (number & self._mask) << 4
        home = base + (number >> 40) % WAYS
        if tags[home] == number:
            return home + _TIMES
        for at in range(base, base + WAYS):
            if tags[at] == number:
                return at + _TIMES
        return self._insert(number, base, home, latest, now)

    def _insert(self, number: int, base: int, home: int, latest: float, now: float) -> int:
        times = self._times
        chosen, least = home, times[home + _TIMES]
        if least > now:
            for at in range(base, base + WAYS):
                if times[at + _TIMES] < least:
                    chosen, least = at, times[at + _TIMES]
        begins = times[base + _MARK]
        if least > now:
            self.put_out += 1
            if least > begins:
                begins = times[base + _MARK] = least
        # the time first: whoever finds the tag finds a time that is its own
        times[chosen + _TIMES] = begins if begins < latest else latest
        self._tags[chosen] = number
        return chosen + _TIMES


def _salt(limit: bytes) -> bytes:
    """Return what a hash is told apart by for one limit: 16 bytes."""
    return limit if len(limit) <= 16 else blake2b(limit, digest_size=16).digest()


class Numbers:
    """The numbers of the buckets of one limit, remembered: hashing takes longer than taking."""

    __slots__ = ("_buckets", "_known", "_limit")

    def __init__(self, buckets: Buckets, limit: bytes) -> None:
        self._buckets = buckets
        self._limit = _salt(limit)
        self._known: dict[bytes, int] = {}

    def of(self, key: bytes) -> int:
        """Return the number of a key's bucket."""
        known = self._known
        number = known.get(key)
        if number is None:
            number = self._buckets.number(self._limit, key)
            if len(key) <= LONGEST_KEY:
                if len(known) >= MOST_NUMBERS:
                    known.clear()
                known[key] = number
        return number
