"""Clients and backends on real sockets, which block in threads of their own and know nothing of a reactor."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

PATIENCE = 20.0
"""Seconds after which a peer that waits gives up, so that a broken relay fails a test instead of hanging it."""

STALL = 1.0
"""Seconds without any room after which a sender takes the way for blocked."""

T = TypeVar("T")


def in_thread(action: Callable[[], T]) -> Deferred[T]:
    """Run what blocks in a thread."""
    return deferToThread(action)


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Return a client's end, which blocks, and a gateway's end, which does not, of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), PATIENCE)
        accepted, _ = server.accept()
    accepted.setblocking(False)
    return client, accepted


def refusing() -> socket.socket:
    """Return a socket that keeps a port for itself and does not listen, so that connects to it are refused."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def read_all(sock: socket.socket) -> bytes:
    """Read up to the peer's end. A reset is raised."""
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def reset(sock: socket.socket) -> None:
    """Close with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def send_until_blocked(sock: socket.socket, limit: int) -> int:
    """Send until nothing is taken any more, or the limit is reached; return how many bytes were taken."""
    sock.settimeout(STALL)
    taken = 0
    try:
        while taken < limit:
            taken += sock.send(b"x" * 65536)
    except TimeoutError:
        pass
    sock.settimeout(PATIENCE)
    return taken


class Backend:
    """
    A listening socket whose connections the test takes itself.

    @ivar server: The socket; connects are answered by the kernel alone.
    """

    def __init__(self, path: str | None = None) -> None:
        if path is None:
            self.server = socket.create_server(("127.0.0.1", 0))
        else:
            self.server = socket.socket(socket.AF_UNIX)
            self.server.bind(path)
            self.server.listen()
        self.server.settimeout(PATIENCE)
        self.accepted: list[socket.socket] = []

    @property
    def port(self) -> int:
        """The TCP port."""
        number: int = self.server.getsockname()[1]
        return number

    def accept(self) -> socket.socket:
        """Take a connection."""
        connection, _ = self.server.accept()
        connection.settimeout(PATIENCE)
        self.accepted.append(connection)
        return connection

    def echo(self) -> int:
        """Send one connection its bytes back as they come, then its end; return their number."""
        connection = self.accept()
        count = 0
        while piece := connection.recv(65536):
            count += len(piece)
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return count

    def close(self) -> None:
        """Close everything."""
        self.server.close()
        for connection in self.accepted:
            connection.close()
