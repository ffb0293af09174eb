"""Services that say who may pass, which behave as oauth2-proxy and Authelia do, and some that behave badly."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from tests.acceptance.processes import PATIENCE


@dataclass
class Reply:
    """What a service answers."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class LoginService(ThreadingHTTPServer):
    """
    A service on a port of this machine.

    @ivar asked: What it was asked: method, target, headers with names in lower case, body.
    """

    daemon_threads = True

    def __init__(self, port: int, reply: Callable[[LoginService, Any], Reply | None]) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.reply = reply
        self.go_on = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Serve no longer."""
        self.go_on.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A gateway that leaves is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoginService

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        self.server.asked.append((self.command, self.path, headers, body))
        reply = self.server.reply(self.server, self)
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_POST = do_PUT = do_HEAD = do_DELETE = do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Nobody reads it."""


def cookies(headers: dict[str, str]) -> dict[str, str]:
    """Return the cookies of a request."""
    pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
    return {name: value for name, _, value in pairs if name}


def oauth2_proxy(service: LoginService, request: Any) -> Reply:
    """
    Behave as oauth2-proxy with C{upstreams = ["static://200"]}: its own paths below C{/oauth2/}, and all others.

    A browser without a session is sent to the provider; a program that wants JSON gets 401.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    url = urlsplit(request.path)
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    if url.path == "/oauth2/callback":
        if asked.get("code") != "good" or cookies(headers).get("_oauth2_proxy_csrf") != "nonce":
            return Reply(403, [("Content-Type", "text/html")], b"<html>CSRF</html>")
        return Reply(
            302,
            [
                ("Location", asked["state"]),
                ("Set-Cookie", "_oauth2_proxy=session-1; Path=/; HttpOnly"),
                ("Set-Cookie", "_oauth2_proxy_csrf=; Path=/; Max-Age=0"),
            ],
        )
    session = cookies(headers).get("_oauth2_proxy")
    if session in ("session-1", "session-2"):
        fresh = [("Set-Cookie", "_oauth2_proxy=session-2; Path=/; HttpOnly")] if session == "session-1" else []
        user = [("X-Auth-Request-User", "jane"), ("X-Auth-Request-Email", "jane@example.com")]
        return Reply(200, [*user, *fresh, ("GAP-Auth", "jane@example.com")], b"Authenticated")
    if "application/json" in headers.get("accept", ""):
        return Reply(401, [("Content-Type", "application/json")], b"{}")
    back = quote(headers.get("x-auth-request-redirect", "/"), safe="")
    return Reply(
        302,
        [
            ("Location", f"https://idp.example/authorize?client_id=shop&state={back}"),
            ("Set-Cookie", "_oauth2_proxy_csrf=nonce; Path=/; HttpOnly"),
            ("Content-Type", "text/html; charset=utf-8"),
        ],
        b"<a>Found</a>",
    )


PREFIX = "/api/authz/ext-authz/"


def authelia(service: LoginService, request: Any) -> Reply:
    """Behave as Authelia's ExtAuthz endpoint does, and as its portal for all other paths."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not request.path.startswith(PREFIX):
        return Reply(200, [("Content-Type", "text/html")], b"portal")
    scheme, target = headers.get("x-forwarded-proto", "?"), request.path[len(PREFIX) :]
    session = cookies(headers).get("authelia_session")
    if session == "jane":
        user = [("Remote-User", "jane"), ("Remote-Groups", "dev,admins"), ("Remote-Name", "Jane")]
        return Reply(200, [*user, ("Set-Cookie", "authelia_session=jane; path=/; HttpOnly")])
    if session == "eve":
        return Reply(403, [("Content-Type", "text/plain; charset=utf-8")], b"403 Forbidden")
    url = quote(f"{scheme}://{headers['host']}{target}", safe="")
    location = f"https://auth.example.com/?rd={url}&rm={request.command}"
    fresh = ("Set-Cookie", "authelia_session=new; path=/; HttpOnly")
    browser = "text/html" in headers.get("accept", "") and request.command in ("GET", "HEAD", "OPTIONS")
    return Reply(302 if browser else 401, [("Location", location), fresh], f'<a href="{location}">'.encode())


def misbehaving(service: LoginService, request: Any) -> Reply | None:
    """Behave as the path says."""
    way = request.path.partition("?")[0].strip("/")
    sock: socket.socket = request.connection
    if way == "slow":
        service.go_on.wait(PATIENCE)
    elif way == "huge-head":
        return Reply(200, [("X-Large", "x" * 60_000)] * 3)
    elif way == "huge-body":
        return Reply(403, [], b"x" * 3_000_000)
    elif way in ("garbage", "half", "die"):
        said = {"garbage": b"\x00\x01\x02 hello\r\n\r\n", "half": b"HTTP/1.1 200 OK\r\nContent-Le", "die": b""}
        sock.sendall(said[way])
        sock.shutdown(socket.SHUT_RDWR)
        return None
    elif way == "evil":
        sock.sendall(b"HTTP/1.1 200 OK\r\nX-User: a\rb\r\nContent-Length: 0\r\n\r\n")
        return None
    elif way.isdigit():
        return Reply(int(way), [("X-User", "anybody")])
    return Reply(200, [("X-User", "jane"), ("X-Seen", json.dumps(len(service.asked)))])
