"""A Snapshot with everything in it, and a gateway that pretends to serve it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from edgegate.admin import views
from edgegate.admin.live.parts import MapPart, NowPart, Part, ProcessNow
from edgegate.admin.live.site_map import map_rows
from edgegate.admin.overload_view import overload
from edgegate.admin.telemetry_view import telemetry
from edgegate.admin.views import Row
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, TCPRoute, WeightedCluster
from edgegate.model.tls import ClientVerification, KeyPair, ServerTLS, TLSRules
from edgegate.net.wheel import TimerWheel
from edgegate.observe.log_tap import Wanted
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.metrics.meters import Meters
from edgegate.observe.metrics.options import MetricsOptions
from edgegate.observe.tap import Tapped
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost
from edgegate.server.reload import Outcome, Reload
from edgegate.server.reload_history import ReloadHistory
from edgegate.server.upgrade import Upgrade
from edgegate.tls.authority import Authority
from edgegate.tls.secret_store import Secrets
from edgegate.upstream.registry import ClusterRegistry
from tests.upstream.resolving import ResolvingReactor

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
AUTHORITY = Authority.new("Test authority", NOW)
ISSUED = AUTHORITY.server(["shop.example", "127.0.0.1"], NOW)
SERVER = Origin("shop.yaml", 5, "Gateway default/gw")
SERVICE = Origin("shop.yaml", 20, "VirtualService default/shop")
WEB = "outbound|80||web.default.svc.cluster.local"
OLD = "outbound|80|v1|web.default.svc.cluster.local"
BOTH = (WeightedCluster(WEB, 90), WeightedCluster(OLD, 10))
POST = HTTPMatch(
    StringMatch(Kind.PREFIX, "/cart"),
    method=StringMatch(Kind.EXACT, "POST"),
    headers=(("x-user", StringMatch(Kind.PRESENT)),),
    without_headers=(("x-old", StringMatch(Kind.REGEX, "a+")),),
    query_params=(("q", StringMatch(Kind.EXACT, "1")),),
)
ROUTES = (
    HTTPRoute("cart", SERVICE, BOTH, (POST, HTTPMatch(StringMatch(Kind.REGEX, "/c[0-9]+")))),
    HTTPRoute("all", SERVICE, (WeightedCluster(WEB, 1),)),
)
HOSTS = HostTable([("shop.example", VirtualHost("shop.example", ROUTES)), ("*.example", VirtualHost("*.example"))])
PAIR = KeyPair("certs/shop.crt", ISSUED.chain_pem, ISSUED.key_pem)
SECRETS = Secrets([PAIR])
TLS = ServerTLS(
    (PAIR.credential,),
    TLSRules(verification=ClientVerification(True, AUTHORITY.own.chain_pem)),
)
PLAIN = FilterChain("http.80", SERVER, ("*",), http=HostTable([("*", VirtualHost("*", redirect_port=443))]))
SECURE = FilterChain("https.443", SERVER, ("shop.example",), TLS, HOSTS)
PASSED = FilterChain("tls.443", SERVER, ("tls.example",), tcp=(TCPRoute(SERVICE, (BOTH[0],), ("tls.example",)),))
SNAPSHOT = Snapshot(
    (
        Listener("[::]:80", TCPAddress("::", 8080), 80, SERVER, PLAIN),
        Listener(
            "[::]:443",
            TCPAddress("::", 443),
            443,
            SERVER,
            secure=HostTable([("shop.example", SECURE), ("*.shop.example", SECURE), ("tls.example", PASSED)]),
        ),
    ),
    {name: Cluster(name, Discovery.STATIC, SERVICE) for name in (WEB, OLD)},
)
ENDPOINTS = {name: (Endpoint(TCPAddress("10.0.0.1", port)),) for name, port in ((WEB, 80), (OLD, 81))}


class PretendedGateway:
    """
    A gateway that serves nothing.

    @ivar outcome: What the next reload comes to.
    @ivar upgrades: Whether the next upgrade succeeds.
    @ivar taps: Those who look at requests.
    @ivar watching: Those who look at what happens.
    @ivar tells: Whether they are told something at once.
    @ivar requests: Those that it keeps.
    @ivar questions: What it was asked to explain.
    @ivar explained: What it answers to these; L{None}: nobody is there.
    @ivar hurried: Whether it is to end without waiting.
    """

    def __init__(self) -> None:
        self.config = "/etc/edge gate"
        self.clusters = ClusterRegistry(ResolvingReactor(), TimerWheel(Clock(), 0.5))
        self.clusters.update(SNAPSHOT.clusters, ENDPOINTS)
        self.ready = self.upgrades = True
        self.waiting = False
        self.connections = 3
        self.hurried = False
        self.taps: list[tuple[Wanted, Callable[[Tapped], None]]] = []
        self.last_reload = Reload(Outcome.INSTALLED, NOW, Problems(), ("listener [::]:80 added (shop.yaml:5)",), 0.5)
        self.history = ReloadHistory(self.last_reload)
        self.serving_workers = frozenset((0,))
        self.tells = True
        self.requests: list[Row] = []
        self.questions: list[str] = []
        self.explained: Row | None = None
        self.watching: list[tuple[Callable[[int, Part], None], Callable[[int], None]]] = []
        self.outcome = Outcome.UNCHANGED
        self.reloads: Iterator[Deferred[Reload]] | None = None

    def bound(self, listener: Listener) -> Address | None:
        """Every port is bound as it stands."""
        return listener.bind

    def rows(self, view: str, of: str = "") -> Deferred[list[Row]]:
        """Show what it pretends to serve."""
        if view == views.EXPLAIN:
            self.questions.append(of)
            return succeed([] if self.explained is None else [self.explained])
        if view == views.REQUESTS:
            return succeed([row for row in self.requests if not of or row["request_id"] == of])
        shown: dict[str, Callable[[], list[Row]]] = {
            "listeners": lambda: views.listeners(SNAPSHOT, self.bound),
            "routes": lambda: views.routes(SNAPSHOT),
            "clusters": lambda: views.clusters(SNAPSHOT),
            "endpoints": lambda: views.endpoints(SNAPSHOT, self.clusters),
            "secrets": lambda: views.secrets(SNAPSHOT, SECRETS, NOW),
            "telemetry": lambda: telemetry(SNAPSHOT),
            "overload": lambda: overload([]),
        }
        return succeed(shown[view]())

    def measure(self) -> Deferred[Measured]:
        """There is nothing to tell."""
        return succeed(Measured(Meters(), Gauges(), MetricsOptions()))

    def upgrade(self) -> Deferred[Upgrade]:
        """Come to what the test says."""
        return succeed(Upgrade(self.upgrades, ("so it is", "a line")))

    def tap(self, wanted: Wanted, show: Callable[[Tapped], None]) -> Callable[[], None]:
        """Show what the test shows."""
        self.taps.append((wanted, show))
        return lambda: self.taps.remove((wanted, show))

    def watch(self, take: Callable[[int, Part], None], lost: Callable[[int], None]) -> Callable[[], None]:
        """Tell at once what it pretends to serve, and then what the test tells."""
        watching = (take, lost)
        self.watching.append(watching)
        if self.tells:
            self.tell(take)
        return lambda: self.watching.remove(watching) if watching in self.watching else None

    def tell(self, take: Callable[[int, Part], None]) -> None:
        """Tell it."""
        take(0, MapPart(list(map_rows(SNAPSHOT, SECRETS, self.bound, NOW)), True, True))
        take(0, NowPart(process=ProcessNow(0, 77, 3, 1, 2, 1000, (("connections", 3, 10, 1),))))

    def hurry(self) -> None:
        """End without waiting."""
        self.hurried = True

    def end(self) -> None:
        """Begin to end."""
        self.ready = False

    def reload(self) -> Deferred[Reload]:
        """Come to what the test says."""
        problems = Problems()
        if self.outcome is Outcome.REFUSED:
            problems.add(Problem("shop.yaml", 7, 3, Severity.ERROR, "spec", "no"))
        self.last_reload = Reload(self.outcome, NOW, problems)
        self.history.add(self.last_reload)
        return succeed(self.last_reload)
