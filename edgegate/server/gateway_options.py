"""What whoever starts a gateway decides, and no file says: one value, from the command line or an embedder."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.http.explained_response import Network
from edgegate.http.filters.interfaces import IHTTPFilterFactory
from edgegate.http.limits import Limits
from edgegate.http.target import PathNormalisation
from edgegate.model.addresses import TCPAddress
from edgegate.observe.metrics.options import MetricsOptions
from edgegate.overload.limits import OverloadLimits
from edgegate.upstream.locality import Place

DRAIN = 30.0
"""Seconds that requests and relays may go on after the gateway was told to end."""

UPGRADE_DRAIN = 600.0
"""Seconds that connections may go on in this process once a new one serves in its place."""

LEAVE = 30.0
"""Seconds that connections may go on after their port left the files."""


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """
    What stays the same from a gateway's start to its end, whatever its files say.

    @ivar trusted_hops: How many proxies in front of the gateway are trusted to say who the client is.
    @ivar paths: In which form paths are matched and sent on.
    @ivar proxy_protocol: On which ports load balancers in front say whose connections are.
    @ivar place: Where the gateway is.
    @ivar dns_servers: Asked for the names of backends in place of those that the system asks.
    @ivar limits: What clients may send.
    @ivar overload: How much there may be at one time.
    @ivar shadow_hosts: Whether copies for mirrors have C{-shadow} behind their host.
    @ivar http_filters: Make the HTTP filters of embedders, in the order in which requests meet them.
    @ivar debug_from: Of the clients that may ask which way their requests took; see L{Explainer}.
    @ivar recent_requests: How many of the last requests all processes together keep; 0: none, at no cost.
    @ivar redacted: Headers besides the usual ones whose values those don't show, in lower case.
    @ivar leave: Seconds that connections may go on after their port left the files.
    @ivar drain: Seconds that requests and relays may go on after the gateway was told to end.
    @ivar drain_delay: Seconds before that in which the gateway serves on, and says that it is not ready.
    @ivar upgrade_drain: Seconds that connections may go on once a new process serves in the place of this one.
    @ivar key_authorities: Certificates as PEM, of authorities that are trusted besides the system's where keys of
        tokens are fetched.
    @ivar metrics: How they are counted and written.
    @ivar processes: How many serve the same files: what a cluster may be asked for at one time is divided among them.
    """

    trusted_hops: int = 0
    paths: PathNormalisation = PathNormalisation.BASE
    proxy_protocol: ProxyProtocolRules = field(default_factory=ProxyProtocolRules)
    place: Place = field(default_factory=Place)
    dns_servers: tuple[TCPAddress, ...] = ()
    limits: Limits = field(default_factory=Limits)
    overload: OverloadLimits = field(default_factory=OverloadLimits)
    shadow_hosts: bool = False
    http_filters: tuple[IHTTPFilterFactory, ...] = ()
    debug_from: tuple[Network, ...] = ()
    recent_requests: int = 0
    redacted: frozenset[bytes] = frozenset()
    leave: float = LEAVE
    drain: float = DRAIN
    drain_delay: float = 0.0
    upgrade_drain: float = UPGRADE_DRAIN
    processes: int = 1
    key_authorities: bytes = field(default=b"", repr=False)
    metrics: MetricsOptions = field(default_factory=MetricsOptions)
