"""Tests of L{edgegate.istio.translate.guards.rate_limits}."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.rate_limit import (
    KeyPart,
    KeySource,
    Matched,
    OnFailure,
    RateLimit,
    RateLimited,
    RateLimitGuard,
)
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.redis import RedisTLS
from edgegate.routing.snapshot import guards_in
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
        self.assertEqual((guard.name, guard.shared, guard.shadow, guard.shown), ("default/limits", None, False, False))
        self.assertEqual(guard.response, RateLimited())

    def test_limit(self) -> None:
        """How many, by what and of which."""
        guard, problems = self.guard(
            "limits: [{name: a, requests: 9, period: 1s, burst: 5, cost: 2, "
            "by: [{cookie: SID}], match: {methods: [GET]}}]"
        )
        self.assertEqual(problems, [])
        match = Matched(methods=(StringMatch(Kind.EXACT, "GET"),))
        self.assertEqual(guard.limits, (RateLimit("a", 9, 1.0, 5, (KeyPart(KeySource.COOKIE, ("SID",)),), match, 2),))

    def test_response(self) -> None:
        """What is answered."""
        guard, _ = self.guard(
            "limits: [{requests: 1, period: 1s}]\nshadow: true\nrateLimitHeaders: true\n"
            "response: {status: 503, body: é, contentType: text/html, grpcResourceExhausted: true}"
        )
        self.assertEqual(guard.response, RateLimited(503, "é".encode(), b"text/html", True))
        self.assertEqual((guard.shadow, guard.shown), (True, True))

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
