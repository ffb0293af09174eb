"""Limits that several processes and several gateways share, by memory and by a real Redis."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from string import Template

from edgegate.tls.authority import Authority
from tests.acceptance.manifests import EVERY_HOST, GATEWAY
from tests.acceptance.processes import AcceptanceTestCase, Running, free_ports, wait_until
from tests.acceptance.redis import Redis
from tests.acceptance.scraping import Scrape
from tests.acceptance.served import Client

ROUTES = """\
  - {name: open, match: [{uri: {prefix: /open}}], directResponse: {status: 200}}
  - {name: closed, match: [{uri: {prefix: /closed}}], directResponse: {status: 200}}
  - {name: local, match: [{uri: {prefix: /local}}], directResponse: {status: 200}}
  - {name: here, match: [{uri: {prefix: /here}}], directResponse: {status: 200}}
"""

POLICY = """\
---
apiVersion: edgegate.io/v1alpha1
kind: RateLimitPolicy
metadata: {name: $name}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: all, sectionName: $name}]
  limits:
  - {name: per-key, requests: $requests, period: 1h, by: [{header: x-key}]}
"""

REDIS = """\
  global:
    onFailure: $mode
    timeout: 2s
    redis: {address: "127.0.0.1:$port"$more}
"""


class SharedLimitsTestCase(AcceptanceTestCase):
    """Gateways with one limit for each way to fail, and one without Redis."""

    requests = 100

    def gateway(self, redis: Redis | None, workers: int = 1, more: str = "") -> tuple[Running, int, int]:
        """Start a gateway; return it with its port and that of its admin listener."""
        http, admin = free_ports(2)
        text = GATEWAY + EVERY_HOST + ROUTES
        for mode in ("Open", "Closed", "Local") if redis is not None else ():
            policy = POLICY + REDIS
            assert redis is not None
            values = {"name": mode.lower(), "mode": mode, "port": redis.port, "more": more, "requests": self.requests}
            text += Template(policy).substitute(http=http, **values)
        text += Template(POLICY).substitute(name="here", requests=self.requests)
        folder = self.folder / f"gateway-{http}"
        folder.mkdir()
        (folder / "gateway.yaml").write_text(Template(text).safe_substitute(http=http))
        for each in self.folder.glob("*.secret"):
            (folder / each.name).write_bytes(each.read_bytes())
        options = ["-n", "--pidfile=", "edgegate", f"--config={folder}", "--no-watch", f"--admin=127.0.0.1:{admin}"]
        running = self.start("twistd", *options, *([f"--workers={workers}"] if workers > 1 else []))
        running.says(f"{workers} workers serve" if workers > 1 else "serving HTTP")
        return running, http, admin

    def asked(self, port: int, path: str, times: int, key: str = "k") -> Counter[int]:
        """Return how often which status was the answer, on one connection."""
        client = Client(port)
        try:
            found = [client.ask("GET", path, "a.example", [("X-Key", key)]) for _ in range(times)]
        finally:
            client.close()
        return Counter(answer.status for answer in found)

    def together(self, ports: list[int], path: str, times: int, connections: int) -> Counter[int]:
        """Ask by several connections at one time, in turns to each port; return all statuses."""
        found: Counter[int] = Counter()
        lock = threading.Lock()

        def ask(port: int) -> None:
            mine = self.asked(port, path, times)
            with lock:
                found.update(mine)

        threads = [threading.Thread(target=ask, args=(ports[n % len(ports)],)) for n in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found


class WorkersTests(SharedLimitsTestCase):
    """Processes of one gateway."""

    def test_workers(self) -> None:
        """Four workers let pass together what one limit says, however connections come to them."""
        gateway, port, _ = self.gateway(None, workers=4)
        found = self.together([port], "/here", 30, 12)
        self.assertEqual(found.total(), 360)
        self.assertTrue(self.requests <= found[200] <= self.requests * 1.05, found)
        # one connection is one worker's, and has all of a limit
        self.assertEqual(self.asked(port, "/here", self.requests + 2, "another"), {200: self.requests, 429: 2})
        # workers of other files go on with what was counted
        file = self.folder / f"gateway-{port}" / "gateway.yaml"
        file.write_text(file.read_text() + "  rateLimitHeaders: true\n")
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reloaded in")
        self.assertEqual(self.asked(port, "/here", 5), {429: 5})


class RedisTests(SharedLimitsTestCase):
    """Gateways that ask a Redis."""

    def test_gateways(self) -> None:
        """Two gateways, one of four workers, let pass together what the limit says; metrics have it, too."""
        redis = Redis(self)
        _, one, _ = self.gateway(redis)
        _, four, admin = self.gateway(redis, workers=4)
        found = self.together([one, four], "/open", 25, 12)
        self.assertEqual(found, {200: self.requests, 429: 300 - self.requests})
        mine = self.asked(four, "/open", 3, "mine")
        self.assertEqual(mine, {200: 3})
        numbers = Scrape(admin)
        labels = {"policy": "default/open", "limit": "per-key", "verdict": "limited"}
        self.assertGreater(numbers.sum("edgegate_rate_limit_requests_total", **labels), 0)
        self.assertGreater(numbers.sum("edgegate_rate_limit_redis_milliseconds_count", policy="default/open"), 3)

    def test_odd_keys(self) -> None:
        """Whatever bytes a key has, it is a key."""
        self.requests = 1
        _, port, _ = self.gateway(Redis(self))
        for path in ("/open", "/here"):
            for key in ("\xff\xfe", "\xff", "*", "{a}", "'; return 1", "a" * 3000, "a" * 3001, "$6", ""):
                self.assertEqual(self.asked(port, path, 2, key), {200: 1, 429: 1}, (path, key))

    def test_killed(self) -> None:
        """While Redis is away each limit does what its policy says, and all goes on once it is there again."""
        redis = Redis(self)
        gateway, port, _ = self.gateway(redis)
        self.assertEqual(self.asked(port, "/open", self.requests + 5), {200: self.requests, 429: 5})
        busy = threading.Thread(target=self.asked, args=(port, "/closed", 300))
        busy.start()
        redis.kill()
        busy.join()
        gateway.says("was lost")
        self.assertEqual(self.asked(port, "/open", 5, "other"), {200: 5})
        self.assertEqual(self.asked(port, "/closed", 5, "other"), {503: 5})
        self.assertEqual(self.asked(port, "/local", self.requests + 5), {200: self.requests, 429: 5})
        redis.start()
        gateway.says("is there again")
        self.assertEqual(self.asked(port, "/closed", self.requests + 5, "new"), {200: self.requests, 429: 5})

    def test_strange(self) -> None:
        """
        A Redis that has lost its scripts gets them again; one whose clock was set back forgets nothing; and one that
        answers nothing keeps nobody waiting for long, and is asked again once it answers.
        """
        redis = Redis(self)
        gateway, port, _ = self.gateway(redis)
        self.assertEqual(self.asked(port, "/closed", 5), {200: 5})
        self.assertEqual(redis.ask(b"SCRIPT", b"FLUSH"), b"+OK\r\n")
        self.assertEqual(self.asked(port, "/closed", self.requests), {200: self.requests - 5, 429: 5})
        redis.ask(b"SET", b"edgegate:default/closed:per-key:3600000:=future", b"999999999 97 0")
        self.assertEqual(self.asked(port, "/closed", 5, "future"), {200: 3, 429: 2})
        redis.hang()
        self.assertEqual(self.asked(port, "/closed", 1, "other"), {503: 1})
        gateway.says("does not answer: connecting anew")
        redis.go_on()
        wait_until(lambda: self.asked(port, "/closed", 1, "other") == {200: 1})

    def test_secured(self) -> None:
        """With TLS and a password, which are read anew; with wrong ones nobody passes, and the log says why."""
        authority, other = Authority.new("edgegate tests"), Authority.new("others")
        issued = authority.server(["127.0.0.1"])
        for name, content in (
            ("server.crt", issued.chain_pem),
            ("server.key", issued.key_pem),
            ("ca.crt", authority.own.chain_pem),
            ("ca.secret", authority.own.chain_pem),
            ("pw.secret", b"pass word\n"),
        ):
            (self.folder / name).write_bytes(content)
        redis = Redis(self, "--requirepass", "pass word", tls=self.folder)
        more = ", db: 3, passwordFile: pw.secret, tls: {caFile: ca.secret}"
        gateway, port, _ = self.gateway(redis, more=more)
        self.assertEqual(self.asked(port, "/closed", self.requests + 1), {200: self.requests, 429: 1})
        beside = self.folder / f"gateway-{port}"
        wrong = (
            ("pw.secret", b"another", "WRONGPASS"),
            ("ca.secret", other.own.chain_pem, "its certificate is refused"),
        )
        for number, (name, content, words) in enumerate(wrong):
            before = (beside / name).read_bytes()
            (beside / name).write_bytes(content)
            redis.kill()
            redis.start()
            gateway.says(words)
            self.assertEqual(self.asked(port, "/closed", 1, "mine"), {503: 1})
            (beside / name).write_bytes(before)
            gateway.says("is there again", number + 1)
            self.assertEqual(self.asked(port, "/closed", 1, "mine"), {200: 1})
