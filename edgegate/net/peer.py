"""Another process of the gateway, as the reactor sees it: a channel that is read and written when it can be."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor, IWriteDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.net.channel import Channel, NoDescriptors, Received, wait_for_any

log = Logger(namespace=__name__)


@implementer(IReadDescriptor, IWriteDescriptor)
class Peer:
    """
    What comes from the other process is told, and once that it is gone, unless L{close} was called before.

    @ivar open: Whether it can be told something.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        channel: Channel,
        told: Callable[[Received], None],
        gone: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._channel = channel
        self._told = told
        self._gone = gone
        self._writing = False
        self._hearing = self._mute = False
        self.open = True

    def start(self) -> None:
        """Read from now on."""
        self._reactor.addReader(self)

    def send(self, value: object, descriptors: tuple[int, ...] = ()) -> None:
        """Tell the other process something; copies of descriptors go with it. One that is gone is told nothing."""
        if not self.open or self._mute:
            return
        try:
            self._channel.send(value, descriptors)
        except NoDescriptors as error:
            log.error("{what} can't be told to another process: {reason}", what=type(value).__name__, reason=str(error))
        except OSError:
            self._hear_last()
            return
        self._look_at_queue()

    def offer(self, value: object) -> bool:
        """Tell something that need not be told, unless much waits already; return whether it was."""
        if not self.open or self._mute or self._channel.full:
            return False
        self.send(value)
        return True

    def finish(self, seconds: float) -> None:
        """
        Tell what waits to be told, and then L{close}. The process waits for it.

        @param seconds: For how long, at most.
        """
        if self.open:
            try:
                self._channel.flush_within(seconds)
            except OSError:  # it is gone: nobody is left to tell
                pass
            self.close()

    def close(self) -> None:
        """Tell nothing any more, and hear nothing; what waits to be told is lost."""
        if self.open:
            self.open = False
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
            self._channel.close()

    # As the reactor sees it -------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is closed."""
        return self._channel.fileno()

    def doRead(self) -> None:
        """Something has come."""
        self._hear()
        if self._mute:
            self._hear_last()

    def doWrite(self) -> None:
        """There is room for what waits."""
        try:
            self._channel.flush()
        except OSError:
            self._hear_last()
            return
        self._look_at_queue()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor says that the descriptor is of no more use."""
        self._lost()

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "processes"

    # ------------------------------------------------------------------------------------------------------------------

    def _look_at_queue(self) -> None:
        if self._channel.waiting != self._writing:
            self._writing = self._channel.waiting
            if self._writing:
                self._reactor.addWriter(self)
            else:
                self._reactor.removeWriter(self)

    def _hear(self) -> None:
        try:
            received = self._channel.receive()
        except (EOFError, OSError):
            self._lost()
            return
        self._hearing = True
        try:
            for each in received:
                try:
                    self._told(each)
                except Exception:
                    log.failure("what another process of the gateway told could not be done")
        finally:
            self._hearing = False

    def _hear_last(self) -> None:
        """
        Nothing can be told any more; what was said last may not have been heard.

        Where that comes of an answer to what is heard, the rest of it comes first.
        """
        self._mute = True
        if self._hearing:
            return
        while self.open and wait_for_any([self.fileno()], 0):
            self._hear()
        self._lost()

    def _lost(self) -> None:
        if self.open:
            self.close()
            self._gone()
