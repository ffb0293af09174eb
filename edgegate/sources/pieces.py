"""
What was loaded, on its way from the process that has read the files to the one that serves them.

It goes in pieces: a virtual host is one, a filter chain, a cluster. Each is pickled by itself, and where it belongs
stands its digest. So whoever takes them can do something else between two of them, and what it has already, which after
most changes is nearly all, it keeps: it is not even unpickled. A digest is of all that is in a piece, the lines of the
files included.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from struct import Struct
from typing import BinaryIO

from edgegate.config.problems import Problem
from edgegate.model.clusters import Cluster, Endpoint
from edgegate.model.routes import HTTPRoute
from edgegate.model.tls import KeyPair
from edgegate.routing.snapshot import FilterChain, VirtualHost

MANY = 100
"""Routes of a virtual host that are pieces by themselves."""

_APART = frozenset((FilterChain, VirtualHost, Cluster, Endpoint, KeyPair, Problem))
_WITH_ROUTES = _APART | {HTTPRoute}

_HEADER = Struct("<16sI")
"""The digest of a piece, and how many bytes follow."""


def write(value: object, file: BinaryIO) -> None:
    """Write a value in pieces; those that it is made of come before it."""
    writer = _Writer(file)
    writer.write(value)


class Pieces:
    """
    The pieces that a value is made of, read one by one.

    @ivar known: Those that were read so far and are the same wherever they belong, by their digests: they are frozen.
    @ivar value: What they are pieces of, which is the last one.
    """

    def __init__(self, file: BinaryIO, known: Mapping[bytes, object]) -> None:
        """
        @param file: Its size is to be relied on: it was written to its end.
        @param known: Pieces that are there already.
        """
        self._file = file
        self._before = known
        self.known: dict[bytes, object] = {}
        self.value: object = None

    def __iter__(self) -> Iterator[None]:
        """Read them, and yield after each."""
        while header := self._file.read(_HEADER.size):
            digest, length = _HEADER.unpack(header)
            body = self._file.read(length)
            found = self._before.get(digest)
            if found is None:
                found = _Unpickler(io.BytesIO(body), self.known).load()
            self.value = found
            if type(found) in _WITH_ROUTES:
                self.known[digest] = found
            yield


class _Writer:
    """Writes each piece once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digests: dict[int, bytes] = {}
        self._written: set[bytes] = set()

    def write(self, value: object) -> bytes:
        """
        Write a piece, unless that was done.

        @return: Its digest.
        """
        found = self._digests.get(id(value))
        if found is not None:
            return found
        buffer = io.BytesIO()
        many = isinstance(value, VirtualHost) and len(value.routes) > MANY
        _Pickler(buffer, self, value, _WITH_ROUTES if many else _APART).dump(value)
        body = buffer.getvalue()
        digest = self._digests[id(value)] = blake2b(body, digest_size=16).digest()
        if digest not in self._written:
            self._written.add(digest)
            self._file.write(_HEADER.pack(digest, len(body)))
            self._file.write(body)
        return digest


class _Pickler(pickle.Pickler):
    """Pickles a piece, with the digests of those that are in it."""

    def __init__(self, file: BinaryIO, writer: _Writer, piece: object, apart: frozenset[type]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._writer = writer
        self._piece = piece
        self._apart = apart

    def persistent_id(self, obj: object) -> bytes | None:
        return self._writer.write(obj) if type(obj) in self._apart and obj is not self._piece else None


class _Unpickler(pickle.Unpickler):
    """Makes a piece of those that were read before it."""

    def __init__(self, file: BinaryIO, known: Mapping[bytes, object]) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, pid: bytes) -> object:
        return self._known[pid]
