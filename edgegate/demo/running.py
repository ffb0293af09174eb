"""The demo's processes: its backends in this one, the gateway as a child."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError, ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport, IProtocolFactory, IReactorCore, IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from edgegate.demo.echo import EchoFactory
from edgegate.demo.stores import StoreSite, tcp_description, tls_description

PORTS: Mapping[str, int] = {
    "apiserver": 7070,
    "catalog": 7071,
    "simple-sni-1": 7072,
    "simple-sni-2": 7073,
    "tcp-echo": 2701,
}
"""Where C{etc/backends.yaml} expects each backend on 127.0.0.1."""


def descriptions(ports: Mapping[str, int], certs: Path) -> list[tuple[str, IProtocolFactory]]:
    """Return for each backend the description of its server endpoint and its factory."""
    return [
        (tcp_description(ports["apiserver"]), StoreSite("apiserver")),
        (tcp_description(ports["catalog"]), StoreSite("catalog")),
        *(
            (tls_description(ports[name], certs, f"{name}.istioinaction.io"), StoreSite(name))
            for name in ("simple-sni-1", "simple-sni-2")
        ),
        (tcp_description(ports["tcp-echo"]), EchoFactory(socket.gethostname())),
    ]


class GatewayProcess(ProcessProtocol):
    """
    The gateway as a child process that writes to our own output.

    @ivar ended: Fires once with the exit status to pass on; a death by signal N counts as 128 + N, as in a shell.
    """

    transport: IProcessTransport

    def __init__(self) -> None:
        self.ended: Deferred[int] = Deferred()
        self._stopping = False

    def stop(self) -> Deferred[int]:
        """End the child if it still runs. The status is then 0 unless the child had another reason to fail."""
        self._stopping = True
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("TERM")
        return self.ended

    def processEnded(self, reason: Failure) -> None:
        """Tell the status."""
        self.ended.callback(self._status(reason))

    def _status(self, reason: Failure) -> int:
        if reason.check(ProcessDone):
            return 0
        number = getattr(reason.value, "signal", None)
        if number is None:
            return int(getattr(reason.value, "exitCode", None) or 1)
        # A Ctrl-C in a terminal reaches the child as well as us.
        asked = self._stopping and number in (signal.SIGTERM, signal.SIGINT)
        return 0 if asked else 128 + int(number)


async def run(
    reactor: IReactorProcess, backends: Sequence[tuple[str, IProtocolFactory]], command: Sequence[str]
) -> None:
    """
    Listen for the backends, start the gateway and wait for its end.

    When the reactor stops (Ctrl-C, SIGTERM) the gateway is told to end too, and
    is waited for.

    @param backends: As L{descriptions} returns them.
    @param command: The gateway's command line.

    @raise SystemExit: Always: with the gateway's exit status, or with a line that says why there is no demo.
    """
    for description, factory in backends:
        try:
            await serverFromString(reactor, description).listen(factory)
        except (CannotListenError, OSError) as error:
            raise SystemExit(f"edgegate.demo: {error}") from error
    gateway = GatewayProcess()
    reactor.spawnProcess(gateway, command[0], command, env=os.environ, childFDs={0: 0, 1: 1, 2: 2})
    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", gateway.stop)
    raise SystemExit(await gateway.ended)
