# Hot path: every byte of HTTP passes here.
"""A transport past whose protocol bytes can go: a large body straight to another one, or all from some point on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Hashable
from typing import cast

from OpenSSL import SSL
from twisted.internet import error
from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.python.failure import Failure

from edgegate.model.addresses import Address
from edgegate.net.body_copy import BodyCopy
from edgegate.net.body_run import BodyRun, RunSide
from edgegate.net.body_splice import BodySplice
from edgegate.net.pipe import PIPES, Pipes
from edgegate.net.poller import Poller
from edgegate.net.transport import Phase


class Stream(RunSide):
    """One connected stream socket, as all the data plane has them. It owns it until L{detach}."""

    __slots__ = ("_run",)

    def __init__(self, reactor: IReactorFDSet, sock: socket.socket, local: Address, peer: Address) -> None:
        super().__init__(reactor, sock, local, peer)
        self._run: BodyRun | None = None

    @property
    def secured(self) -> SSL.Connection | None:
        """OpenSSL's side of the connection; L{None}: it is in the clear."""
        return None

    def at_turn_end(self, call: Callable[[], None]) -> None:
        """
        Have something called once, when all that came in this turn of the reactor was told.

        What many have to say in a turn can leave in one piece so. It is called also if the stream has
        ended meanwhile, and raises nothing.
        """
        reactor = self._reactor
        if isinstance(reactor, Poller):
            reactor.at_turn_end(call)
        else:
            cast(IReactorTime, reactor).callLater(0, call)

    def put_off(self, call: Callable[[], None], whose: Hashable) -> None:
        """
        Have something called once, in a later turn: behind what was put off for the same client, and one of each other.

        It is called also if the stream has ended meanwhile, and raises nothing.
        """
        reactor = self._reactor
        if isinstance(reactor, Poller):
            reactor.put_off(call, whose)
        else:
            cast(IReactorTime, reactor).callLater(0, call)

    # Handing the socket over ------------------------------------------------------------------------------------------

    @property
    def reactor(self) -> IReactorFDSet:
        """What watches the socket."""
        return self._reactor

    @property
    def detachable(self) -> bool:
        """Whether the socket can be handed over: it carries what is sent as it is, nothing is queued, nothing ends."""
        return not self._queue and self._phase is Phase.OPEN and not self._read_ended

    def detach(self) -> socket.socket:
        """
        Watch the socket no longer and hand it over to the caller, who owns it from now on.

        @raise RuntimeError: It is not C{detachable}.
        """
        if not self.detachable:
            raise RuntimeError("a stream that is not at rest cannot be detached")
        self._unwatch()
        self._phase = Phase.CLOSED
        self._forget_protocol()
        return self._socket

    # Bodies that go past the protocols --------------------------------------------------------------------------------

    @property
    def spliceable(self) -> bool:
        """Whether the kernel can move bytes from or to this stream: nothing of it is encrypted here."""
        return True

    @property
    def at_rest(self) -> bool:
        """Whether a run can begin or end here at present."""
        return self._run is None and self._phase is Phase.OPEN and not self._queue

    def run_to(self, sink: Stream, count: int, moved: Callable[[int], None], pipes: Pipes = PIPES) -> bool:
        """
        Have what comes next go straight to another stream; the protocols of both see nothing of it.

        Neither may be written to or switched before the last byte was moved.
        Pausing this stream pauses the run. While the sink takes nothing its
        producer is paused, who sees to it that this stream is, too. The end
        of a stream, or of our direction of it, ends the run at once: what
        a pipe holds then is lost.

        @param moved: Gets the number of bytes each time that some were moved.
        @param pipes: Where it finds a pipe; where there is none the bytes are copied.
        @return: Whether it is done: not where one of them is not at rest, and then nothing has changed.
        """
        if not self.at_rest or not sink.at_rest:
            return False
        pipe = pipes.take() if self.spliceable and sink.spliceable else None
        run: BodyRun
        run = BodyCopy(self, sink, count, moved) if pipe is None else BodySplice(self, sink, count, moved, pipe)
        self._run = sink._run = run
        return True

    def read_into(self, buffer: memoryview) -> int:
        """
        Read for a run; return how many bytes came, 0 at the end.

        @raise OSError: There is nothing yet, or the connection is broken.
        """
        taken = self._socket.recv_into(buffer)
        self.bytes_in += taken
        return taken

    def write_lent(self, data: memoryview) -> None:
        """L{write} what is another's again on return: what is queued is a copy."""
        queue = self._queue
        try:
            self.write(data)
        finally:
            if queue:
                queue[-1] = bytes(queue[-1])

    def run_cut(self) -> None:
        """The run found the end of what this stream brings."""
        self._stop_run()
        self._read_finished()

    def run_blocked(self) -> None:
        """The run found that this stream's socket is full."""
        self._watch_writing()
        self._hold_producer()

    def empty_run(self, run: BodyRun) -> bool:
        """Move what a run holds to this stream, which ends if it is broken; return whether nothing of it is left."""
        try:
            return run.empty()
        except OSError as reason:
            self._end(Failure(error.ConnectionLost(str(reason))))
            return False

    def run_over(self) -> None:
        """The run is over."""
        self._run = None

    # The reactor ------------------------------------------------------------------------------------------------------

    def doRead(self) -> None:
        """Something can be read."""
        run = self._run
        if run is not None and run.sink is not self:
            self._fill(run)
        else:
            super().doRead()

    def doWrite(self) -> None:
        """More can be written, or the end is due."""
        run = self._run
        if run is None or run.sink is not self or self.empty_run(run):
            super().doWrite()

    # ------------------------------------------------------------------------------------------------------------------

    def _fill(self, run: BodyRun) -> None:
        try:
            filled = run.fill()
        except OSError as reason:
            self._end(Failure(error.ConnectionLost(str(reason))))
        else:
            if filled:
                run.sink.empty_run(run)

    def _stop_run(self) -> None:
        """A direction of ours ends, and so does the run."""
        if self._run is not None:
            self._run.stop()
