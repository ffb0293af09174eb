"""Endpoints for tests of those who choose among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from twisted.internet.task import Clock

from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Endpoint
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.balancing import Chooser
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pool import Pool

WHEEL = TimerWheel(Clock())


def members(*weights: int) -> list[EndpointState]:
    """Return an endpoint for each weight: 10.0.0.1:80 and so on."""
    return [member(number, weight) for number, weight in enumerate(weights, 1)]


def member(number: int, weight: int = 1, locality: str = "", labels: Iterable[tuple[str, str]] = ()) -> EndpointState:
    """Return one of many endpoints."""
    address = TCPAddress(f"10.0.{number >> 8}.{number & 255}", 80)
    said = Endpoint(address, weight, locality=locality, labels=tuple(labels))
    return EndpointState(address, Pool(WHEEL), weight, "web", said)


def taken(chooser: Chooser, count: int) -> Counter[EndpointState]:
    """Choose so many times without a key."""
    return Counter(chooser.choose(None) for _ in range(count))
