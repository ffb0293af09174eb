"""Tests of L{edgegate.istio.translate.guards.limits}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.conditions import condition_of
from edgegate.access.rate_limits.keys import key_of
from edgegate.istio.kinds.concurrency_policy import CrowdedResponse
from edgegate.istio.kinds.rate_limit_policy import (
    ClientAddress,
    LimitedResponse,
    LimitKey,
    LimitMatch,
    RequestHost,
    RequestIdentity,
    WhenAbsent,
)
from edgegate.istio.translate.guards.limits import answered, key_parts, matched
from edgegate.model.guards.concurrency import Crowded
from edgegate.model.guards.rate_limit import Absent, KeyPart, KeySource, RateLimited
from tests.access.rate_limits.requests import Asked


class LimitsTests(SynchronousTestCase):
    """What limits say, as guards have it."""

    def test_keys(self) -> None:
        """What tells requests apart; what says nothing does not."""
        said = (
            LimitKey(client_address=ClientAddress(ipv4_prefix_length=24)),
            LimitKey(header="X-Key", absent=WhenAbsent.SKIP),
            LimitKey(),
            LimitKey(cookie="SID"),
            LimitKey(claim="a.b", absent=WhenAbsent.CLIENT_ADDRESS),
            LimitKey(host=RequestHost()),
            LimitKey(identity=RequestIdentity()),
        )
        parts = (
            KeyPart(KeySource.CLIENT_ADDRESS, ipv4_prefix=24),
            KeyPart(KeySource.HEADER, ("x-key",), Absent.SKIP),
            KeyPart(KeySource.COOKIE, ("SID",)),
            KeyPart(KeySource.CLAIM, ("a", "b"), Absent.CLIENT_ADDRESS),
            KeyPart(KeySource.HOST),
            KeyPart(KeySource.IDENTITY),
        )
        self.assertEqual(key_parts(said), parts)

    def test_path(self) -> None:
        """Of a path what stands for its operators, whatever a client writes there."""
        key = key_of(key_parts([LimitKey(path="/t/{*}/x.y/{**}")])).of
        self.assertEqual(key(Asked(path=b"/t/\xff|/x.y/a\n/b")), b"=\xff|")
        self.assertEqual([key(Asked(path=path)) for path in (b"/t/a/xzy/b", b"/t/a/b/x.y/c")], [b"", b""])

    def test_match(self) -> None:
        """Values are exact, beginnings, ends or templates."""
        self.assertIsNone(matched(None))
        paths = ("/a", "/b/*", "*.(x)", "/c/{*}/d")
        holds = condition_of(matched(LimitMatch(methods=("GET", "P*"), paths=paths, not_paths=("/b/no",))))
        assert holds is not None
        yes = [b"/a", b"/b/", b"/b/x", b"/z.(x)", b"/c/\xe9\n/d"]
        no = [b"/ab", b"/b", b"/b/no", b"/z.x", b"/c/d", b"/c/a/b/d", b"/c//d"]
        self.assertEqual([holds(Asked(path=path)) for path in yes], [True] * 5)
        self.assertEqual([holds(Asked(path=path)) for path in no], [False] * 7)
        methods = [holds(Asked(method, b"/a")) for method in (b"GET", b"PUT", b"HEAD")]
        self.assertEqual(methods, [True, True, False])

    def test_answered(self) -> None:
        """What is not said is as usual; what is said counts, though it be empty."""
        self.assertEqual(answered(RateLimited(), None), RateLimited())
        self.assertEqual(answered(Crowded(), CrowdedResponse()), Crowded())
        self.assertEqual(answered(RateLimited(), LimitedResponse(body="")), RateLimited(body=b""))
        said = CrowdedResponse(status=429, body="é", content_type="text/html", grpc_resource_exhausted=True)
        self.assertEqual(answered(Crowded(), said), Crowded(429, "é".encode(), b"text/html", True))
