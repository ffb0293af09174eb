"""Tests of L{edgegate.istio.translate.guards.rate_limits}."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.conditions import condition_of
from edgegate.access.rate_limits.keys import key_of
from edgegate.model.guards.rate_limit import (
    Absent,
    KeyPart,
    KeySource,
    OnFailure,
    RateLimit,
    RateLimited,
    RateLimitGuard,
    RedisTLS,
)
from edgegate.routing.snapshot import guards_in
from tests.access.rate_limits.requests import Asked
from tests.istio.translate.compiling import compiled

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec: {hosts: [shop.example], gateways: [gw], http: [{name: all, directResponse: {status: 200}}]}
---
apiVersion: edgegate.io/v1alpha1
kind: RateLimitPolicy
metadata: {name: limits}
spec:
  targetRefs: [{group: networking.istio.io, kind: Gateway, name: gw}]
"""


class RateLimitPolicyTests(SynchronousTestCase):
    """Policies become guards."""

    def guard(self, spec: str, files: Mapping[str, bytes] | None = None) -> tuple[RateLimitGuard, list[str]]:
        """Return the guard of a policy with more in its spec, and what is told."""
        text = GATEWAY + "".join(f"  {line}\n" for line in spec.splitlines())
        snapshot, problems = compiled(text, files=files)
        (guard,) = dict.fromkeys(guards_in(snapshot)) or (None,)
        assert isinstance(guard, RateLimitGuard)
        return guard, problems

    def test_defaults(self) -> None:
        """A limit has a name, and all of its requests may come at once; it is counted here."""
        guard, problems = self.guard("limits: [{requests: 10, period: 1m}]")
        self.assertEqual(problems, [])
        self.assertEqual(guard.limits, (RateLimit("limit-0", 10, 60.0, 10),))
        self.assertEqual((guard.name, guard.shared, guard.shadow, guard.told), ("default/limits", None, False, False))
        self.assertEqual(guard.response, RateLimited())

    def test_keys(self) -> None:
        """What tells requests apart."""
        by = (
            "limits:\n- requests: 10\n  period: 1m\n  burst: 5\n  cost: 2\n  by:\n"
            "  - clientAddress: {ipv4PrefixLength: 24}\n  - {header: X-Key, absent: Skip}\n  - {cookie: SID}\n"
            '  - {claim: a.b, absent: ClientAddress}\n  - host: {}\n  - identity: {}\n  - path: "/t/{*}/x.y/{**}"'
        )
        guard, problems = self.guard(by)
        self.assertEqual(problems, [])
        (limit,) = guard.limits
        self.assertEqual((limit.burst, limit.cost), (5, 2))
        self.assertEqual(
            limit.by[:6],
            (
                KeyPart(KeySource.CLIENT_ADDRESS, ipv4_prefix=24),
                KeyPart(KeySource.HEADER, ("x-key",), Absent.SKIP),
                KeyPart(KeySource.COOKIE, ("SID",)),
                KeyPart(KeySource.CLAIM, ("a", "b"), Absent.CLIENT_ADDRESS),
                KeyPart(KeySource.HOST),
                KeyPart(KeySource.IDENTITY),
            ),
        )
        key = key_of(limit.by[6:]).of
        self.assertEqual(key(Asked(path=b"/t/\xff|/x.y/a\n/b")), b"=\xff|")
        self.assertEqual([key(Asked(path=path)) for path in (b"/t/a/xzy/b", b"/t/a/b/x.y/c")], [b"", b""])

    def test_match(self) -> None:
        """Values are exact, beginnings, ends or templates."""
        guard, problems = self.guard(
            "limits: [{requests: 1, period: 1s, match: {methods: [GET, 'P*'], "
            "paths: [/a, '/b/*', '*.(x)', '/c/{*}/d'], notPaths: ['/b/no']}}]"
        )
        self.assertEqual(problems, [])
        holds = condition_of(guard.limits[0].match)
        assert holds is not None
        yes = [b"/a", b"/b/", b"/b/x", b"/z.(x)", b"/c/\xe9\n/d"]
        no = [b"/ab", b"/b", b"/b/no", b"/z.x", b"/c/d", b"/c/a/b/d", b"/c//d"]
        self.assertEqual([holds(Asked(path=path)) for path in yes], [True] * 5)
        self.assertEqual([holds(Asked(path=path)) for path in no], [False] * 7)
        methods = [holds(Asked(method, b"/a")) for method in (b"GET", b"PUT", b"HEAD")]
        self.assertEqual(methods, [True, True, False])

    def test_response(self) -> None:
        """What is answered."""
        guard, _ = self.guard(
            "limits: [{requests: 1, period: 1s}]\nshadow: true\nrateLimitHeaders: true\n"
            "response: {status: 503, body: é, contentType: text/html, grpcResourceExhausted: true}"
        )
        self.assertEqual(guard.response, RateLimited(503, "é".encode(), b"text/html", True))
        self.assertEqual((guard.shadow, guard.told), (True, True))

    def test_redis(self) -> None:
        """Who counts for several gateways; files are there, and are read when they are needed."""
        spec = (
            "limits: [{requests: 1, period: 1s}]\nglobal:\n  onFailure: Local\n  timeout: 20ms\n  keyPrefix: ours\n"
            "  redis: {address: 'redis.example:6379', db: 2, username: u, passwordFile: pw, tls: {caFile: ca.pem}}"
        )
        guard, problems = self.guard(spec, {"pw": b"secret\n", "ca.pem": b"x"})
        self.assertEqual(problems, [])
        shared = guard.shared
        assert shared is not None
        self.assertEqual((shared.on_failure, shared.timeout, shared.prefix), (OnFailure.LOCAL, 0.02, "ours"))
        redis = shared.redis
        self.assertEqual((redis.host, redis.port, redis.database, redis.user), ("redis.example", 6379, 2, "u"))
        self.assertEqual((redis.password, redis.tls), ("pw", RedisTLS("redis.example", "ca.pem")))

    def test_files(self) -> None:
        """A file that is not there, or empty, is told with its place."""
        spec = "limits: [{requests: 1, period: 1s}]\nglobal: {redis: {address: 'r.example:1', passwordFile: pw}}"
        self.assertIn("pw can't be read: No such file", self.guard(spec)[1][0])
        self.assertIn("pw is empty", self.guard(spec, {"pw": b"\n"})[1][0])
