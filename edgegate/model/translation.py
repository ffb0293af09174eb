"""What a language of files gives to the compiler, in two steps: the servers, then what is attached to the open ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from edgegate.model.access_logs import AccessLogFile
from edgegate.model.certificates import ManagedCertificate
from edgegate.model.clusters import Cluster, Endpoints
from edgegate.model.diagnostics import Diagnostic
from edgegate.model.guards.guard import Guards
from edgegate.model.metrics import DeclaredMetrics
from edgegate.model.on_demand import OnDemand
from edgegate.model.origin import Origin
from edgegate.model.proxy import NO_SETTINGS, ProxySettings
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.model.servers import Server
from edgegate.model.tls import ServerTLS
from edgegate.model.tracing import DeclaredTracing


@dataclass(frozen=True, slots=True, eq=False)
class AttachedRoutes:
    """
    The routes of one object, such as a VirtualService, on one server.

    @ivar origin: Of the object.
    @ivar order: Its place among all: of two that are for one host, the routes of the first come first.
    @ivar domains: The names that both the server and the object serve, in normal form.
    @ivar parents: All that the object names as what it is attached to; see L{Server.parent}.
    @ivar http: Where the server routes requests: those that hold there, in order; one that takes all is the last.
    @ivar tls: Where the server passes TLS through: by C{sni_hosts}.
    @ivar tcp: Where the server relays bytes.
    """

    origin: Origin
    order: int
    server: Server
    domains: tuple[str, ...]
    parents: frozenset[str] = frozenset()
    http: tuple[HTTPRoute, ...] = ()
    tls: tuple[TCPRoute, ...] = ()
    tcp: tuple[TCPRoute, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Attached:
    """
    What is attached to servers.

    @ivar kind: What messages call an object that has routes: C{VirtualService}.
    @ivar tls: How servers end TLS; one that should and is not here can't be served, which was reported.
    @ivar clusters: The backends that some route names, by name.
    @ivar endpoints: Theirs.
    @ivar access_logs: L{None}: nothing is said of any.
    @ivar proxy: See L{edgegate.routing.snapshot.Snapshot.proxy}.
    @ivar tracing: L{None}: nothing is said of traces.
    @ivar metrics: L{None}: nor of metrics.
    @ivar guards: What stands on servers as a whole; one that is not here has none.
    @ivar certificates: What the gateway has issued itself, of what servers end TLS with.
    @ivar on_demand: Who issues what for names that no file says.
    """

    kind: str
    routes: tuple[AttachedRoutes, ...] = ()
    tls: Mapping[Server, ServerTLS] = field(default_factory=dict)
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    endpoints: Endpoints = field(default_factory=dict)
    access_logs: tuple[AccessLogFile, ...] | None = None
    proxy: ProxySettings = NO_SETTINGS
    tracing: DeclaredTracing | None = None
    metrics: DeclaredMetrics | None = None
    guards: Mapping[Server, Guards] = field(default_factory=dict)
    certificates: tuple[ManagedCertificate, ...] = ()
    on_demand: tuple[OnDemand, ...] = ()


class Translation(Protocol):
    """The files of one language, on their way to a Snapshot."""

    @property
    def servers(self) -> Collection[Server]:
        """All that want to be opened, in the order of their precedence."""

    def attach(self, served: Collection[Server]) -> Attached:
        """
        Return what is attached to those of its servers that can be opened.

        Called once. What is wrong is reported, and left out.
        """

    def report(self, diagnostic: Diagnostic) -> None:
        """Report what is wrong between what it gave."""
