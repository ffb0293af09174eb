"""A real Redis, for tests that need one: Debian's redis-server."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports, program


class Redis:
    """
    A Redis that keeps nothing, which may be killed and started again.

    @ivar port: In the clear, or TLS where it was given certificates.
    """

    def __init__(self, case: AcceptanceTestCase, *options: str, tls: Path | None = None) -> None:
        """
        @param options: Of redis-server.
        @param tls: A folder with C{server.crt}, C{server.key} and C{ca.crt}: clients have to speak TLS.
        """
        (self.port,) = free_ports(1)
        command = [program("redis-server"), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1", *options]
        if tls is None:
            command += ["--port", str(self.port)]
        else:
            command += ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            command += ["--tls-cert-file", str(tls / "server.crt"), "--tls-key-file", str(tls / "server.key")]
            command += ["--tls-ca-cert-file", str(tls / "ca.crt")]
        self._case = case
        self._command = command
        self.start()

    def start(self) -> None:
        """Start it, after the first time with nothing in it."""
        self.running: Running = self._case.start(*self._command)
        self.running.says("Ready to accept connections")

    def kill(self) -> None:
        """End it without a word."""
        self.running.process.kill()
        self.running.ends()

    def hang(self) -> None:
        """Have it take connections and questions, and answer nothing."""
        self.running.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it answer again."""
        self.running.process.send_signal(signal.SIGCONT)

    def ask(self, *words: bytes) -> bytes:
        """Send one command, and return the first line of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(
                b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(each), each) for each in words)
            )
            return connection.makefile("rb").readline()
