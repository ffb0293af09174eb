"""The demo's processes: its backends in this one, the gateway as a child."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError, ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import (
    IProcessTransport,
    IProtocolFactory,
    IReactorCore,
    IReactorFromThreads,
    IReactorProcess,
)
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


OWN_GROUP = "import os, sys; os.setpgid(0, 0); os.execvp(sys.argv[1], sys.argv[1:])"
"""Starts a program that a terminal's Ctrl-C does not reach: it comes from us, and once."""


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
        """
        Tell the child to end if it still runs; told again, it is killed.

        @return: L{ended}, with status 0 unless the child had another reason to fail.
        """
        signal_name = "KILL" if self._stopping else "TERM"
        self._stopping = True
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess(signal_name)
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
        asked = self._stopping and number in (signal.SIGTERM, signal.SIGKILL)
        return 0 if asked else 128 + int(number)


async def run(
    reactor: IReactorProcess, backends: Sequence[tuple[str, IProtocolFactory]], command: Sequence[str]
) -> None:
    """
    Listen for the backends, start the gateway and wait for its end.

    When the demo is told to end (Ctrl-C, SIGTERM, a terminal that closes) it
    tells the gateway, and waits for it. A second Ctrl-C kills the gateway.

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
    child = [sys.executable, "-c", OWN_GROUP, *command]
    reactor.spawnProcess(gateway, child[0], child, env=os.environ, childFDs={0: 0, 1: 1, 2: 2})
    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", gateway.stop)
    in_time = IReactorFromThreads(reactor).callFromThread
    numbers = (signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(number, lambda number, frame: in_time(gateway.stop)) for number in numbers]
    try:
        status = await gateway.ended
    finally:
        for number, previous in zip(numbers, before, strict=True):
            signal.signal(number, previous)
    raise SystemExit(status)
