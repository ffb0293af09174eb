"""The admin listener: its port, and what opens and closes it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger, LogLevel
from twisted.protocols.policies import WrappingFactory

from edgegate.admin.interfaces import Gateway
from edgegate.admin.options import AdminOptions
from edgegate.admin.token import BadToken, TokenFile
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.net.listening import bind
from edgegate.net.sockets import Socket, descriptor_of
from edgegate.observe.log_throttle import LogThrottle
from edgegate.server.handover import Handed, Role
from edgegate.server.predecessor import Predecessor
from edgegate.startup import CannotStart

log = Logger(namespace=__name__)

ADMIN, METRICS = "admin listener", "metrics listener"
"""What the log calls them."""

_MODE = 0o600

MOST_CONNECTIONS = 100
"""Connections at one time."""

_ANSWERS = 1.0
"""Seconds in which answers are sent that are under way when the port is left."""

NOT_ASKED = (
    "; this gateway can't be asked, and `edgegate proxy-config` and `edgegate reload` ask whoever is there: "
    "give it an --admin of its own, and them the same"
)
"""What a gateway without its admin listener says, which goes on without where nobody has asked for one."""


class SiteFactory(Factory):
    """
    Makes the site when somebody first connects.

    Most gateways are never asked, and Twisted's HTTP server is megabytes. Its import takes some tens of milliseconds,
    in which traffic waits, once.
    """

    noisy = False

    def __init__(self, make: Callable[[], Any], name: str = ADMIN) -> None:
        """
        @param make: Makes an L{edgegate.admin.site.AdminSite}; raises ImportError where that is not there any more.
        @param name: What the log calls the listener.
        """
        self._name = name
        self._make = make
        self._site: WrappingFactory | None = None
        self._complaints = LogThrottle(60.0)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return the protocol of a new connection; L{None} where it cannot be answered, or there are too many."""
        made = self._site
        if made is None:
            try:
                made = self._site = WrappingFactory(self._make())
            except ImportError as error:
                words = "the {name} cannot answer: {error}; was edgegate removed while it ran?"
                log.emit(LogLevel.error, words, name=self._name, error=str(error))
                return None
            made.noisy = False
        if len(made.protocols) >= MOST_CONNECTIONS:
            if self._complaints.due(None, monotonic()) is not None:
                words = "the {name} has {count} connections: others are closed"
                log.emit(LogLevel.warn, words, name=self._name, count=MOST_CONNECTIONS)
            return None
        return made.buildProtocol(addr)

    def lose(self) -> None:
        """Close every connection once what was answered is sent."""
        if self._site is not None:
            for connection in tuple(self._site.protocols):
                connection.loseConnection()

    def close(self) -> None:
        """Close every connection."""
        if self._site is not None:
            for connection in tuple(self._site.protocols):
                connection.abortConnection()


