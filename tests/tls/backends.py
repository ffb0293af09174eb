"""A backend that ends TLS with Python's ssl, in threads of its own, and remembers who came."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgegate.tls.authority import Issued

PATIENCE = 20.0


@dataclass
class Visit:
    """
    One connection.

    @ivar name: What was asked for by SNI.
    @ivar header: The line of version 1 of the PROXY protocol.
    @ivar reused: Whether a session was resumed.
    @ivar certificate: What the client showed, as C{ssl} has it.
    @ivar failed: Why there was no handshake.
    @ivar requests: How many requests came.
    """

    header: bytes = b""
    name: str | None = None
    reused: bool = False
    alpn: str | None = None
    certificate: Any = None
    failed: str = ""
    requests: int = 0


@dataclass
class TLSBackend:
    """
    Answers each request with C{hello}, after TLS, on a port of 127.0.0.1.

    @ivar visits: Who came so far.
    @ivar clients: Authorities as PEM: clients must show a certificate of theirs.
    @ivar introduced: Whether a PROXY header comes first.
    @ivar echoes: Whether bytes are sent back as they come instead.
    @ivar closes: Whether a connection is for one request.
    """

    folder: Path
    certificate: Issued | None
    clients: bytes | None = None
    introduced: bool = False
    echoes: bool = False
    closes: bool = False
    visits: list[Visit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._names: dict[int, str] = {}
        self._sockets: list[socket.socket] = []
        self.context = self.make_context() if self.certificate is not None else None
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def make_context(self) -> ssl.SSLContext:
        """Make the server's context."""
        assert self.certificate is not None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"backend{id(self)}.pem"
        path.write_bytes(self.certificate.key_pem + self.certificate.chain_pem)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["http/1.1"])

        def named(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            self._names[id(connection)] = name or ""

        context.sni_callback = named  # type: ignore[assignment]
        if self.clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self.clients.decode("ascii"))
        return context

    def close(self) -> None:
        """Close everything."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            self._sockets.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        visit = Visit()
        self.visits.append(visit)
        if self.introduced:
            while not visit.header.endswith(b"\r\n"):
                visit.header += sock.recv(1)
        try:
            if self.context is not None:
                sock = self._wrap(sock, visit)
            self._answer(sock, visit)
            if isinstance(sock, ssl.SSLSocket):
                # an end in good order
                sock.unwrap()
        except (OSError, ssl.SSLError) as error:
            visit.failed = str(error)
        finally:
            sock.close()

    def _wrap(self, sock: socket.socket, visit: Visit) -> socket.socket:
        assert self.context is not None
        secure = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._sockets.append(secure)
        secure.do_handshake()
        visit.name = self._names.pop(id(secure), None)
        visit.reused = bool(secure.session_reused)
        visit.alpn = secure.selected_alpn_protocol()
        visit.certificate = secure.getpeercert()
        return secure

    def _answer(self, sock: socket.socket, visit: Visit) -> None:
        data = b""
        while piece := sock.recv(65536):
            if self.echoes:
                sock.sendall(piece)
                continue
            data += piece
            while match := re.match(rb"(?s).*?\r\n\r\n", data):
                data = data[match.end() :]
                visit.requests += 1
                sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
                if self.closes:
                    return
