"""Tests of L{edgegate.replay.comparison}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.behaviour import Answered, Behaviour, Refused, Relayed, Sent, Share, ToHTTPS
from edgegate.model.actions import DirectResponse, Redirect
from edgegate.model.policies import Abort, Delay, Faults, Mirror
from edgegate.model.proxy import ProxySettings
from edgegate.replay.comparison import AgainstFiles, AgainstLog, Comparison, answered, relation
from edgegate.replay.findings import Finding, Told, Verdict
from edgegate.replay.logged_request import Answer, LoggedRequest
from edgegate.replay.routing import Outcome, Routing
from tests.istio.translate.compiling import gateway, virtual_service
from tests.replay.files import PLAIN, ROUTES, files, side

KNOWN = frozenset(("header x-user", "header user-agent", "the query"))
SHOP = "outbound|80||shop.internal"
WEB = "[{destination: {host: 127.0.0.1, port: {number: 80}}}]"
OTHER = "outbound|80||other.internal"


def request(target: bytes = b"/cart", host: bytes = b"shop.example", **more: object) -> LoggedRequest:
    """Return a request to port 80 in the clear of which all is known but for what is said."""
    values = {"method": b"GET", "target": target, "version": "1.1", "authority": host, "port": 80, "tls": False}
    values |= {"server_name": None, "known": KNOWN}
    return LoggedRequest(**{**values, **more})  # type: ignore[arg-type]


def against(old: str, new: str, clusters: dict[str, tuple[str, ...]] | None = None) -> AgainstFiles:
    """Return what compares two sides."""
    return AgainstFiles(Routing(side(files(old))), Routing(side(files(new))), clusters or {})


class AgainstFilesTests(SynchronousTestCase):
    """Requests by older and by newer files."""

    def judge(self, comparison: Comparison, asked: LoggedRequest) -> Finding:
        """Judge a request."""
        found = comparison.judge(asked)
        assert isinstance(found, Finding), found
        return found

    def test_same(self) -> None:
        """Names and places of routes are no difference; hosts that are equal are not even routed."""
        new = ROUTES.replace("name: cart", "name: basket").replace("http: [", "http: [\n\n")
        self.assertIs(self.judge(against(ROUTES, new), request()).verdict, Verdict.SAME)
        comparison = against(ROUTES, ROUTES)
        self.assertIs(self.judge(comparison, request(known=frozenset())).verdict, Verdict.SAME)
        self.assertFalse(comparison.asked_more)

    def test_otherwise(self) -> None:
        """Both sides are told, with their routes and places; differences that the summaries lack come with them."""
        new = ROUTES.replace("/cart", "/basket").replace("/new", "/newer")
        found = self.judge(against(ROUTES, new), request())
        self.assertIs(found.verdict, Verdict.OTHERWISE)
        self.assertEqual((found.old.summary, found.old.route), ("to 127.0.0.1:80", "cart"))
        self.assertEqual((found.new.summary, found.new.route), ("to 127.0.0.2:81", "rest"))
        self.assertRegex(found.old.place, r"in\.yaml:\d+")
        self.assertEqual(found.changes, ())
        timeout = ROUTES.replace("{name: cart,", "{name: cart, timeout: 5s,")
        self.assertEqual(self.judge(against(ROUTES, timeout), request()).changes, ("timeout: none -> 5 s",))

    def test_maybe(self) -> None:
        """What depends on a header that the log lacks may be otherwise."""
        new = ROUTES.replace("exact: qa", "exact: qi")
        found = self.judge(against(ROUTES, new), request(known=KNOWN - {"header x-user"}))
        self.assertEqual((found.verdict, found.depends), (Verdict.MAYBE, ("header x-user",)))
        self.assertIs(self.judge(against(ROUTES, new), request()).verdict, Verdict.SAME)

    def test_normal_form(self) -> None:
        """Files that bring paths to another form are not the same, though all routes are."""
        old = side(files())
        new = replace(old, snapshot=replace(old.snapshot, proxy=ProxySettings(paths="merge-slashes")))
        comparison = AgainstFiles(Routing(old), Routing(new), {})
        found = self.judge(comparison, request(b"//cart"))
        self.assertEqual((found.old.route, found.new.route), ("rest", "cart"))
        self.assertIs(self.judge(comparison, request(b"/cart")).verdict, Verdict.SAME)

    def test_cluster(self) -> None:
        """A backend that is spoken to in another way is a difference of all requests that it gets."""
        name = next(iter(side(files()).snapshot.clusters))
        outcomes = against(ROUTES, ROUTES, {name: ("connect timeout: 10 s -> 1 s",)})
        changes = {
            self.judge(outcomes, request(target, host)).changes
            for target, host in ((b"/cart", b"shop.example"), (b"/x", b"shop.example"), (b"/", b"plain.example"))
        }
        self.assertEqual(len(changes), 2)
        self.assertIn("connect timeout: 10 s -> 1 s", "".join(map("".join, changes)))

    def test_ports(self) -> None:
        """Where no port is known, all ways that the older files serve count; a port that nobody has is told."""
        new = ROUTES.replace("/cart", "/basket")
        found = self.judge(against(ROUTES, new), request(port=None, tls=None))
        self.assertEqual((found.verdict, found.depends), (Verdict.MAYBE, ("the port",)))
        found = self.judge(against(ROUTES, new), request(port=None, tls=True))
        self.assertEqual((found.verdict, found.depends), (Verdict.OTHERWISE, ()))
        self.assertIn("--map-port FILE:8080", str(against(ROUTES, new).judge(request(port=8080))))

    def test_unsaid_at_one_port(self) -> None:
        """Where nothing is said of one way and another one is the same, what is shown is what nothing is said of."""
        routes = f"http: [{{match: [{{port: 80}}], directResponse: {{status: 200}}}}, {{name: s, route: {WEB}}}]"
        both = gateway("gw", "80 HTTP a.example", "81 HTTP a.example") + virtual_service("a", "a.example", routes)
        comparison = AgainstLog(Routing(side(both)))
        found = self.judge(comparison, request(host=b"a.example", port=None, answer=Answer(200)))
        self.assertEqual((found.verdict, found.new.route), (Verdict.UNSAID, "s"))
        self.assertEqual(found.depends, ("the port",))

    def test_closed(self) -> None:
        """A port that the newer files don't open is a difference."""
        old, new = side(files()), side(files().replace("number: 80,", "number: 8088,"))
        if old.snapshot.listeners == new.snapshot.listeners:
            self.fail("the port was not changed")
        found = self.judge(AgainstFiles(Routing(old), Routing(new), {}), request())
        self.assertEqual(found.new.summary, "closed (nothing listens on port 80)")


