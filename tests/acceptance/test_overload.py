"""Too many of everything, against the real gateway: who is well-behaved is served all the same."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse, RemoteDisconnected
from pathlib import Path
from typing import cast

import grpc
from hyperframe.frame import GoAwayFrame

from edgegate.http.fields import Field
from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, NO_ERROR
from edgegate.http.h2.hpack import block_of
from tests.acceptance.manifests import GATEWAY, filled
from tests.acceptance.processes import PATIENCE, program
from tests.acceptance.served import ServedTestCase
from tests.acceptance.test_balancing import service
from tests.acceptance.test_hostile_http2 import Talk
from tests.acceptance.test_http2_backends import ROUTE, SERVICE, Methods
from tests.http.h2.recording import continuation, data, headers

POLICY = "{loadBalancer: {simple: RANDOM}}"
FILES = GATEWAY + service("a", POLICY, "one") + service("slow", POLICY, "slow")
LARGE = f"""\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: large}}
spec:
  hosts: ["large.example"]
  gateways: [gw]
  http:
  - directResponse: {{status: 200, body: {{string: "{"x" * 500_000}"}}}}
"""
GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
VERSIONS = {"1.1": "--http1.1", "2": "--http2-prior-knowledge"}
CUT_OFF = {"1.1": 18, "2": 92}
"""With what curl ends when an answer breaks off."""
SOON = 5.0
"""Seconds that are far from the deadlines of 10 s and 75 s, by which connections that do nothing end anyway."""


def fields_for(host: str, path: bytes = b"/", method: bytes = b"GET") -> list[Field]:
    """Return the fields of a request over HTTP/2."""
    authority = f"{host}.example".encode()
    return [(b":method", method), (b":scheme", b"http"), (b":authority", authority), (b":path", path)]


class OverloadTestCase(ServedTestCase):
    """Tests with a gateway that has few descriptors or low limits."""

    files = {"shop.yaml": FILES}
    opened = {"one": "", "slow": "delay=2"}

    def connect(self, address: str = "127.0.0.1", said: bytes = b"") -> socket.socket:
        """Open a connection from an address of this machine."""
        sock = socket.create_connection(("127.0.0.1", self.served.ports["http"]), PATIENCE, (address, 0))
        self.addCleanup(sock.close)
        sock.sendall(said)
        return sock

    def answered(self, sock: socket.socket) -> bool:
        """Whether a connection brings a good answer, which is taken whole; it may be closed instead."""
        answer = HTTPResponse(sock)
        try:
            answer.begin()
            answer.read()
        except (ConnectionResetError, RemoteDisconnected):
            return False
        finally:
            answer.close()
        return answer.status == 200

    def curl(self, version: str, host: str, path: str, *more: str) -> subprocess.Popen[str]:
        """Begin to ask with curl; at the end it says the status and with what it ends."""
        url = f"http://127.0.0.1:{self.served.ports['http']}{path}"
        said = ("-w", " %{http_code} %{exitcode}", "-H", f"Host: {host}.example")
        command = [program("curl"), "-s", "-m", str(PATIENCE), VERSIONS[version], *said, *more, url]
        asked = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(asked.kill)
        return asked

    def talk(self) -> Talk:
        """Open a connection of HTTP/2."""
        talk = Talk(self.served.ports["http"])
        self.addCleanup(talk.socket.close)
        return talk

    def timed(self, ask: Callable[[], object]) -> float:
        """Return how many seconds something took."""
        began = time.monotonic()
        ask()
        return time.monotonic() - began


class ConnectionTests(OverloadTestCase):
    """At most ten connections, and at most five of one address."""

    options = ("--max-connections=10", "--max-connections-per-client=5")

    def test_idle(self) -> None:
        """Those that lie idle give way, the longest idle first: everybody is served."""
        kept = [self.connect(f"127.0.0.{number % 10 + 2}", GET) for number in range(30)]
        self.assertEqual([self.answered(sock) for sock in kept], [True] * 30)
        kept[-1].sendall(GET)
        self.assertTrue(self.answered(kept[-1]))
        self.assertEqual(kept[0].recv(1), b"")

    def test_slow_heads(self) -> None:
        """So do those that do not finish what they have begun: they get 408."""
        slow = [self.connect(f"127.0.0.{number % 10 + 2}", GET[:9]) for number in range(10)]
        self.assertLess(self.timed(lambda: self.assertEqual(self.ask().status, 200)), SOON)
        self.assertTrue(slow[0].recv(65536).startswith(b"HTTP/1.1 408 "))

    def test_under_way(self) -> None:
        """What is under way goes on, and others wait for it."""
        asked = GET.replace(b"a.example", b"slow.example")
        busy = [self.connect(f"127.0.0.{number + 2}", asked) for number in range(10)]
        late = self.connect("127.0.0.1", GET)
        self.assertEqual([self.answered(sock) for sock in (late, *busy)], [True] * 11)

    def test_one_client(self) -> None:
        """One address that has too many with requests under way is refused more, and nobody else."""
        asked = GET.replace(b"a.example", b"slow.example")
        busy = [self.connect("127.0.0.2", asked) for _ in range(5)]
        more = self.connect("127.0.0.2")
        more.settimeout(PATIENCE)
        self.assertEqual(more.recv(1), b"")
        other = self.connect("127.0.0.3", GET)
        self.assertEqual([self.answered(sock) for sock in (other, *busy)], [True] * 6)


class DescriptorTests(OverloadTestCase):
    """A process that has 60 descriptors, and would take more connections than that."""

    options = ("--max-connections=1000",)
    before = ("prlimit", "--nofile=60")

    def test_exhausted(self) -> None:
        """Without a descriptor those that lie idle give way; the processor is not kept busy, nor the log filled."""
        pid = self.served.gateway.process.pid
        asked = GET.replace(b"a.example", b"nobody.example")
        for _ in range(100):
            self.assertIn(b" 404 ", self.connect("127.0.0.2", asked).recv(65536))
        asked = GET.replace(b"a.example", b"slow.example")
        busy = self.connect("127.0.0.3", asked)
        slow = [self.connect("127.0.0.2", GET[:9]) for _ in range(100)]
        before = processor(pid)
        spent = self.timed(lambda: self.assertTrue(self.answered(busy)))
        self.assertLess(processor(pid) - before, 0.2 + spent / 2)
        self.assertLess(self.timed(lambda: self.ask(host="nobody.example")), SOON)
        for sock in slow:
            sock.close()
        self.assertLess(self.timed(lambda: self.assertEqual(self.ask().status, 200)), SOON)
        self.assertIn("out of descriptors", self.served.gateway.output)
        self.assertLess(self.served.gateway.output.count("out of descriptors"), 5)


def processor(pid: int) -> float:
    """Return the seconds of the processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class RequestTests(OverloadTestCase):
    """At most two requests at a time, with bodies of a thousand bytes."""

    options = (
        "--max-requests=2",
        "--max-requests-per-client=none",
        "--max-request-bytes=1000",
        "--max-connection-requests=2",
    )

    def test_too_many(self) -> None:
        """One request too many is refused at once, and may come again; those under way are answered."""
        asked = GET.replace(b"a.example", b"slow.example")
        busy = [self.connect(said=asked) for _ in range(2)]
        self.backends.saw("slow", 2)
        answer = self.ask("/refused")
        self.assertEqual((answer.status, answer.one("retry-after"), answer.body), (503, "1", b"overloaded (OM)\n"))
        self.assertEqual(self.logged("/refused")["response_flags"], "OM")
        self.assertEqual([self.answered(sock) for sock in busy], [True, True])
        self.assertEqual(self.ask().status, 200)
        shown = {row["name"]: row for row in json.loads(self.shown("/overload?format=json"))}
        self.assertEqual((shown["requests"]["limit"], shown["requests"]["value"]), (2, 0))
        self.assertGreaterEqual(shown["requests"]["reached"], 1)

    def test_body(self) -> None:
        """A body that is too large is refused, whether it says so or not; one that is not passes."""
        self.assertEqual(self.ask(method="POST", body=bytes(1000)).status, 200)
        self.assertEqual(self.ask(method="POST", body=bytes(1001)).status, 413)
        chunked = self.connect(said=b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunked.sendall(b"3e9\r\n" + bytes(1001) + b"\r\n")
        self.assertTrue(chunked.recv(65536).startswith(b"HTTP/1.1 413 Content Too Large\r\n"))

    def test_last_request(self) -> None:
        """A connection ends with the last request that it may carry."""
        client = self.client()
        self.assertEqual(client.ask("GET", "/", "a.example").one("connection"), "-")
        self.assertEqual(client.ask("GET", "/", "a.example").one("connection"), "close")

    def test_last_request_over_http2(self) -> None:
        """So it does over HTTP/2: the client is told to go elsewhere, and both requests are answered."""
        talk = self.talk()
        talk.say(headers(1, block_of(fields_for("a"))))
        self.assertEqual(talk.status(1), b"200")
        self.assertFalse(any(isinstance(frame, GoAwayFrame) for frame in talk.frames))
        talk.say(headers(3, block_of(fields_for("a"))))
        self.assertEqual(talk.status(3), b"200")
        talk.until(lambda talk: any(isinstance(frame, GoAwayFrame) for frame in talk.frames))

    def shown(self, page: str) -> bytes:
        """Return a page of the admin listener."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.served.ports['admin']}{page}", timeout=PATIENCE) as found:
            return bytes(found.read())


class AgeTests(OverloadTestCase):
    """Connections that may take requests for a second."""

    files = {"shop.yaml": FILES + service("late", POLICY, "late")}
    opened = {"one": "", "slow": "", "late": "delay=4"}
    options = ("--max-connection-age=1s",)

    def test_under_way(self) -> None:
        """What is under way at that age is answered, and the connection ends with it, by either version."""
        client, talk = self.client(), self.talk()
        talk.say(headers(1, block_of(fields_for("late"))))
        client.send(GET.replace(b"a.example", b"late.example"))
        talk.until(lambda talk: any(isinstance(frame, GoAwayFrame) for frame in talk.frames))
        self.assertEqual(talk.status(1), b"200")
        answer = client.answer()
        self.assertEqual((answer.status, answer.one("connection")), (200, "close"))
        self.assertTrue(client.ended())

    def test_idle(self) -> None:
        """One on which nothing is under way ends then."""
        client, talk = self.client(), self.talk()
        talk.say(headers(1, block_of(fields_for("a"))))
        self.assertEqual(talk.status(1), b"200")
        self.assertEqual(client.ask("GET", "/", "a.example").one("connection"), "-")
        self.assertLess(self.timed(lambda: self.assertTrue(client.ended())), SOON)
        told = self.timed(lambda: talk.until(lambda talk: any(isinstance(each, GoAwayFrame) for each in talk.frames)))
        self.assertLess(told, SOON)


class HeadTests(OverloadTestCase):
    """Heads over HTTP/2 with too much in them."""

    def test_refused(self) -> None:
        """Too many fields, or too large ones, get 431, and the connection is of use still."""
        talk = self.talk()
        large = (b"large", b"0" * 14_000)
        # beside what is in it each field counts as 32 bytes (RFC 9113 section 10.5.1)
        for number, more in ((1, [(b"x", b"y")] * 97), (3, [large, *[(b"x", b"")] * 90]), (5, [(b"x", b"y")] * 90)):
            talk.say(headers(number, block_of([*fields_for("a"), *more])))
        self.assertEqual([talk.status(number) for number in (1, 3, 5)], [b"431", b"431", b"200"])

    def test_block_too_large(self) -> None:
        """A block of more than 16 KiB, in however many frames, ends the connection."""
        talk = self.talk()
        talk.say(headers(1, bytes(16_000), whole=False), continuation(1, bytes(1_000)))
        self.assertEqual(talk.end(), ENHANCE_YOUR_CALM)


class ClientRequestTests(OverloadTestCase):
    """At most four requests at a time, so that one address has no more than two."""

    options = ("--max-requests=4",)

    def test_one_client(self) -> None:
        """One client that asks for all gets half, by either version; others are served meanwhile."""
        for number, version in enumerate(VERSIONS):
            greedy, other = f"127.0.0.{2 * number + 2}", f"127.0.0.{2 * number + 3}"
            asked = [self.curl(version, "slow", f"/greedy/{version}", "--interface", greedy) for _ in range(5)]
            said = Counter(each.communicate()[0][-6:] for each in asked)
            self.assertEqual(said, {" 200 0": 2, " 503 0": 3})
            refused = self.served.gateway.finds(lambda line, path=f"/greedy/{version}": path in line and '"OM"' in line)
            self.assertIn('"overload_of_client"', refused)
            busy = [self.curl(version, "slow", "/busy", "--interface", greedy) for _ in range(3)]
            self.backends.saw("slow", 4)
            self.assertTrue(self.curl(version, "a", "/", "--interface", other).communicate()[0].endswith(" 200 0"))
            for each in busy:
                each.communicate()

    def test_streams(self) -> None:
        """So does one that asks for all on one connection of HTTP/2."""
        talk = self.talk()
        talk.say(*(headers(number, block_of(fields_for("slow"))) for number in (1, 3, 5, 7)))
        self.assertEqual([talk.status(number) for number in (5, 7, 1, 3)], [b"503", b"503", b"200", b"200"])


class DurationTests(OverloadTestCase):
    """Requests that may take a second in all, asked by curl."""

    files = {
        "shop.yaml": FILES + service("late", POLICY, "late") + service("drips", POLICY, "drips"),
        "api.yaml": filled(SERVICE + ROUTE, name="api", protocol="GRPC", backend="$api"),
    }
    opened = {"one": "", "slow": "hang", "late": "delay=2", "drips": "dribble=0.3;body=" + "x" * 1000}
    dead = ("api",)
    options = ("--max-request-duration=1s", "--max-grpc-duration=4s")

    def test_no_answer(self) -> None:
        """One that no backend answers in time gets 504, by either version."""
        asked = {version: self.curl(version, "slow", f"/late/{version}") for version in VERSIONS}
        for version, each in asked.items():
            self.assertEqual(each.communicate()[0], "request took too long (DT)\n 504 0")
            logged = self.logged(f"/late/{version}")
            self.assertEqual((logged["response_flags"], logged["response_code"]), ("DT", 504))
            self.assertLess(logged["duration"], 4000)

    def test_answer_that_lasts(self) -> None:
        """One whose answer does not end in time is broken off, and curl does not take it for whole."""
        asked = {version: self.curl(version, "drips", f"/drips/{version}") for version in VERSIONS}
        for version, each in asked.items():
            self.assertRegex(each.communicate()[0], f"^x+ 200 {CUT_OFF[version]}$")
            self.assertEqual(self.logged(f"/drips/{version}")["response_flags"], "DT")

    def test_upload_that_lasts(self) -> None:
        """One whose body does not end in time gets 408, though it goes on."""
        body = self.served.folder / "body"
        body.write_bytes(bytes(1_000_000))
        asked = self.curl("1.1", "a", "/up/1", "-T", str(body), "--limit-rate", "50k")
        # curl 7.88 does not show what is answered to an upload over HTTP/2 before its end
        talk = self.talk()
        talk.say(headers(1, block_of(fields_for("a", b"/up/2", b"POST")), ends=False), data(1, b"x" * 100))
        self.assertEqual((talk.status(1), talk.reset(1)), (b"408", NO_ERROR))
        self.assertRegex(asked.communicate()[0], "^request took too long to come \\(DT\\)\n 408 ")
        self.assertEqual([self.logged(f"/up/{version}")["response_flags"] for version in (1, 2)], ["DT", "DT"])

    def test_grpc(self) -> None:
        """Calls of gRPC may take longer."""
        asked = [self.curl(version, "late", "/", "-H", "content-type: application/grpc") for version in VERSIONS]
        for each in asked:
            self.assertTrue(each.communicate()[0].endswith(" 200 0"))

    def test_grpc_that_lasts(self) -> None:
        """Their own time ends them, by grpcio: one without an answer, and a stream that goes on."""
        methods = Methods()
        server = grpc.server(ThreadPoolExecutor(4), handlers=[methods])
        server.add_insecure_port(f"127.0.0.1:{self.served.ports['api']}")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        self.addCleanup(methods.cancelled.set)
        with grpc.insecure_channel(f"127.0.0.1:{self.served.ports['http']}") as channel:
            waits = channel.unary_unary("/test/Wait").future(b"x", timeout=PATIENCE)
            both = channel.stream_stream("/test/Both")(self.messages(methods.cancelled), timeout=PATIENCE)
            self.assertEqual([next(both), next(both)], [b"x", b"x"])
            error = waits.exception()
            self.assertEqual(
                (error.code(), error.details()), (grpc.StatusCode.DEADLINE_EXCEEDED, "request took too long")
            )
            self.assertEqual(self.assertRaises(grpc.RpcError, next, both).code(), grpc.StatusCode.INTERNAL)
        for method in ("Wait", "Both"):
            logged = self.logged(f"/test/{method}")
            self.assertEqual((logged["response_flags"], 4000 <= logged["duration"] < 10000), ("DT", True), logged)

    def messages(self, end: threading.Event) -> Iterator[bytes]:
        """Say something, and then nothing until the end."""
        yield b"x"
        end.wait(PATIENCE)


class LagTests(OverloadTestCase):
    """A loop whose turns may take a millisecond."""

    options = ("--max-lag=1ms",)

    def test_late(self) -> None:
        """While all turns of a second take longer new requests are refused; afterwards they are served again."""
        asked = b"GET /late HTTP/1.1\r\nHost: nobody.example\r\n\r\n" * 20
        clients = [self.connect() for _ in range(100)]
        until = time.monotonic() + PATIENCE
        refused = False
        while not refused and time.monotonic() < until:
            for sock in clients:
                sock.sendall(asked)
            for sock in clients:
                refused = b"HTTP/1.1 503 " in sock.recv(65536) or refused
        self.assertTrue(refused)
        for sock in clients:
            sock.close()
        while self.ask().status != 200:
            self.assertLess(time.monotonic(), until + PATIENCE)


class BufferTests(OverloadTestCase):
    """At most 100 KiB may wait."""

    files = {"shop.yaml": FILES + LARGE}
    options = ("--max-buffer-bytes=100KiB",)

    def test_nobody_reads(self) -> None:
        """While clients leave more than that unread new requests are refused; afterwards they are served again."""
        asked = GET.replace(b"a.example", b"large.example") * 30
        lazy = [self.connect(said=asked) for _ in range(4)]
        until = time.monotonic() + PATIENCE
        while self.ask().status != 503:
            self.assertLess(time.monotonic(), until)
        for sock in lazy:
            sock.close()
        while self.ask().status != 200:
            self.assertLess(time.monotonic(), until)
