"""
A zygote: a process that reads the files and forks workers, which share what it has read.

It has no reactor and no thread while it forks. All that it does it is told by the supervisor, and it ends when that
does. For new files it forks the next zygote, which keeps what has not changed: parsed documents, and OpenSSL's contexts
with the keys of their session tickets.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

from twisted.python.util import switchUID

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.model.addresses import Address
from edgegate.model.certificates import ManagedCertificate
from edgegate.net.channel import Channel, Received, adopt, wait_for_any
from edgegate.routing.snapshot import prepare
from edgegate.server.contexts import Contexts
from edgegate.server.reload import changes
from edgegate.sources.loading import Loaded
from edgegate.sources.named import source_named
from edgegate.tls.secrets import BadKeyMaterial
from edgegate.twistd_options import Options
from edgegate.workers.inheritance import Inheritance
from edgegate.workers.messages import (
    Adopt,
    Died,
    End,
    FilesRead,
    Fork,
    Forked,
    Opening,
    Renew,
    ShedPrivileges,
    Unchanged,
)
from edgegate.workers.slots import Slots


class Ended(Exception):
    """There is nothing more to do."""


class Zygote:
    """Does what the supervisor tells it."""

    def __init__(self, channel: Channel, children: Children, slots: Slots, options: Options) -> None:
        self._channel = channel
        self._children = children
        self._slots = slots
        self._options = options
        self._configuration = options.configuration(source_named(options["config"]))
        self._loaded: Loaded | None = None
        self._contexts = Contexts()
        self._sockets: dict[Address, int] = {}
        self._passed: frozenset[Address] = frozenset()
        self._workers: dict[int, int] = {}

    def run(self) -> Inheritance:
        """
        Do what comes until there is nothing more to do.

        @return: In each worker that was forked: what it serves.
        @raise Ended: There is nothing more to do.
        """
        while True:
            ready = wait_for_any([self._channel.fileno(), self._children.fileno()])
            if self._children.fileno() in ready:
                self._tell_who_ended()
            if self._channel.fileno() in ready:
                for received in self._receive():
                    inheritance = self._do(received)
                    if inheritance is not None:
                        return inheritance

    def load(self, anyway: bool) -> None:
        """
        Read the files, and tell what came of it.

        @raise Ended: There is nothing that could be served.
        """
        before = self._loaded
        if before is None:
            loaded: Loaded | None = self._configuration.load()
        else:
            loaded = self._configuration.reload(None if anyway else before.contents)
        if loaded is None:
            self._channel.send(Unchanged())
            raise Ended
        read = self._take(loaded, before)
        self._channel.send(read)
        if not read.sound:
            raise Ended

    def _take(self, loaded: Loaded, before: Loaded | None) -> FilesRead:
        """Make the contexts of what was read."""
        refused = FilesRead(False, loaded.problems, watched=loaded.contents.watched)
        snapshot = loaded.snapshot
        if snapshot is None:
            return refused
        if before is not None:
            _refuse_unread(self._configuration.unread, loaded.problems)
            if loaded.problems.errors:
                return refused
        prepare(snapshot)
        try:
            contexts = self._contexts.following(snapshot, loaded.secrets, loaded.secrets)
        except BadKeyMaterial as error:
            loaded.problems.add(Problem(error.name, 1, 1, Severity.ERROR, "", error.reason))
            return refused
        told: tuple[str, ...] = ()
        if before is not None and before.snapshot is not None:
            renewed = loaded.secrets.renewed_since(before.secrets)
            told = changes(before.snapshot, snapshot, before.endpoints, loaded.endpoints, renewed)
        self._loaded, self._contexts = loaded, contexts
        openings = tuple(Opening(each.bind, each.port, each.origin) for each in snapshot.listeners)
        return FilesRead(True, loaded.problems, told, openings, loaded.contents.watched)

    # ------------------------------------------------------------------------------------------------------------------

    def _receive(self) -> list[Received]:
        try:
            return self._channel.receive()
        except (EOFError, OSError):
            # the supervisor is gone; its workers see that, too
            raise Ended from None

    def _do(self, received: Received) -> Inheritance | None:
        value, descriptors = received.value, received.descriptors
        if isinstance(value, Fork):
            return self._fork(value, descriptors[0])
        if isinstance(value, Renew):
            self._renew(value, descriptors[0])
        elif isinstance(value, Adopt):
            self._sockets.update(zip(value.addresses, descriptors, strict=True))
            self._passed |= value.passed
        elif isinstance(value, ShedPrivileges):
            switchUID(value.uid, value.gid)
        elif isinstance(value, End):
            raise Ended
        return None

    def _fork(self, fork: Fork, descriptor: int) -> Inheritance | None:
        assert self._loaded is not None
        gc.collect()
        # the collector would touch, and so copy, all that the workers share
        gc.freeze()
        pid = _fork()
        if pid:
            os.close(descriptor)
            if pid < 0:
                return None
            self._workers[pid] = fork.slot
            self._channel.send(Forked(fork.slot, pid))
            return None
        self._channel.close()
        self._children.close()
        channel = Channel(adopt(descriptor))
        return Inheritance(
            fork, channel, self._sockets, self._passed, self._slots, self._options, self._loaded, self._contexts
        )

    def _renew(self, renew: Renew, descriptor: int) -> None:
        """Fork the next zygote, and become it in the new process."""
        if _fork():
            os.close(descriptor)
            return
        self._channel.close()
        self._channel = Channel(adopt(descriptor), patient=True)
        self._children.close()
        self._children = Children()
        self._workers.clear()
        for each in self._sockets.values():
            os.close(each)
        self._sockets.clear()
        self._passed = frozenset()
        self.load(renew.anyway)

    def _tell_who_ended(self) -> None:
        for pid, status in self._children.ended():
            slot = self._workers.pop(pid, None)
            if slot is not None:
                self._channel.send(Died(slot, pid, status))


def _refuse_unread(unread: Mapping[ManagedCertificate, str], problems: Problems) -> None:
    """
    Tell of certificates that workers may have by now, and that new ones would not have: they have what was read here.
    """
    for certificate, reason in unread.items():
        origin = certificate.origin
        message = (
            f"the certificate for {certificate.host} can't be read, so that the workers for these files might lack "
            f"what is served now ({reason}): reload once its storage is there"
        )
        problems.add(Problem(origin.file, origin.line, 1, Severity.ERROR, "", message, resource=origin.resource))


def _fork() -> int:
    """
    Fork; return the new process's number, in that 0, and where there can't be one -1. The supervisor is told by the end
    of the channel that is not handed on.
    """
    try:
        return os.fork()
    except OSError as error:
        sys.stderr.write(f"cannot fork: {error.strerror}\n")
        return -1


class Children:
    """The processes that this one has made: their end can be waited for by a descriptor."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def fileno(self) -> int:
        """Return a descriptor that can be read when some have ended."""
        return self._read

    def ended(self) -> Iterator[tuple[int, int]]:
        """Yield those that have ended, by their numbers, with their exit status as C{os.waitpid} has it."""
        with suppress(BlockingIOError):
            os.read(self._read, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            yield pid, status

    def close(self) -> None:
        """Watch no more: they are another process's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._read)
        os.close(self._write)
