# Hot path: gets each request its stream.
"""
The one way to a stream to an endpoint, for whoever asks: an idle one, or a connection, within the cluster's limits.

What is found at once is returned; a L{PendingStream} stands for what is not
there yet, and tells its L{StreamSink}.
"""

from __future__ import annotations

from edgegate.errors import Fault
from edgegate.net.connection_options import ConnectionOptions
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pending_stream import Connector, PendingStream, StreamSink
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.shared_stream import PendingSharedStream


def new_stream(
    sink: StreamSink,
    cluster: ClusterState,
    endpoint: EndpointState,
    options: ConnectionOptions | None,
    connector: Connector,
    fresh: bool = False,
    waits: bool = True,
    shares: bool = False,
) -> PooledStream | PendingStream | Fault:
    """
    Get a stream to an endpoint.

    @param options: How a connection for the request begins; only such a one will do.
    @param fresh: Whether it has to be a new connection.
    @param waits: Whether the request is worth waiting for where the cluster's limits have no room.
    @param shares: Whether on a connection that carries other requests at the same time.
    @return: A stream that is idle; or what will tell the sink of one; or why there is none.
    """
    pool = endpoint.pool
    key = None if options is None else options.key
    shared = pool.sharing() if shares else None
    if not fresh:
        if shared is not None:
            stream = shared.take(key)
            if stream is not None:
                return stream
        if shared is None or shared.refused:
            stream = pool.take(key)
            while stream is not None and endpoint.limits.connection_duration is not None and stream.worn:
                stream.close()
                stream = pool.take(key)
            if stream is not None:
                return stream
    pending: PendingStream
    if shared is None:
        pending = PendingStream(sink, cluster, endpoint, options, connector)
    else:
        pending = PendingSharedStream(sink, cluster, endpoint, options, connector)
    return pending.begin() if waits else pending.connect()