class AdminService(Service):
    """
    The admin listener, from the gateway's start to its end.

    @cvar listener: What the log calls it.
    """

    listener = ADMIN

    def __init__(
        self,
        reactor: Any,
        gateway: Gateway,
        address: Address,
        required: bool = True,
        before: Predecessor | None = None,
        options: AdminOptions = AdminOptions(),  # noqa: B008 (frozen)
    ) -> None:
        """
        @param reactor: Provides C{IReactorTCP} or C{IReactorUNIX}.
        @param required: Whether the start fails where the port can't be bound; else the gateway runs without.
        @param before: The process whose place this one takes.
        """
        self._before = before
        self._required = required
        self._reactor = reactor
        self._gateway = gateway
        self._options = options
        self._token = None if options.token_file is None else TokenFile(options.token_file)
        self._site = SiteFactory(self._make, self.listener)
        self._address = address
        self._port: IListeningPort | None = None
        self._tried = False
        self._answers: Deferred[None] = succeed(None)

    def privilegedStartService(self) -> None:
        """
        Open the port.

        @raise edgegate.startup.CannotStart: It cannot be bound, or there is no token where one is to be asked for.
        """
        super().privilegedStartService()
        self._open()

    def startService(self) -> None:
        """
        Answer from now on.

        @raise edgegate.startup.CannotStart: See L{privilegedStartService}, which C{twist} leaves out.
        """
        super().startService()
        self._open()

    # When a new process takes the place of this one; see L{edgegate.server.upgrade.Companion} -------------------------

    def prepare(self) -> None:
        """There is nothing to be done."""

    def keep(self) -> None:
        """There is nothing to be done."""

    def handed(self) -> list[Handed]:
        """Return the socket of a TCP port. That of a path can't be had by two, and is bound anew."""
        port: Any = self._port
        if port is None or isinstance(self._address, UNIXAddress):
            return []
        return [Handed(Role.ADMIN, self._address, port.fileno())]

    def hand_over(self, pid: int) -> Deferred[None]:
        """Leave the port to the new process, and have whoever is connected connect anew, once answers are sent."""
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        self._answers = deferLater(self._reactor, _ANSWERS, self._site.lose)
        return maybeDeferred(port.stopListening).addCallback(lambda _: None)

    # ------------------------------------------------------------------------------------------------------------------

    async def _close(self, port: IListeningPort | None) -> None:
        if port is not None:
            await maybeDeferred(port.stopListening)
        await self._answers
        self._site.close()
        # connections end in the next turn
        await deferLater(self._reactor, 0)

    def stopService(self) -> Deferred[None]:
        """Close the port, and every connection."""
        super().stopService()
        port, self._port = self._port, None
        if port is None and self._answers.called:
            self._site.close()
            return succeed(None)
        return Deferred.fromCoroutine(self._close(port))

    @property
    def port(self) -> IListeningPort | None:
        """What is open."""
        return self._port

    def _make(self) -> Any:
        """Return what answers; see L{SiteFactory}."""
        from edgegate.admin.site import admin_site  # noqa: PLC0415

        local = isinstance(self._address, UNIXAddress)
        return admin_site(self._reactor, self._gateway, local, self._options, self._token)

    def _open(self) -> None:
        if self._tried:
            return
        self._tried = True
        if self._token is not None:
            try:
                self._token.check()
            except BadToken as error:
                raise CannotStart(f"--admin-token-file: {error}") from None
        before, self._before = self._before, None
        if before is not None and isinstance(self._address, UNIXAddress):
            self._required = False
            before.left.addCallback(lambda _: self._bind(None))
        else:
            self._bind(None if before is None else before.admin_socket(self._address))

    def _bind(self, given: Socket | None) -> None:
        """
        @param given: The listening socket, open already, which stays its owner's.
        """
        address = self._address
        try:
            if isinstance(address, TCPAddress):
                # one that Twisted binds listens no more once it is closed, whoever else has it
                sock = bind(address) if given is None else given
                self._port = self._reactor.adoptStreamPort(descriptor_of(sock), sock.family, self._site)
                if given is None:
                    sock.close()
            else:
                # the lock beside the socket tells one that was left behind from one in use
                self._port = self._reactor.listenUNIX(address.path, self._site, mode=_MODE, wantPID=True)
        except (CannotListenError, OSError) as error:
            # the lock beside a socket has the system's own error
            cause = error.socketError if isinstance(error, CannotListenError) else error
            reason = getattr(cause, "strerror", None) or str(cause)
            if self._required:
                raise CannotStart(f"cannot bind {address} for the {self.listener}: {reason}") from None
            words = "cannot bind {address} for the {name}: {reason}{way_out}"
            way_out = NOT_ASKED if self.listener == ADMIN else ""
            log.emit(LogLevel.warn, words, address=str(address), name=self.listener, reason=reason, way_out=way_out)
        else:
            log.info("{name} on {address}", name=self.listener, address=_shown(self._port, address))


class MetricsService(AdminService):
    """The metrics listener, likewise: whoever reaches it may see the metrics, and nothing else."""

    listener = METRICS

    def _make(self) -> Any:
        from edgegate.admin.site import metrics_site  # noqa: PLC0415

        return metrics_site(self._reactor, self._gateway)


def _shown(port: IListeningPort, address: Address) -> str:
    host: Any = port.getHost()
    return str(TCPAddress(host.host, host.port)) if isinstance(address, TCPAddress) else str(address)
