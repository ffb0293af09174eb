"""Keys of tokens that are fetched from a server that behaves well, badly, or not at all."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.authority import Authority, certificate_pem
from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import PATIENCE, Running, free_ports, program, wait_until
from tests.acceptance.served import Answer, Client
from tests.access.jwt.tokens import claims, key_set, public, rsa, token

POLICY = """\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: fetched, namespace: istio-system}
spec:
  jwtRules:
"""

GOOD = key_set(public(rsa())).encode()
ROTATED = key_set(public(rsa(1))).encode()


class KeyServer:
    """
    A server of key sets over TLS, as each path has it.

    @ivar rotating: What C{/rotating} answers.
    @ivar asked: Paths, as often as they were asked for.
    """

    def __init__(self, authority: Authority) -> None:
        self.rotating = GOOD
        self.asked: list[str] = []
        self.ended = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                with contextlib.suppress(OSError):  # the gateway hangs up on some
                    server.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        issued = authority.server(["localhost"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:
            file.write(issued.chain_pem + issued.key_pem)
            file.flush()
            context.load_cert_chain(file.name)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        """Answer by the path."""
        path = to.path
        if path == "/silent":
            self.ended.wait(PATIENCE)
        elif path == "/endless":
            self._begin(to, 200)
            while not self.ended.is_set():
                to.wfile.write(b" " * 65536)
        elif path == "/away":
            self._begin(to, 302, location=f"https://127.0.0.1:{self.port}/keys")
        elif path == "/error":
            self._begin(to, 500)
            to.wfile.write(GOOD)
        else:
            self._begin(to, 200)
            configuration = json.dumps({"jwks_uri": f"https://localhost:{self.port}/keys"}).encode()
            bodies = {
                "/html": b"<html>",
                "/rotating": self.rotating,
                "/idp/.well-known/openid-configuration": configuration,
            }
            to.wfile.write(bodies.get(path, GOOD))

    def _begin(self, to: BaseHTTPRequestHandler, status: int, **fields: str) -> None:
        to.send_response(status)
        to.send_header("connection", "close")
        for name, value in fields.items():
            to.send_header(name, value)
        to.end_headers()

    def stop(self) -> None:
        """Go away."""
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()


class FetchingTestCase(SynchronousTestCase):
    """A gateway with an issuer for each way in which a key server can behave."""

    BAD: ClassVar[dict[str, str]] = {
        "html": "no object of JSON",
        "endless": "it answers more than 1 MiB",
        "silent": "it has not answered within 0.3 s",
        "away": "a redirect to another host is not followed",
        "error": "it answers 500",
    }

    def setUp(self) -> None:
        """Start the server, and the gateway."""
        self.folder = Path(tempfile.mkdtemp(prefix="edgegate-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        authority = Authority.new("keys")
        (self.folder / "ca.pem").write_bytes(certificate_pem(authority.own.certificate))
        self.keys = KeyServer(authority)
        self.stopped = False
        self.addCleanup(self.stop_keys)
        self.http, self.dead = free_ports(2)
        (self.folder / "etc").mkdir()
        routes = GATEWAY + EVERY_HOST + "  - directResponse: {status: 200}\n---\n"
        (self.folder / "etc" / "a.yaml").write_text(filled(routes, http=self.http) + self.policy())
        command = [program("twistd"), "-n", "--pidfile=", "edgegate", "--config=etc", "--no-watch", "--admin=none"]
        self.gateway = Running([*command, "--jwks-ca=ca.pem", *self.options()], self.folder)
        self.addCleanup(self.gateway.stop)
        self.gateway.says("serving HTTP")

    def options(self) -> list[str]:
        """Return more options of the gateway."""
        return []

    def stop_keys(self) -> None:
        """Have the key server go away, if it is there."""
        if not self.stopped:
            self.stopped = True
            self.keys.stop()

    def policy(self) -> str:
        """Write a rule for each path, with a header for its tokens."""
        port = self.keys.port
        rules = {name: f"https://localhost:{port}/{name}" for name in ("keys", "rotating", *self.BAD)}
        rules |= {"misnamed": f"https://127.0.0.1:{port}/keys", "dead": f"https://localhost:{self.dead}/keys"}
        lines = [
            f"  - {{issuer: {name}, jwksUri: '{url}', timeout: 300ms, fromHeaders: [{{name: x-{name}}}]}}\n"
            if name == "silent"
            else f"  - {{issuer: {name}, jwksUri: '{url}', fromHeaders: [{{name: x-{name}}}]}}\n"
            for name, url in rules.items()
        ]
        discovered = f"  - {{issuer: 'https://localhost:{port}/idp/', fromHeaders: [{{name: x-idp}}]}}\n"
        return POLICY + "".join(lines) + discovered

    def ask(self, name: str, key: Any = None, **more: Any) -> Answer:
        """Ask with a token of an issuer."""
        issuer = f"https://localhost:{self.keys.port}/idp/" if name == "idp" else name
        made = token(claims(time.time(), iss=issuer, **more), key)
        client = Client(self.http)
        try:
            return client.ask("GET", "/", "a.example", [(f"x-{name}", made.decode())])
        finally:
            client.close()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        wait_until(holds, lambda: self.gateway.output)


class FetchedKeyTests(FetchingTestCase):
    """One process."""

    def test_each(self) -> None:
        """Keys that can be fetched verify; where they can't, tokens are refused, at once, and the log says why."""
        for name in ("keys", "idp", "rotating"):
            self.assertEqual(self.ask(name).status, 200, name)
        self.assertEqual(self.ask("keys", rsa(1), sub="x").body, b"Jwks doesn't have key to match kid or alg from Jwt")
        for name, why in self.BAD.items():
            self.gateway.says(f"the keys of https://localhost:{self.keys.port}/{name} can't be fetched: {why}")
        self.gateway.says(f"the keys of https://127.0.0.1:{self.keys.port}/keys can't be fetched")
        self.gateway.says(f"the keys of https://localhost:{self.dead}/keys can't be fetched")
        for name in (*self.BAD, "misnamed", "dead"):
            answer = self.ask(name)
            self.assertEqual((answer.status, answer.body), (401, b"Jwks remote fetch is failed"), name)
        client = Client(self.http)
        self.addCleanup(client.close)
        self.assertEqual(client.ask("GET", "/", "a.example").status, 200)

    def test_rotation(self) -> None:
        """A token with a new key has the keys fetched; those of the key that is gone pass no longer."""
        self.until(lambda: self.ask("rotating").status == 200)
        self.keys.rotating = ROTATED
        self.until(lambda: self.ask("rotating", rsa(1)).status == 200)
        self.assertEqual(self.ask("rotating").status, 401)
        asked = self.keys.asked.count("/rotating")
        for number in range(20):
            self.assertEqual(self.ask("rotating", sub=str(number)).status, 401)
        # whoever makes up tokens does not have them fetched again and again
        self.assertEqual(self.keys.asked.count("/rotating"), asked)

    def test_outage(self) -> None:
        """Keys stay while their server is away, also over a reload that changes the rules."""
        self.until(lambda: self.ask("keys").status == 200)
        self.stop_keys()
        self.assertEqual(self.ask("keys", sub="bob").status, 200)
        file = self.folder / "etc" / "a.yaml"
        file.write_text(file.read_text() + "  - {issuer: new, jwks: '{\"keys\": []}', fromHeaders: [{name: x-new}]}\n")
        self.gateway.process.send_signal(signal.SIGHUP)
        self.until(lambda: self.ask("new").status == 401)
        self.assertEqual(self.ask("keys", sub="carol").status, 200)


class WorkerTests(FetchingTestCase):
    """Two workers, of which each has its keys."""

    def options(self) -> list[str]:
        """Return more options of the gateway."""
        return ["--workers=2"]

    def test_each(self) -> None:
        """Each worker fetches the keys; nobody is refused meanwhile, at the start and after a reload."""
        for number in range(20):
            self.assertEqual(self.ask("keys", sub=str(number)).status, 200)
        file = self.folder / "etc" / "a.yaml"
        file.write_text(file.read_text() + "  - {issuer: new, jwks: '{\"keys\": []}', fromHeaders: [{name: x-new}]}\n")
        self.gateway.process.send_signal(signal.SIGHUP)
        statuses = []

        def reloaded() -> bool:
            statuses.append(self.ask("keys", sub=str(len(statuses))).status)
            return self.ask("new").status == 401

        self.until(reloaded)
        statuses += [self.ask("keys", sub=f"after {number}").status for number in range(20)]
        self.assertEqual(set(statuses), {200})
