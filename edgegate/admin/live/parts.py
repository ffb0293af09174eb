"""What a process tells of itself while somebody looks, in parts that are small enough for a turn of the loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from edgegate.observe.live.examples import Told
from edgegate.observe.live.window import Batch

Row = dict[str, Any]
"""A row of a table, as JSON has it; each has an C{id}."""

TABLES: Final = ("listeners", "hosts", "routes", "clusters", "endpoints")
"""The tables that have figures."""

CERTIFICATES: Final = "certificates"


@dataclass(frozen=True, slots=True)
class MapPart:
    """
    A part of what the files say: what there is of listeners, hosts, routes, clusters and certificates.

    @ivar rows: With the names of their tables.
    @ivar first: Whether it is another map than what was told before.
    @ivar last: Whether the map is whole with it.
    """

    rows: list[tuple[str, Row]]
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class EndpointNow:
    """
    An endpoint, as one process sees it.

    @ivar connections: That are open.
    @ivar failures: Connections that could not be made, ever.
    @ivar requests: That were sent to it, ever.
    """

    cluster: str
    address: str
    unhealthy: bool
    ejected: bool
    ejections: int
    active: int
    connections: int
    failures: int
    requests: int
    weight: int
    locality: str


@dataclass(frozen=True, slots=True)
class ClusterNow:
    """
    A cluster, as one process sees it.

    @ivar pending: Requests that wait for a connection.
    @ivar full: Which of its limits leave no room.
    """

    name: str
    pending: int
    full: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProcessNow:
    """
    A process that serves.

    @ivar number: What its row calls it; one of older files may have the same.
    @ivar lag: Milliseconds of the longest turn of its loop of late.
    @ivar memory: Bytes that it has for itself.
    @ivar limits: The name, how much there is, how much there may be (L{None}: there is no limit), and how often it was
        met.
    """

    number: int
    pid: int
    connections: int
    active: int
    lag: int
    memory: int
    limits: tuple[tuple[str, int, int | None, int], ...]


@dataclass(frozen=True, slots=True)
class NowPart:
    """
    A part of what happens: of endpoints and clusters those that are others than before.

    @ivar requests: What was counted of requests and of relays since the part before.
    @ivar gone: Endpoints that are no more: cluster and address.
    @ivar relays: Hosts and routes that have another number of relays under way than before, with that.
    @ivar process: Comes with the last part of a round, else L{None}.
    """

    requests: Batch = field(default_factory=list)
    endpoints: list[EndpointNow] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)
    clusters: list[ClusterNow] = field(default_factory=list)
    examples: list[Told] = field(default_factory=list)
    relays: list[tuple[str, int]] = field(default_factory=list)
    process: ProcessNow | None = None


Part = MapPart | NowPart
