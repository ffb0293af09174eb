"""
Where a configuration comes from: texts with documents, and how one hears that they have changed.

A L{ConfigurationSource} is read whenever its documents are wanted. A L{Reading} is what it held then; what a reload
compares with the L{Contents} of the one before, it also takes the documents from, so that nothing is read twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorTime

Reason = str
"""Why something can't be read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    A text with documents, as one file holds it.

    @ivar origin: What problems call it, and what tells it from others of its source: C{coolstore.yaml}.
    @ivar content: Bytes, or why there are none.
    @ivar digest: The same for the same content.
    """

    origin: str
    content: bytes | Reason
    digest: str


@dataclass(frozen=True, slots=True)
class Watched:
    """
    Where a change of what was read would be seen: a value, which another process than the one that read may watch.

    @ivar path: The folder or file of the texts; L{None} where they lie nowhere.
    @ivar files: Those that the documents name.
    """

    path: Path | None = None
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """
    What a source held at one time, without a content: a value, with which another process may compare what it reads.

    @ivar manifests: The digests of its texts by their origins, in their order.
    @ivar named: The digests of the files that its documents name.
    @ivar watched: Where a change would be seen.
    @ivar size: Bytes of its texts.
    """

    manifests: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    watched: Watched = Watched()
    size: int = 0


class Reading(ABC):
    """
    What a source held at one time.

    It is read as far as it is asked for, and each content once: after L{close} its L{contents} are left, with which
    the next reading is compared. Belongs to one thread at a time.
    """

    def __init__(self) -> None:
        self._pending: Iterator[tuple[str, bytes | Reason]] | None = None
        self._ahead: deque[Manifest] = deque()
        self._digests: dict[str, str] = {}
        self._ready: dict[str, bytes | Exception] = {}
        self._named: dict[str, str] = {}
        self._size = 0

    # What a source's own kind of reading provides ---------------------------------------------------------------------

    @abstractmethod
    def _read_manifests(self) -> Iterator[tuple[str, bytes | Reason]]:
        """
        Yield the texts: the origin of each, and its content or why there is none.

        Whatever can't be read is yielded so, and stands among the problems. What is raised is a defect: a reload is
        refused because of it, the log has the traceback, and the next one reads all anew.
        """

    @abstractmethod
    def _read_file(self, name: str) -> bytes:
        """
        Read a file that a document names.

        @raise OSError: It can't be read.
        @raise ValueError: No file can have this name.
        """

    def passed_over(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """
        Yield what lies beside the texts, holds documents of Istio's, and is not read: its names, and the kinds.
        Complete once all texts were taken.
        """
        return iter(())

    # What it is asked for ---------------------------------------------------------------------------------------------

    def manifests(self) -> Iterator[Manifest]:
        """Yield all texts, each of which may be gone when the next one is taken. Once."""
        while True:
            found = self._ahead.popleft() if self._ahead else self._next()
            if found is None:
                return
            yield found

    def read(self, name: str) -> bytes:
        """
        Return the content of a file that a document names. Whoever asks twice should keep it.

        @raise OSError: It can't be read, or is too large.
        @raise ValueError: No file can have this name.
        """
        found = self._ready.pop(name, None)
        if found is None:
            found = self._try(name)
        self._named[name] = _digest(found if isinstance(found, bytes) else reason_of(found))
        if isinstance(found, Exception):
            raise found
        return found

    def locate(self, name: str) -> str:
        """Return the absolute path of a file that a document names, as far as it is known what it is relative to."""
        return str(Path(name).absolute())

    @property
    def named(self) -> list[str]:
        """The files that its documents name, whether they could be read or not."""
        return list(self._named)

    @property
    def path(self) -> Path | None:
        """The folder or file of the texts; L{None} where they lie nowhere."""
        return None

    @property
    def files(self) -> list[Path]:
        """Where those files lie that its documents name."""
        return []

    @property
    def watched(self) -> Watched:
        """Both. Complete once all has been taken that will be."""
        return Watched(self.path, tuple(self.files))

    @property
    def contents(self) -> Contents:
        """What it held. Complete once all has been taken that will be."""
        return Contents(dict(self._digests), dict(self._named), self.watched, self._size)

    def differs(self, before: Contents) -> bool:
        """
        Tell whether something is not what it was. Reads up to the first difference; what was read is kept for whoever
        takes the texts and asks for the files.

        @param before: Of a reading of the same source whose texts were all taken. It tells which files matter: those
            that its documents name.
        """
        for origin, digest in before.manifests.items():
            manifest = self._look_ahead()
            if manifest is None or (manifest.origin, manifest.digest) != (origin, digest):
                return True
        if self._look_ahead() is not None:
            return True
        for name, digest in before.named.items():
            found = self._ready[name] = self._try(name)
            if _digest(found if isinstance(found, bytes) else reason_of(found)) != digest:
                return True
        return False

    def close(self) -> None:
        """All has been taken that will be: keep no content."""
        self._pending = iter(())
        self._ahead.clear()
        self._ready.clear()

    # ------------------------------------------------------------------------------------------------------------------

    def _look_ahead(self) -> Manifest | None:
        manifest = self._next()
        if manifest is not None:
            self._ahead.append(manifest)
        return manifest

    def _next(self) -> Manifest | None:
        if self._pending is None:
            self._pending = self._read_manifests()
        for origin, content in self._pending:
            digest = self._digests[origin] = _digest(content)
            self._size += len(content)
            return Manifest(origin, content, digest)
        return None

    def _try(self, name: str) -> bytes | Exception:
        try:
            return self._read_file(name)
        except (OSError, ValueError) as error:
            # it knows this frame
            return error.with_traceback(None)


class Follower(IService):
    """A service that tells of a source's changes from its start to its end."""

    def follow(watched: Watched) -> None:  # noqa: N805
        """From now on tell of what is not as it was read. What was read before is followed no more."""


class ConfigurationSource(ABC):
    """
    Gives documents, whenever it is asked, and tells of their changes.

    It can be pickled, for another process that reads the same.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What the user calls it, and what problems with it as a whole stand at."""

    @property
    @abstractmethod
    def location(self) -> str:
        """The same for who is elsewhere: an absolute path; C{-} for standard input."""

    @abstractmethod
    def read(self) -> Reading:
        """Begin to read it, as it is now."""

    @abstractmethod
    def size(self) -> int:
        """Return how many bytes its texts have, about, without reading them; 0 where that can't be told."""

    @abstractmethod
    def follow(self, reactor: IReactorTime, changed: Callable[[], object]) -> Follower:
        """
        Return what tells of changes, at first of none.

        @param reactor: Provides whatever an implementation needs of the installed one.
        @param changed: Called in the reactor's turn, some time after something changed; then or later it may turn out
            that everything is what it was.
        """


def reason_of(error: Exception) -> Reason:
    """Return why something can't be read, in words that are the same on every Python."""
    if isinstance(error, ValueError):
        return "no file can have this name"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _digest(content: bytes | Reason) -> str:
    return sha256(content).hexdigest() if isinstance(content, bytes) else content
