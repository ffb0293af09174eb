"""
All that serves a Snapshot, and the change from one Snapshot to the next.

A change has three steps: L{DataPlane.contexts} may take its time in a thread,
L{DataPlane.install} binds what is new, which may fail and then changes nothing,
and then replaces everything within one turn of the reactor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from math import inf
from mmap import mmap
from time import monotonic
from typing import cast

from twisted.internet.interfaces import (
    IReactorFDSet,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorTime,
)

from edgegate.access.jwt.counts import TokenCounts
from edgegate.access_log.metric_tags import MetricTags, metric_tags
from edgegate.buffers import BUFFERS
from edgegate.downstream.address_lists import AddressLists
from edgegate.downstream.dispatch import Dispatch
from edgegate.downstream.listener import DownstreamListener
from edgegate.downstream.listener_filter import Serving
from edgegate.http.connector import HTTPConnector
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.examples import Examples
from edgegate.http.explained_response import Explainer
from edgegate.http.gateway import HTTPGateway
from edgegate.http.guards.concurrency import UnderWay
from edgegate.http.guards.rate_limit_state import RateLimits
from edgegate.http.guards.registry import connection_guards_of, prepare_guards
from edgegate.http.health.health_checker import HealthChecker
from edgegate.http.interfaces import Served
from edgegate.http.overdue import Overdue
from edgegate.http.recent_requests import RecentRequests
from edgegate.http.request_metrics import RequestMetrics
from edgegate.model.addresses import Address
from edgegate.model.certificates import ACMEAuthority
from edgegate.model.clusters import NO_ENDPOINTS, Endpoints
from edgegate.model.tls import KeyPair
from edgegate.net.connecting import connect
from edgegate.net.listening import Turn
from edgegate.net.loop_lag import LoopLag
from edgegate.net.poller import poller
from edgegate.net.socket_source import SocketSource
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.observe.metrics.connection_metrics import ConnectionMetrics
from edgegate.observe.metrics.meters import Meters
from edgegate.observe.observer import Observer, RelayEnded, RequestEnded
from edgegate.observe.observers import Observers
from edgegate.observe.tracing.tracer import Tracer
from edgegate.overload.connections import ConnectionCounts, Port
from edgegate.overload.figures import Figure
from edgegate.overload.idle import LongestIdle
from edgegate.overload.limits import NO_LIMIT
from edgegate.routing.snapshot import Snapshot, guards_in, prepare
from edgegate.server.connections import end_idle, end_idle_of, end_old, end_overdue, most_connections, renew
from edgegate.server.contexts import Contexts
from edgegate.server.first_certificates import Awaited, awaited
from edgegate.server.gateway_options import GatewayOptions
from edgegate.server.memory import memory
from edgegate.server.on_demand import on_demand_seeker
from edgegate.server.ports import Ports
from edgegate.sources.file_reader import defer_to_daemon
from edgegate.tcp.gateway import Relay, TCPGateway
from edgegate.tls.acme.challenges import ChallengeAnswers
from edgegate.tls.acme.hello_challenges import HelloChallenges
from edgegate.tls.acme.keeper import CertificateKeeper
from edgegate.tls.secret_store import Secrets, SecretStore
from edgegate.upstream.dns.lookups import machine_lookups
from edgegate.upstream.registry import ClusterRegistry

NO_SECRETS = Secrets()

WAIT = 0.01
"""Seconds for which the data plane waits for the next bytes itself, while there are any, before the reactor does."""

_AGING = 1.0
"""Seconds between two looks at how old connections and requests are."""

_FORGOTTEN = 5.0
"""Seconds after which it is forgotten which connections lay idle, when none were to give way meanwhile."""


class DataPlane:
    """
    Ports, connections, relays and clusters.

    @ivar options: What stays the same, whatever is served.
    @ivar snapshot: What is served; THE Snapshot.
    @ivar endpoints: Those of its clusters, by the files.
    @ivar certificates: Has those issued that the gateway has itself.
    @ivar issued: Called when some of them are served that were not before.
    @ivar on_demand: Finds certificates for names that no file says.
    @ivar secrets: The key material in force, where a secret may be replaced under the Snapshot that is served.
    @ivar clusters: The state of its clusters.
    @ivar counts: Of clients' connections.
    @ivar lag: How late the loop is.
    @ivar meters: Count what happens, whatever Snapshot is served.
    @ivar recent: Keeps the last requests; L{None}: nobody does.
    @ivar examples: Requests of late that failed, and slow ones, under the Snapshot that is served.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        observers: Sequence[Observer] = (),
        options: GatewayOptions = GatewayOptions(),  # noqa: B008 (frozen)
        source: SocketSource | None = None,
        turn: Turn | None = None,
        contexts: Contexts | None = None,
    ) -> None:
        """
        @param observers: Told of what happens.
        @param source: Where listening sockets may come from, in place of binding them.
        @param turn: See L{edgegate.net.listening.ListeningPort}.
        @param contexts: OpenSSL's contexts of the first Snapshot, made already.
        """
        self.options = options
        self.meters = meters = Meters(options.metrics.clusters)
        self.examples = Examples()
        self._requests = RequestMetrics(meters, self.examples)
        self.recent: RecentRequests | None = None
        if options.recent_requests:
            # each process has its share
            self.recent = RecentRequests(-(-options.recent_requests // options.processes), options.redacted)
            observers = [*observers, self.recent]
        observer = Observers([*observers, self._requests, ConnectionMetrics(meters)])
        self.snapshot = Snapshot()
        self.endpoints: Endpoints = NO_ENDPOINTS
        self.secrets = SecretStore(self._renew_contexts)
        self.wheel = wheel = TimerWheel(cast(IReactorTime, reactor))
        names = cast(IReactorPluggableNameResolver, reactor)
        lookups = machine_lookups(reactor, wheel, options.dns_servers)
        self._contexts = Contexts() if contexts is None else contexts
        most = options.overload.settled(most_connections(), options.trusted_hops > 0, options.processes, memory())
        assert most.buffer_bytes is not None
        BUFFERS.bound = most.buffer_bytes
        self.counts = ConnectionCounts(most, cast(IReactorTime, reactor), self._end_idle)
        self.lag = LoopLag(most.lag)
        watcher = poller(reactor, WAIT, lag=self.lag)
        limits = options.limits.divided(options.processes)
        connector = HTTPConnector(partial(connect, watcher, wheel), wheel, limits)
        ask = HealthChecker(connector, wheel, lookups)
        self.clusters = ClusterRegistry(
            names, wheel, place=options.place, ask=ask, lookups=lookups, processes=options.processes, meters=meters
        )
        self._environment = HTTPEnvironment(
            connector,
            wheel,
            self.clusters,
            observer,
            options.trusted_hops,
            limits,
            options.shadow_hosts,
            most,
            self.lag,
            options.key_authorities,
        )
        defer = partial(defer_to_daemon, cast(IReactorFromThreads, reactor))
        self._challenges = ChallengeAnswers(defer)
        hellos = HelloChallenges(self._challenges, defer, cast(IReactorTime, reactor))
        self.certificates = CertificateKeeper(cast(IReactorTime, reactor), defer, self._put_issued)
        self.issued: Callable[[], object] = _nothing
        self.on_demand = on_demand_seeker(reactor, defer, options.key_authorities)
        explainer = Explainer(options.debug_from, options.trusted_hops) if options.debug_from else None
        self._http = HTTPGateway(self._environment, options.paths, options.http_filters, explainer)
        connection_guards = connection_guards_of(self._environment)
        access = self._environment.access
        self._tcp = TCPGateway(watcher, wheel, self.clusters, observer, access=access, guards=connection_guards)
        self._address_lists = lists = AddressLists(options.trusted_hops)
        dispatch = Dispatch(self._http, self._tcp)

        def port(serving: Serving) -> DownstreamListener:
            rules, handshakes = options.proxy_protocol, most.handshakes
            assert handshakes is not None
            return DownstreamListener(
                watcher,
                wheel,
                serving,
                dispatch,
                observer,
                self.counts,
                rules,
                source,
                turn,
                handshakes,
                meters,
                lists,
                hellos,
                self.on_demand,
            )

        self._most = most
        self._ages = min(most.connection_seconds, most.request_seconds, most.grpc_seconds) != inf
        self._idle = LongestIdle()
        self._forgetting = Deadline(wheel, self._idle.forget)
        self._aging = Deadline(wheel, self._look_at_ages)
        self._ports = Ports(wheel, port, options.leave, self._abort_connections)

    @property
    def ports(self) -> Mapping[Address, DownstreamListener]:
        """The open ports, by what they bind."""
        return self._ports.open

    @property
    def connections(self) -> int:
        """Clients' connections that are open."""
        count = len(self._environment.connections) + len(self._tcp.relays)
        for port in self._ports:
            count += len(port.pending)
        return count

    @property
    def relays(self) -> Collection[Relay]:
        """The relays that are under way."""
        return self._tcp.relays

    @property
    def awaited(self) -> tuple[Awaited, ...]:
        """The certificates that are to be issued, and that are waited for."""
        return awaited(self.snapshot, self.secrets.secrets)

    @property
    def challenges_answered(self) -> Mapping[str, int]:
        """How many challenges of authorities were answered, by their kind."""
        return self._challenges.answered

    def add_tap(self, tap: RequestEnded | RelayEnded) -> None:
        """Show requests, or relays, to somebody until L{remove_tap}."""
        self._environment.observer.add(tap)

    def remove_tap(self, tap: RequestEnded | RelayEnded) -> None:
        """Show them no more."""
        self._environment.observer.remove(tap)

    def trace_by(self, tracer: Tracer | None) -> None:
        """Have requests be traced from now on; L{None}: by nobody."""
        self._environment.observer.trace_by(tracer)

    def figures(self) -> tuple[Figure, ...]:
        """Return what there is of what is limited; of the loop's lag the most of the last 30 to 60 seconds."""
        counts, most, observer = self.counts, self._most, self._environment.observer
        assert most.connections is not None
        assert most.client_connections is not None
        assert most.client_requests is not None
        assert most.handshakes is not None
        ports = list(self._ports)
        taken = max((port.taken for port in ports), default=0)
        shaking = max((len(port.shaking) for port in ports), default=0)
        lag = NO_LIMIT if most.lag == inf else round(most.lag * 1000)
        there = {
            "connections": (counts.total, most.connections),
            "connections of a listener": (taken, most.listener_connections),
            "connections of a client": (counts.greediest, most.client_connections),
            "handshakes of a listener": (shaking, most.handshakes),
            "requests": (observer.begun - observer.ended, most.requests),
            "requests of a client": (counts.most_asking, most.client_requests),
            "buffered bytes": (BUFFERS.held, BUFFERS.bound),
            "loop lag ms": (round(self.lag.longest(monotonic()) * 1000), lag),
        }
        met = self.limits_met()
        return tuple(Figure(name, value, limit, met[name]) for name, (value, limit) in there.items())

    @property
    def rate_limits(self) -> RateLimits:
        """What rate limits have counted, and have in common."""
        return self._environment.access.shared(RateLimits, RateLimits)

    @property
    def under_way(self) -> UnderWay | None:
        """What limits of concurrency have counted; L{None}: there was none yet."""
        return self._environment.access.found(UnderWay)

    @property
    def token_counts(self) -> TokenCounts:
        """What became of tokens."""
        return self._environment.key_sets.counts

    def share_buckets(self, memory: mmap, offset: int) -> None:
        """
        Have rate limits take from buckets in memory that other processes take from, too; before anything is served.

        @param offset: Where they begin there.
        """
        self.rate_limits.memory = memory, offset

    def limits_met(self) -> dict[str, int]:
        """Return how often each limit was met so far, by the names of the L{figures}."""
        counts, environment = self.counts, self._environment
        return {
            "connections": counts.waits,
            "connections of a listener": counts.port_waits,
            "connections of a client": counts.refused,
            "handshakes of a listener": counts.crowded_out,
            "requests": environment.shed,
            "requests of a client": environment.shed_of_clients,
            "buffered bytes": environment.shed_of_buffers,
            "loop lag ms": environment.shed_late,
        }

    def count_relays(self) -> None:
        """Have the meters count what relays that are under way have carried so far."""
        self._tcp.count_all()

    @property
    def ended(self) -> bool:
        """Whether nothing is left after L{withdraw}: no port and no client's connection is open."""
        return not self.connections and not any(port.open for port in self._ports)

    def contexts(self, snapshot: Snapshot, read: Secrets = NO_SECRETS) -> Contexts:
        """
        Make the OpenSSL contexts of a Snapshot (see L{Contexts.following}), and whatever else takes its time. Touches
        nothing that is served: may be called in a thread.

        @param read: The key material that the Snapshot names.
        @raise edgegate.tls.secrets.BadKeyMaterial: A certificate, key, authorities or ciphers are of no use.
        """
        prepare(snapshot)
        return self._contexts.following(snapshot, read, self.secrets.planned(read))

    def install(self, snapshot: Snapshot, contexts: Contexts, endpoints: Endpoints = NO_ENDPOINTS) -> None:
        """
        Serve a Snapshot from now on.

        What was begun under the one before ends under it.

        @param endpoints: Of all its clusters; one that is not among them has none.
        @raise edgegate.server.ports.CannotBind: A port can't be opened; everything is as it was, as it is where
            anything else goes wrong.
        """
        planned = self.secrets.planned(contexts.read)
        if planned.renewed_since(contexts.secrets):
            # one was put since the contexts were made
            contexts = self._contexts.following(snapshot, contexts.read, planned)
        serving = {listener.bind: Serving(listener, contexts.servers[listener.bind]) for listener in snapshot.listeners}
        change = self._ports.change(serving)
        try:
            self.clusters.update(snapshot.clusters, endpoints, contexts.clients)
            change.accept()
        except Exception:
            change.undo()
            self.clusters.update(self.snapshot.clusters, self.endpoints, self._contexts.clients)
            raise
        change.finish()
        if self._ages:
            self._aging.start(_AGING)
        self.snapshot, self.endpoints = snapshot, endpoints
        tags = self._requests.tags
        self._requests.tags = metric_tags(snapshot.metrics, tags if isinstance(tags, MetricTags) else None)
        self.examples.clear()
        self._contexts = contexts
        self.secrets.take(contexts.read, planned)
        issuers = [each.issuer for each in snapshot.certificates]
        issuers.extend(each.issuer for each in snapshot.on_demand)
        storages = [each.storage for each in issuers if isinstance(each.authority, ACMEAuthority)]
        self._challenges.storages = tuple(dict.fromkeys(storages))
        self._environment.challenges = self._challenges if storages else None
        self.certificates.use(snapshot.certificates)
        self.on_demand.use(snapshot.on_demand, snapshot.listeners)
        self._http.forget_filters()
        self._tcp.forget_guards()
        self._address_lists.forget()
        guards = tuple(guards_in(snapshot))
        prepare_guards(guards, self._environment)
        self._environment.access.keep(guards)
        renew(tuple(self._environment.connections))

    def assign(self, endpoints: Endpoints) -> None:
        """Take over the endpoints of some clusters; the Snapshot, and all other clusters, stay as they are."""
        self.clusters.assign(endpoints)
        self.endpoints = {**self.endpoints, **endpoints}

    def withdraw(self) -> None:
        """
        Close all ports, and let every connection end with its next answer.

        Who has connected is served, were its connection still in the kernel's backlog or in the middle of its
        handshake: L{ended} tells when that is over.
        """
        self._stop_renewing()
        for port in self._ports:
            port.withdraw()
        self._http.retire()

    def drain(self) -> None:
        """After L{withdraw}: let connections end with what is under way on them, and those now on which nothing is."""
        self._http.drain()

    def take_waiting(self) -> None:
        """Take the connections that wait in the kernel's backlog."""
        for port in self._ports.open.values():
            port.take_waiting()

    def retire(self, gone: Collection[Address]) -> None:
        """
        Leave the ports to other processes, which serve newer files, and let connections end: those of HTTP with their
        next answer, relays when they are over.

        @param gone: What those bind no longer: who has connected there is served, and has the usual time.
        """
        self._stop_renewing()
        self._ports.hand_over(gone)
        self._http.retire()

    def abort(self) -> None:
        """Close all ports and end every connection now."""
        for port in self._ports:
            port.close()
            port.abort()
        self._http.abort()
        self._tcp.abort_all()

    def stop(self) -> None:
        """Leave nothing behind: no idle connection, no timer."""
        self._stop_renewing()
        for port in self._ports:
            port.close()
        self.counts.stop()
        self.clusters.stop()
        self._http.stop()
        self._environment.access.stop()
        self.wheel.stop()

    # ------------------------------------------------------------------------------------------------------------------

    def _stop_renewing(self) -> None:
        self.certificates.stop()
        self.on_demand.stop()

    def _renew_contexts(self, secrets: Secrets) -> None:
        """
        Serve what is served with other secrets from now on, or raise and change nothing. Connections of clients go on;
        those to backends end with what is under way where their terms are others.
        """
        contexts = self._contexts.following(self.snapshot, self._contexts.read, secrets)
        if contexts.clients != self._contexts.clients:
            self.clusters.update(self.snapshot.clusters, self.endpoints, contexts.clients)
        for bind, port in self._ports.open.items():
            port.serving = Serving(port.listener, contexts.servers[bind])
        self._contexts = contexts

    def _put_issued(self, pairs: Sequence[KeyPair]) -> None:
        """Serve certificates that were issued, but for those that are served already."""
        served = {pair.credential: pair for pair in self.secrets.secrets}
        new = [pair for pair in pairs if served.get(pair.credential) != pair]
        if new:
            self.secrets.put_all(new)
            self.issued()

    def _look_at_ages(self) -> None:
        """End what has lasted too long: requests, and connections."""
        self._aging.start(_AGING)
        now, most = monotonic(), self._most
        connections = tuple(self._environment.connections)
        if most.request_seconds != inf or most.grpc_seconds != inf:
            end_overdue(connections, Overdue(now, most.request_seconds, most.grpc_seconds))
        if most.connection_seconds != inf:
            end_old(connections, now - most.connection_seconds)

    def _end_idle(self, count: int, port: Port | None, client: Hashable) -> int:
        wheel = self.wheel
        wheel.look()
        connections, ports = self._environment.connections, list(self._ports)
        if port is None and client is None:
            self._forgetting.start(_FORGOTTEN)
            return end_idle(connections, ports, wheel.now, count, self._idle)
        some = ports if port is None else [each for each in ports if each is port]
        return end_idle_of(connections, some, wheel.now, count, client)

    def _abort_connections(self, port: DownstreamListener) -> None:
        """A port has been closed for long enough: end what came through it and is still open."""
        found: list[Served | Relay] = [*self._environment.connections, *self._tcp.relays]
        for connection in found:
            if connection.downstream.entry is port:
                connection.abort()


def _nothing() -> None:
    pass
