"""The dashboard's files, and a live stream of which a test makes the events."""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twisted.web.test.requesthelper import DummyRequest

from edgegate.admin.dashboard import INDEX, StaticFiles


class PretendedStream:
    """
    Serves until it is stopped.

    @ivar full: What each stream begins with.
    @ivar token: What is asked for; empty: nothing is.
    @ivar refuses: Whether streams are refused, as where there are too many.
    @ivar explained: What whoever wants a request explained is told.
    @ivar asked: The parameters of each stream that was asked for.
    """

    def __init__(self, full: dict[str, Any]) -> None:
        self.full = full
        self.token = ""
        self.refuses = False
        self.explained: dict[str, Any] = {}
        self.asked: list[dict[str, str]] = []
        self._streams: list[queue.Queue[tuple[str, dict[str, Any]] | None]] = []
        self._files = {name.decode(): child for name, child in StaticFiles().children.items()}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"owner": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """End."""
        self.end()
        self._server.shutdown()
        self._server.server_close()

    def change(self, name: str = "change", **data: Any) -> None:
        """Tell everyone something."""
        self.full = {**self.full, **data} if name == "full" else self.full
        for stream in self._streams:
            stream.put((name, data))

    def end(self) -> None:
        """End all streams."""
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.put(None)

    def file(self, path: str) -> tuple[dict[str, str], bytes] | None:
        """Return a file of the page with its headers, as the gateway answers it."""
        found = self._files.get(INDEX if path == "/" else path.removeprefix("/dashboard/"))
        if found is None:
            return None
        request = DummyRequest([])
        request.setETag = lambda tag: None
        body = found.render_GET(request)
        fields = {name.decode(): value[0].decode() for name, value in request.responseHeaders.getAllRawHeaders()}
        return fields, body

    def listen(self, parameters: dict[str, str]) -> queue.Queue[tuple[str, dict[str, Any]] | None]:
        """Begin a stream."""
        self.asked.append(parameters)
        stream: queue.Queue[tuple[str, dict[str, Any]] | None] = queue.Queue()
        stream.put(("full", self.full))
        self._streams.append(stream)
        return stream


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    owner: PretendedStream
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        parts = urlsplit(self.path)
        if parts.path == "/stream":
            self._stream({name: values[0] for name, values in parse_qs(parts.query).items()})
            return
        found = self.owner.file(parts.path)
        if found is None:
            self._send(404, {}, b"no such file\n")
        else:
            self._send(200, *found)

    def do_POST(self) -> None:
        """Answer the form that explains."""
        self.rfile.read(int(self.headers["content-length"]))
        self._send(200, {"content-type": "application/json"}, json.dumps(self.owner.explained).encode())

    def _stream(self, parameters: dict[str, str]) -> None:
        token = self.owner.token
        if token and self.headers["authorization"] != f"Bearer {token}":
            self._send(401, {}, b"the token is missing or another\n")
            return
        if self.owner.refuses:
            self._send(503, {}, b"8 streams are watched already\n")
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        stream = self.owner.listen(parameters)
        try:
            while (event := stream.get()) is not None:
                self.wfile.write(f"event: {event[0]}\ndata: {json.dumps(event[1])}\n\n".encode())
        except OSError:
            pass  # nobody looks any more

    def _send(self, status: int, fields: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing."""
