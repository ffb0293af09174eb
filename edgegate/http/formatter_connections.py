"""What the command operators that ask for the connections of both sides, and their addresses, stand for."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network

from edgegate.http.formatter_context import Meaning, Message, StreamInfo
from edgegate.model.addresses import TCPAddress

_Find = Callable[[StreamInfo, Message], object]


def _peer(exchange: StreamInfo, message: Message) -> object:
    return exchange.connection.introducer or exchange.connection.peer


def _local(exchange: StreamInfo, message: Message) -> object:
    return exchange.connection.local


def _client(exchange: StreamInfo, message: Message) -> object:
    """The client by the trusted hops, whose port nobody knows; the connection's where they tell nothing else."""
    peer = exchange.connection.peer
    client = exchange.client_address.decode("latin-1")
    return peer if not isinstance(peer, TCPAddress) or client == peer.host else TCPAddress(client, 0)


def _endpoint(exchange: StreamInfo, message: Message) -> object:
    """The backend that was chosen, whether it could be reached or not; none before that."""
    return exchange.upstream if message.answer is not None else None


def _backend(exchange: StreamInfo, message: Message) -> object:
    return exchange.upstream if message.backend is not None else None


def _own(exchange: StreamInfo, message: Message) -> object:
    return exchange.upstream_local if message.backend is not None else None


def _address(find: _Find) -> Meaning:
    def meaning(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        address = find(exchange, message)
        return b"" if address is None else str(address).encode()

    return meaning


def _host(find: _Find) -> Meaning:
    def meaning(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        """With an argument the network of so many bits that the host is in."""
        address = find(exchange, message)
        if not isinstance(address, TCPAddress):
            return b"" if address is None else str(address).encode()
        if not argument:
            return address.host.encode()
        try:
            return ip_network((address.host, int(argument)), strict=False).with_prefixlen.encode()
        except ValueError:
            return b""

    return meaning


def _port(find: _Find) -> Meaning:
    def meaning(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        address = find(exchange, message)
        return b"%d" % address.port if isinstance(address, TCPAddress) else b""

    return meaning


def _listener_port(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """The port's number as the files name it."""
    return b"%d" % exchange.port


def _connection_number(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return b"%d" % int(exchange.connection.since * 1e6)


def _server_name(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """C{%REQUESTED_SERVER_NAME(SNI_FIRST)%}: the name in the ClientHello, or the request's host."""
    names = [exchange.connection.server_name, exchange.head.host]
    option = argument.partition(":")[0]
    if option == "HOST_FIRST":
        names.reverse()
    elif option != "SNI_FIRST":
        names.pop()
    return next((name for name in names if name), "").encode()


def _chain_name(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    connection = exchange.connection
    return connection.chain.name.encode() if connection.tls else b""


def _failure(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """Why there was no connection to a backend."""
    fault = exchange.fault
    return fault.reason.replace(" ", "_").encode() if fault is not None and fault.unconnected else b""


def _upstream_protocol(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    if message.backend is None or exchange.upstream is None:
        return b""
    return b"HTTP/2" if message.backend.shared else b"HTTP/1.1"


_ADDRESSES: dict[str, _Find] = {
    "DOWNSTREAM_REMOTE": _client,
    "DOWNSTREAM_DIRECT_REMOTE": _peer,
    "DOWNSTREAM_LOCAL": _local,
    "DOWNSTREAM_DIRECT_LOCAL": _local,
    "UPSTREAM_REMOTE": _backend,
    "UPSTREAM_LOCAL": _own,
}

MEANINGS: dict[str, Meaning] = {
    **{f"{name}_ADDRESS": _address(find) for name, find in _ADDRESSES.items()},
    **{f"{name}_ADDRESS_WITHOUT_PORT": _host(find) for name, find in _ADDRESSES.items()},
    **{f"{name}_PORT": _port(find) for name, find in _ADDRESSES.items()},
    "CONNECTION_ID": _connection_number,
    "DOWNSTREAM_LOCAL_PORT": _listener_port,
    "DOWNSTREAM_DIRECT_LOCAL_PORT": _listener_port,
    "FILTER_CHAIN_NAME": _chain_name,
    "REQUESTED_SERVER_NAME": _server_name,
    "UPSTREAM_HOST": _address(_endpoint),
    "UPSTREAM_HOST_NAME": _address(_endpoint),
    "UPSTREAM_HOST_NAME_WITHOUT_PORT": _host(_endpoint),
    "UPSTREAM_PROTOCOL": _upstream_protocol,
    "UPSTREAM_TRANSPORT_FAILURE_REASON": _failure,
}
"""By the operators' names."""
