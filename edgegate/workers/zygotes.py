"""The zygotes, as the supervisor knows them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.config.problems import Problems
from edgegate.net.channel import Channel, Received, pair, wait_for_any
from edgegate.net.nameless_file import nameless_file
from edgegate.net.peer import Peer
from edgegate.server.reload_coordinator import ReadingFailed
from edgegate.sources.source import Watched
from edgegate.workers.messages import End, FilesRead, Load, Renew, Unchanged
from edgegate.workers.spawn import Spawned

LAST_WORDS = 1.0
"""Seconds for which it is waited for what a process that has died has written."""

log = Logger(namespace=__name__)


class Zygote:
    """
    A process that reads the files once, and makes workers that serve them.

    @ivar read: Fires with what came of its reading; with L{None}: all is what it was. Fails with L{ReadingFailed}.
    @ivar told: Takes what it tells afterwards.
    @ivar gone: Called when it is gone, after it has read the files.
    """

    def __init__(self, reactor: IReactorFDSet, channel: Channel) -> None:
        self.read: Deferred[FilesRead | None] = Deferred()
        self.told: Callable[[Received], None] = lambda received: None
        self.gone: Callable[[], None] = lambda: None
        self.peer = Peer(reactor, channel, self._told, self._gone)
        self.peer.start()

    def _told(self, received: Received) -> None:
        if isinstance(received.value, FilesRead):
            self.read.callback(received.value)
        elif isinstance(received.value, Unchanged):
            self.read.callback(None)
        else:
            self.told(received)

    def _gone(self) -> None:
        if not self.read.called:
            self.read.errback(ReadingFailed("the process that read the files has died"))
        else:
            self.gone()

    def end(self) -> None:
        """It is of no use any more."""
        self.peer.send(End())
        self.peer.close()


@dataclass(frozen=True, slots=True)
class Files:
    """
    What a zygote has read; an L{edgegate.server.reload_coordinator.Read}.

    @ivar zygote: Can make workers that serve it, where it is sound.
    """

    zygote: Zygote
    read: FilesRead

    @property
    def problems(self) -> Problems:
        """What is wrong with it."""
        return self.read.problems

    @property
    def changes(self) -> tuple[str, ...]:
        """What is different with it."""
        return self.read.changes

    @property
    def watched(self) -> Watched:
        """Where a change of it would be seen."""
        return self.read.watched


class Zygotes:
    """Makes zygotes: the first one, and the one after another."""

    def __init__(self, reactor: IReactorFDSet, arguments: tuple[str, ...], memory: int, silent: bool = False) -> None:
        """
        @param arguments: Those of C{twistd edgegate}.
        @param memory: The descriptor of the slots.
        @param silent: See L{Spawned}.
        """
        self._reactor = reactor
        self._arguments = arguments
        self._memory = memory
        self._silent = silent
        self._standard_input: int | None = None
        self._known: list[Zygote] = []
        self._spawned: list[Spawned] = []
        self._errors: list[Errors] = []

    def keep_standard_input(self, content: bytes) -> None:
        """Have each process that has nothing of those before read this: standard input can be read once."""
        self._standard_input = nameless_file("edgegate standard input")
        with os.fdopen(os.dup(self._standard_input), "wb") as file:
            file.write(content)

    def peers(self) -> list[Peer]:
        """Return those that may tell something."""
        self._known = [zygote for zygote in self._known if zygote.peer.open]
        return [zygote.peer for zygote in self._known]

    def errors(self) -> list[Errors]:
        """Return where processes write what Python itself has to say."""
        return [errors for errors in self._errors if errors.fileno() >= 0]

    def last_words(self) -> list[str]:
        """Return what processes that have died have written last; some of it may come for a moment yet."""
        for errors in self.errors():
            while errors.fileno() >= 0 and wait_for_any([errors.fileno()], LAST_WORDS):
                errors.doRead()
        return [errors.last for errors in self._errors if errors.last]

    def reap(self) -> None:
        """Leave nothing of processes that have ended."""
        self._spawned = [spawned for spawned in self._spawned if not spawned.reap()]

    def stop(self) -> None:
        """Nobody is left."""
        for zygote in self._known:
            zygote.peer.close()
        for each in self._errors:
            each.close()
        os.close(self._memory)
        if self._standard_input is not None:
            os.close(self._standard_input)

    def first(self) -> Zygote:
        """Start a process that has nothing of those before."""
        spawned = Spawned(self._standard_input, self._silent)
        self._spawned.append(spawned)
        self._errors = [*self.errors(), Errors(self._reactor, spawned.errors)]
        zygote = Zygote(self._reactor, spawned.channel)
        self._known.append(zygote)
        zygote.peer.send(Load(self._arguments), (self._memory,))
        return zygote

    def after(self, before: Zygote, anyway: bool) -> Zygote:
        """
        Have a zygote make the next one. Where it is gone, a process starts that has nothing of it.

        @param anyway: Whether the files are to be compiled were they what they were.
        """
        if not before.peer.open:
            return self.first()
        ours, theirs = pair()
        zygote = Zygote(self._reactor, Channel(ours))
        self._known.append(zygote)
        before.peer.send(Renew(anyway), (theirs.fileno(),))
        theirs.close()
        return zygote


@implementer(IReadDescriptor)
class Errors:
    """
    What processes write to standard error, for the service log: it is theirs when Python itself is in trouble.

    @ivar last: What was written last.
    """

    def __init__(self, reactor: IReactorFDSet, descriptor: int) -> None:
        """
        @param descriptor: Of a pipe, which belongs to this from now on.
        """
        self._reactor = reactor
        self._descriptor = descriptor
        self.last = ""
        reactor.addReader(self)

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is closed."""
        return self._descriptor

    def doRead(self) -> None:
        """Log what has come."""
        try:
            text = os.read(self._descriptor, 65536).decode("utf-8", "backslashreplace")
        except BlockingIOError:
            return
        if text:
            self.last = text.rstrip()
            log.error("a worker or zygote wrote: {text}", text=text.rstrip())
        else:
            self.close()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor says that the descriptor is of no more use."""
        self.close()

    def close(self) -> None:
        """Log nothing more."""
        if self._descriptor >= 0:
            self._reactor.removeReader(self)
            os.close(self._descriptor)
            self._descriptor = -1

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "workers"
