"""A gateway that serves a folder for all tests of a class, and a client that sees answers as they are."""

from __future__ import annotations

import atexit
import json
import shutil
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.acceptance.echo import EchoBackends
from tests.acceptance.processes import PATIENCE, Running, free_ports, program, tcp_sockets

Headers = list[tuple[str, str]]


@dataclass
class Answer:
    """
    An answer as a client saw it.

    @ivar headers: In their order, names in lower case.
    @ivar seconds: From the request to the answer's last byte.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes
    trailers: Headers
    seconds: float = 0.0

    def values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        """Return the value of a header that comes once, or a dash where it does not come at all."""
        values = self.values(name)
        assert len(values) <= 1, f"{name}: {values}"
        return values[0] if values else "-"

    @property
    def echo(self) -> dict[str, Any]:
        """What the backend told, which has answered."""
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found

    def told(self, name: str) -> list[str]:
        """Return all values of a header that the backend received."""
        return [value for key, value in self.echo["headers"] if key.lower() == name]

    @property
    def where(self) -> str:
        """The backend that answered, or the status of the gateway's own answer."""
        return self.one("x-backend") if self.values("x-backend") else str(self.status)


class Client:
    """
    One connection to the gateway, with answers read byte by byte as RFC 9112 has them.

    It speaks TLS where it is given an SNI, and takes any certificate.
    """

    def __init__(self, port: int, sni: str | None = None, certificate: Path | None = None) -> None:
        """
        @param certificate: A file with the client's certificate and its key.
        """
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sni is not None:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            if certificate is not None:
                context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_hostname=sni)
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def dribble(self, pieces: Iterable[bytes]) -> None:
        """Send pieces that come to the gateway one by one: the next when it has read the one before."""
        for piece in pieces:
            self.send(piece)
            deadline = time.monotonic() + PATIENCE
            while unread(self.socket):
                assert time.monotonic() < deadline, "the gateway does not read"
                threading.Event().wait(0.0005)

    def ask(
        self, method: str, target: str, host: str, headers: Sequence[tuple[str, str]] = (), body: bytes | None = None
    ) -> Answer:
        """Ask, and return the answer."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers)]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        began = time.monotonic()
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
        answer = self.answer(method)
        answer.seconds = time.monotonic() - began
        return answer

    def answer(self, method: str = "GET", protocol: str = "HTTP/1.1") -> Answer:
        """Read the next answer, a 1xx one too; its version and framing are checked."""
        line = self._line()
        assert line, "the connection ended before an answer"
        version, status, reason = line.split(" ", 2)
        assert version == protocol, line
        answer = Answer(int(status), reason, list(self._fields()), b"", [])
        lengths, codings = answer.values("content-length"), answer.values("transfer-encoding")
        assert len(lengths) + len(codings) <= 1, answer
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        if codings:
            while size := int(self._line(), 16):
                answer.body += self._exactly(size)
                assert self._exactly(2) == b"\r\n"
            answer.trailers = list(self._fields())
        elif lengths:
            answer.body = self._exactly(int(lengths[0]))
        else:
            answer.body = self._file.read()
        return answer

    def ended(self) -> bool:
        """Wait for the next byte or the end; tell whether it was the end."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self.socket.close()

    def _line(self) -> str:
        return self._file.readline().decode("latin-1").removesuffix("\r\n")

    def _fields(self) -> Iterator[tuple[str, str]]:
        while line := self._line():
            name, _, value = line.partition(":")
            yield name.lower(), value.strip()

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        assert len(data) == size, f"{len(data)} bytes instead of {size}"
        return data


def unread(sock: socket.socket) -> bool:
    """Whether something of what a socket has sent to another of this machine is still to be read there."""
    near, far = (f":{address[1]:04X}" for address in (sock.getsockname(), sock.getpeername()))
    for _, local, remote, _, queues, *_ in tcp_sockets():
        if local.endswith(far) and remote.endswith(near):
            return not queues.endswith(":00000000")
    # the other side is closed
    return False


class Served:
    """
    The backends and the gateway of a test class.

    @ivar ports: The backends' ports by their names, and the gateway's C{http} and C{admin}.
    """

    def __init__(self, case: type[ServedTestCase]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="edgegate-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.backends = EchoBackends()
        atexit.register(self.backends.stop)
        http, admin, *others = free_ports(2 + len(case.dead))
        opened = {name: self.backends.open(name, does) for name, does in case.opened.items()}
        self.ports = {**opened, **dict(zip(case.dead, others, strict=True)), "http": http, "admin": admin}
        (self.folder / "etc").mkdir()
        for name, text in case.files.items():
            (self.folder / "etc" / name).write_text(Template(text).safe_substitute(self.ports))
        options = [*case.options, "--config=etc", "--no-watch", f"--admin=127.0.0.1:{admin}", "--access-log=-"]
        command = [
            *case.before,
            program("twistd"),
            "-n",
            "--pidfile=",
            "edgegate",
            *options,
            "--access-log-format=json",
        ]
        self.gateway = Running(command, self.folder)
        atexit.register(self.gateway.stop)
        self.gateway.says("serving HTTP")


class ServedTestCase(SynchronousTestCase):
    """
    Tests with one gateway, which the first of them starts and the end of the process ends.

    @cvar files: The folder; C{$name} is the port of that backend.
    @cvar opened: Backends, and what each does where no request says it; see L{EchoBackends}.
    @cvar dead: Names of ports on which nothing listens.
    @cvar options: More options of the gateway.
    @cvar before: What stands before the gateway's command, such as C{prlimit}.
    """

    files: ClassVar[Mapping[str, str]] = {}
    opened: ClassVar[Mapping[str, str]] = {"one": "", "two": "", "three": ""}
    dead: ClassVar[Sequence[str]] = ()
    options: ClassVar[Sequence[str]] = ()
    before: ClassVar[Sequence[str]] = ()
    _served: ClassVar[Served | None] = None

    def setUp(self) -> None:
        """Start the gateway, if it is not up yet."""
        cls = type(self)
        if cls._served is None:
            cls._served = Served(cls)
        self.served = cls._served
        self.backends = self.served.backends
        self.backends.forget()

    def client(self) -> Client:
        """Connect to the gateway."""
        client = Client(self.served.ports["http"])
        self.addCleanup(client.close)
        return client

    def ask(
        self,
        target: str = "/",
        host: str = "a.example",
        method: str = "GET",
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Answer:
        """Ask once, on a connection of its own."""
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        client = Client(self.served.ports["http"])
        try:
            return client.ask(method, target, host, pairs, body)
        finally:
            client.close()

    def logged(self, path: str) -> dict[str, Any]:
        """Wait for the line of the access log that is about a target."""
        text = json.dumps(path)
        found = json.loads(self.served.gateway.finds(lambda line: line.startswith("{") and text in line))
        assert isinstance(found, dict)
        return found
