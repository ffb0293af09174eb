"""Sockets whose other end is the test, and protocols that write down what they hear."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.model.addresses import TCPAddress

HERE = TCPAddress("127.0.0.1", 1)
THERE = TCPAddress("127.0.0.1", 2)
PATIENCE = 10.0

_CONTROLS = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")
PACED = _CONTROLS.exists() and "bbr" in _CONTROLS.read_text().split()
"""Whether a socket of this machine may be paced."""


def control(sock: socket.socket) -> str:
    """Return what controls the congestion of a socket."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def paced_socket(family: int, kind: int) -> socket.socket:
    """Return a new socket that is paced, as all are on a machine whose default paces."""
    sock = socket.socket(family, kind)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    return sock


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends of a TCP connection, both not blocking."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    one.setblocking(False)
    other.setblocking(False)
    return one, other


def opened(*fds: int) -> set[str]:
    """Return what descriptors are of, as C{socket:[INODE]} (proc_pid_fd): no other file of the machine is called so."""
    return {os.readlink(f"/proc/self/fd/{fd}") for fd in fds}  # noqa: PTH115


def all_opened() -> set[str]:
    """Return what all descriptors of this process are of; what the threads of other tests have open is among it."""
    found: set[str] = set()
    for each in os.listdir("/proc/self/fd"):  # noqa: PTH208
        # that of this folder is closed by now
        with suppress(FileNotFoundError):
            found |= opened(int(each))
    return found


async def until(condition: Callable[[], Any]) -> None:
    """Let the reactor turn until something holds."""
    done: Deferred[None] = Deferred()
    done.addTimeout(PATIENCE, reactor)  # type: ignore[arg-type]

    def look() -> None:
        if condition() and not done.called:
            done.callback(None)

    looking = LoopingCall(look)
    looking.start(0.001)
    try:
        await done
    finally:
        looking.stop()


def receive(sock: socket.socket) -> bytes | None:
    """Return what is there; L{None} where nothing is, and nothing where the other side has ended."""
    try:
        return sock.recv(1 << 20)
    except BlockingIOError:
        return None


def attempt(step: Any) -> bool:
    """Try what may have to wait for the other side; tell whether it is done."""
    try:
        step()
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return False
    return True


class Recorder(Protocol):
    """
    Writes down what it hears.

    @ivar lost: Why the connection ended, each time that this was told.
    """

    def __init__(self) -> None:
        self.data = b""
        self.lost: list[type[BaseException]] = []

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        assert reason.type is not None
        self.lost.append(reason.type)


@implementer(IHalfCloseableProtocol)
class HalfRecorder(Recorder):
    """A recorder that goes on after one direction has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[str] = []

    def readConnectionLost(self) -> None:
        self.ended.append("read")

    def writeConnectionLost(self) -> None:
        self.ended.append("write")


class Producer:
    """A push producer that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")