class AgainstLogTests(SynchronousTestCase):
    """Requests by files, beside what the log says."""

    def setUp(self) -> None:
        """Make the tables."""
        self.comparison = AgainstLog(Routing(side(files())))

    def judge(self, asked: LoggedRequest) -> Finding:
        """Judge a request."""
        found = self.comparison.judge(asked)
        assert isinstance(found, Finding), found
        return found

    def test_status(self) -> None:
        """A log that says the status alone tells what was answered without a backend."""
        self.assertIs(self.judge(request(b"/old", answer=Answer(301))).verdict, Verdict.SAME)
        found = self.judge(request(b"/old", answer=Answer(200)))
        self.assertEqual((found.verdict, found.old), (Verdict.OTHERWISE, Told("200")))
        found = self.judge(request(answer=Answer(200)))
        self.assertEqual((found.verdict, found.new.route), (Verdict.UNSAID, "cart"))

    def test_unknown(self) -> None:
        """What the log lacks may decide, too."""
        found = self.judge(request(answer=Answer(200), known=frozenset()))
        self.assertEqual((found.verdict, found.depends), (Verdict.MAYBE, ("header x-user",)))
        self.assertEqual(found.new.route, "qa")

    def test_relation(self) -> None:
        """What was answered, beside what would be, as far as the log tells."""
        sent = Sent((Share(SHOP, 1, 100),))
        direct, redirect = Answered(direct=DirectResponse(200)), Answered(redirect=Redirect(302))
        no_route = Answer(404, "NR", "route_not_found", "")
        cases: tuple[tuple[Answer, Behaviour, Verdict], ...] = (
            (Answer(200, cluster=SHOP), sent, Verdict.SAME),
            (Answer(503, "UF", cluster=SHOP), sent, Verdict.SAME),
            (Answer(200, cluster="outbound|80||other"), sent, Verdict.OTHERWISE),
            (Answer(200, cluster=SHOP), direct, Verdict.OTHERWISE),
            (Answer(200, cluster=SHOP), Refused(404, ""), Verdict.OTHERWISE),
            (no_route, sent, Verdict.OTHERWISE),
            (no_route, Refused(404, ""), Verdict.SAME),
            (Answer(301, "", "direct_response", ""), sent, Verdict.OTHERWISE),
            (Answer(301, "", "direct_response", ""), ToHTTPS(443), Verdict.SAME),
            (Answer(200, "", "cors_response", ""), sent, Verdict.UNSAID),
            (Answer(200), direct, Verdict.SAME),
            (Answer(302), redirect, Verdict.SAME),
            (Answer(200), redirect, Verdict.OTHERWISE),
            (Answer(200), Refused(0, ""), Verdict.OTHERWISE),
            (Answer(404), Refused(404, ""), Verdict.SAME),
            (Answer(404), sent, Verdict.UNSAID),
            (Answer(499), Refused(404, ""), Verdict.UNSAID),
            (Answer(), direct, Verdict.UNSAID),
            (Answer(200), Relayed(()), Verdict.UNSAID),
        )
        for answer, behaviour, expected in cases:
            self.assertIs(relation(answer, Outcome(behaviour, "")), expected, (answer, behaviour))

    def test_policy(self) -> None:
        """What a policy has refused tells nothing of where it would have gone."""
        behaviour = Answered(direct=DirectResponse(200, b""))
        for answer in (
            Answer(403, details="address_list_denied[default/a]", cluster=""),
            Answer(403, details="rbac_access_denied_matched_policy[none]", cluster=""),
            Answer(401, details="jwt_authn_access_denied{Jwt_is_missing}", cluster=""),
            Answer(429, "RL", "request_rate_limited", cluster=""),
            Answer(403, "UAEX", cluster=""),
        ):
            self.assertIs(relation(answer, Outcome(behaviour, "")), Verdict.UNSAID, answer)
        self.assertIs(relation(Answer(403, cluster=""), Outcome(behaviour, "")), Verdict.OTHERWISE)

    def test_mirror(self) -> None:
        """Who gets a copy answers nobody: a request that its backend answered goes elsewhere now."""
        found = Outcome(Sent((Share(OTHER, 1, 100),), mirrors=(Mirror(SHOP),)), "", clusters=frozenset((SHOP, OTHER)))
        self.assertIs(relation(Answer(200, cluster=SHOP), found), Verdict.OTHERWISE)
        self.assertIs(relation(Answer(200, cluster=OTHER), found), Verdict.SAME)

    def test_aborted(self) -> None:
        """What is aborted reaches no backend, also where the log names one; of what is in part nothing is said."""
        whole, part = (Faults(abort=Abort(503, share=share)) for share in (1.0, 0.5))
        late = Faults(Delay(1.0))
        shares = (Share(SHOP, 1, 100),)
        direct = DirectResponse(200)
        backend, aborted = Answer(200, cluster=SHOP), Answer(503, "FI", "fault_filter_abort", SHOP)
        cases: tuple[tuple[Answer, Behaviour, Verdict], ...] = (
            (backend, Sent(shares, faults=whole), Verdict.OTHERWISE),
            (aborted, Sent(shares, faults=whole), Verdict.SAME),
            (replace(aborted, status=500), Sent(shares, faults=whole), Verdict.OTHERWISE),
            (Answer(503), Sent(shares, faults=whole), Verdict.SAME),
            (Answer(200), Sent(shares, faults=whole), Verdict.OTHERWISE),
            (aborted, Sent(shares), Verdict.OTHERWISE),
            (backend, Sent(shares, faults=part), Verdict.UNSAID),
            (aborted, Sent(shares, faults=part), Verdict.UNSAID),
            (replace(backend, cluster=OTHER), Sent(shares, faults=part), Verdict.OTHERWISE),
            (backend, Sent(shares, faults=late), Verdict.SAME),
            (Answer(200), Answered(direct=direct, faults=whole), Verdict.OTHERWISE),
            (Answer(200), Answered(direct=direct, faults=part), Verdict.UNSAID),
            (Answer(200), Answered(direct=direct, faults=late), Verdict.SAME),
        )
        for answer, behaviour, expected in cases:
            self.assertIs(relation(answer, Outcome(behaviour, "")), expected, (answer, behaviour))

    def test_answered(self) -> None:
        """Answers in words."""
        self.assertEqual(answered(Answer(200, cluster=SHOP, route="cart")), Told("to shop.internal:80", "cart"))
        aborted = Answer(503, "FI", "fault_filter_abort", SHOP)
        self.assertEqual(answered(aborted), Told("503 (fault_filter_abort)"))
        self.assertEqual(answered(Answer(404, "NR")), Told("404 (no route)"))
        self.assertEqual(answered(Answer(200, details="via_upstream")), Told("200"))
        self.assertEqual(answered(Answer(301, details="direct_response")), Told("301 (direct_response)"))

    def test_host_alone(self) -> None:
        """Another host has routes of its own."""
        found = self.judge(request(b"/", b"plain.example", answer=Answer(200)))
        self.assertEqual(found.new.route, "all")
        self.assertIn("all", PLAIN)
