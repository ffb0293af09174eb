"""
The seam of stores: where entries are kept that processes, and perhaps gateways, share.

An entry is a name with a content, which is all there or not at all. What is kept of certificates in which entries says
L{edgegate.tls.acme.store}, for all storages alike; a storage need know nothing of certificates. Names are made of parts
of C{[a-zA-Z0-9_.*-]} with slashes between them.

One is a L{directory<edgegate.tls.acme.directory>}, another one a L{Redis<edgegate.tls.acme.redis_storage>}.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Protocol

from edgegate.model.certificates import CertificateRedis, CertificateStorage
from edgegate.tls.acme.directory import DirectoryStorage
from edgegate.tls.acme.locks import Lock


class Storage(Protocol):
    """
    Keeps entries. Its methods may wait, but not for ever, and are for any threads at one time.

    All of them raise L{OSError}, and say why, where they can't do what they are asked.
    """

    def read(self, name: str) -> bytes | None:
        """Return the content of an entry; L{None}: there is none."""

    def write(self, name: str, content: bytes, lock: Lock | None = None) -> None:
        """
        Have an entry hold this, in the place of what it held; where that fails it holds what it held.

        @param lock: It is written only while this one is held.
        @raise edgegate.tls.acme.locks.LockLost: It is not.
        """

    def stamps(self, names: Sequence[str]) -> Sequence[str | None]:
        """
        Return what tells the content of each entry from that before; L{None}: there is none.

        It is asked each second, for all entries that hold certificates at once.
        """

    def lock(self, name: str, wait: bool) -> AbstractContextManager[Lock | None]:
        """
        Keep others from what a name stands for; who dies does not keep them from it for long.

        @param wait: Whether to wait until nobody else does; else L{None} is yielded where somebody does.
        """

    def shown(self, name: str, content: bytes) -> AbstractContextManager[None]:
        """Have an entry there meanwhile, and not for long where who has put it there dies."""


@lru_cache(maxsize=16)
def opened(storage: CertificateStorage) -> Storage:
    """Return the storage that is described, in a process the same one each time. Nothing is opened or written yet."""
    if isinstance(storage, CertificateRedis):
        # not before it is needed: it takes its time, and memory
        from edgegate.tls.acme.redis_storage import RedisStorage  # noqa: PLC0415

        return RedisStorage(storage)
    return DirectoryStorage(storage.path)
