"""Tests of L{edgegate.route_tests.checks}."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.route_tests.check import Miss
from edgegate.route_tests.checks import BadExpectation, checks_of
from edgegate.route_tests.kinds import Expected, TimeLimit
from edgegate.route_tests.outcome import Outcome
from tests.explain.explaining import Explained
from tests.istio.translate.compiling import gateway
from tests.route_tests.shop import outcome

CART = "POST http://shop.example/cart"
BETA = "GET http://shop.example/beta"
QA = (b"x-user", b"qa")


def expected(**keys: object) -> Expected:
    """Return what a file expects that says these."""
    none_of = keys.pop("none_of", None)
    value = {**keys, **({} if none_of is None else {"not": none_of})}
    return msgspec.convert(value, Expected, dec_hook=lambda kind, text: TimeLimit.parse(text))


class CheckTests(SynchronousTestCase):
    """Each key of what is expected, against what comes of a request."""

    def misses(self, request: str, *headers: tuple[bytes, bytes], **keys: object) -> list[Miss]:
        """Return how a request differs from what is expected."""
        found = outcome(request, *headers)
        return [miss for check in checks_of(expected(**keys)) if (miss := check.miss(found)) is not None]

    def test_hits(self) -> None:
        """What is as expected is no miss, whichever of its keys are named."""
        line = outcome(CART).origin
        keys = {
            "route": "cart",
            "to": "cart:8080/v2",
            "timeout": "5s",
            "status": 0,
            "flag": "-",
            "domain": "shop.example",
        }
        self.assertEqual(self.misses(CART, **keys, at=str(line)), [])
        self.assertEqual(self.misses(CART, at="in.yaml", none_of={"route": "beta", "to": "cart/v1"}), [])
        self.assertEqual(self.misses(CART, at="VirtualService shop"), [])
        self.assertEqual(self.misses(BETA, QA, share={"v1": 90, "v2": 10}, timeout="none"), [])
        self.assertEqual(self.misses(BETA, QA, share={"cart:8080": 100, "cart:9090": 0}, to="cart:8080"), [])
        self.assertEqual(self.misses(BETA, route="", to="", status=404, flag="NR", misdirected=False), [])
        self.assertEqual(self.misses("GET http://shop.example/ping", body="pong", status=418), [])
        self.assertEqual(self.misses("GET https://locked.example/", tls="refused"), [])

    def test_misses(self) -> None:
        """A miss says what was wanted, and what is there."""
        place = outcome(CART).origin
        self.assertEqual(
            self.misses(CART, route="beta", at="VirtualService shop/beta", to="cart/v1", timeout="6s", status=200),
            [
                Miss("route", "beta", "cart"),
                Miss("at", "VirtualService shop/beta", f"VirtualService default/shop ({place})"),
                Miss("to", "cart/v1", "cart.default:8080/v2"),
                Miss("timeout", "6s", "5s"),
                Miss("status", "200", "the backend's"),
            ],
        )
        self.assertEqual(self.misses(CART, at="other.yaml:1"), [Miss("at", "other.yaml:1", str(place))])
        self.assertEqual(self.misses(CART, none_of={"route": "cart"}), [Miss("not.route", "anything but cart", "cart")])

    def test_nothing_there(self) -> None:
        """Where there is no route, it is said what became of the request."""
        answered = "the gateway answers 404 (no route)"
        self.assertEqual(
            self.misses(BETA, route="beta", at="in.yaml", to="cart", timeout="none", body="x", share={"v1": 9}),
            [
                Miss("route", "beta", f"no route: {answered}"),
                Miss("at", "in.yaml", f"no route: {answered}"),
                Miss("to", "cart", f"no backend: {answered}"),
                Miss("share.v1", "9 %", f"0 % (no backend: {answered})"),
                Miss("timeout", "none", f"no route: {answered}"),
                Miss("body", "'x'", "'no route (NR)\\n'"),
            ],
        )
        refused = "not served: the server asks for a client certificate, and the client has none"
        self.assertEqual(
            self.misses("GET https://locked.example/", status=200, tls="accepted", misdirected=True),
            [
                Miss("status", "200", f"no answer: {refused}"),
                Miss("misdirected", "421", refused),
                Miss("tls", "accepted", f"refused: {refused}"),
            ],
        )

    def test_on_the_way(self) -> None:
        """What a backend gets, and what is done to the request on the way."""
        request = "GET http://shop.example/api/a?b=c"
        keys: dict[str, object] = {"path": "/v2/a", "authority": "api.internal", "sets": {"X-Env": "beta"}}
        keys |= {"removes": ["x-secret"], "answer": {"x-served-by": "shop"}, "mirrors": ["cart:9090"]}
        keys |= {"retries": 3, "delay": "2s", "abort": 503, "status": 0}
        self.assertEqual(self.misses(request, (b"x-secret", b"1"), **keys), [])
        self.assertEqual(self.misses(request, path="/v2/a?b=c"), [])
        self.assertEqual(
            self.misses(
                request,
                path="/v2/a?b=d",
                sets={"x-env": "live", "x-no": ""},
                removes=["x-env"],
                answer={"x-served-by": "me"},
                mirrors=[],
                retries=0,
                delay="none",
                abort=500,
            ),
            [
                Miss("mirrors", "none", "cart.default:9090"),
                Miss("path", "/v2/a?b=d", "/v2/a?b=c"),
                Miss("sets.x-env", "live", "beta"),
                Miss("sets.x-no", "", "not there"),
                Miss("removes.x-env", "not there", "'beta'"),
                Miss("retries", "0", "3"),
                Miss("delay", "none", "2s for 10 %"),
                Miss("abort", "500", "503 for 5 %"),
                Miss("answer.x-served-by", "me", "shop"),
            ],
        )

    def test_own_answers(self) -> None:
        """Where the gateway answers itself there is no request to a backend."""
        moved = "GET http://shop.example/old?a=b"
        self.assertEqual(self.misses(moved, status=308, location="http://shop.example/new?a=b", to=""), [])
        none = "no request to a backend: by route old"
        (path, removed) = self.misses(moved, path="/new", removes=["x-a"])
        self.assertEqual((path.there[: len(none)], removed.there[: len(none)]), (none, none))
        self.assertEqual(self.misses("GET http://shop.example/broken", status=500, abort=500, flag="FI"), [])
        self.assertEqual(self.misses("POST http://shop.example/cart", abort=0, delay="none", mirrors=[]), [])
        secure = "https://moved.example/"
        self.assertEqual(self.misses("GET http://moved.example:81/", location=secure, route="", status=301), [])

    def test_split(self) -> None:
        """A split goes to one destination only in part; its shares are told whole."""
        whole = "cart.default:8080/v1 90 %, cart.default:8080/v2 10 %"
        self.assertEqual(
            self.misses(BETA, QA, to="cart/v1", share={"v2": 50}, none_of={"to": ""}),
            [Miss("to", "cart/v1", whole), Miss("share.v2", "50 %", f"10 % ({whole})")],
        )

    def test_bad(self) -> None:
        """What could never be is told with its key."""
        for keys, path in (
            ({"to": "a b"}, ("to",)),
            ({"share": {"v1": 101}}, ("share",)),
            ({"tls": "maybe"}, ("tls",)),
            ({"at": ""}, ("at",)),
            ({"none_of": {"to": "a:"}}, ("not", "to")),
        ):
            error = self.assertRaises(BadExpectation, checks_of, expected(**keys))
            self.assertEqual(error.path, path)

    def test_policy(self) -> None:
        """Whether a policy refuses it may be said, or which one does, shortly or in full."""
        self.assertEqual(self.misses(CART, policy="allowed"), [])
        (miss,) = self.misses(CART, policy="office")
        self.assertEqual((miss.key, miss.wanted), ("policy", "office"))
        explained = Explained.of(POLICY)
        refused = Outcome(explained.decide("GET", "http://a.example/"), explained.finder())
        for wanted in ("denied", "office", "default/office", "AddressListPolicy default/office"):
            (check,) = checks_of(expected(policy=wanted))
            self.assertIsNone(check.miss(refused), wanted)
        for wanted in ("allowed", "other", "default", "AddressListPolicy"):
            (check,) = checks_of(expected(policy=wanted))
            self.assertIn("AddressListPolicy default/office", str(check.miss(refused)), wanted)


POLICY = (
    gateway("gw", "80 HTTP a.example")
    + """\
apiVersion: edgegate.io/v1alpha1
kind: AddressListPolicy
metadata: {name: office}
spec: {allow: {addresses: [203.0.113.1]}}
"""
)
