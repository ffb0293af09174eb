"""The order in which the endpoints of a cluster would be tried."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState


def candidates(state: ClusterState, exclude: Collection[EndpointState] = ()) -> Iterator[EndpointState]:
    """Yield whose turn it is, then the others, as one asks for them whose tries fail; not those that are excluded."""
    first = state.next()
    if first is not None:
        yield from (endpoint for endpoint in (first, *state.others((first,))) if endpoint not in exclude)
