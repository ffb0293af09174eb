# Hot path: told of each request, while somebody looks.
"""Counts requests for whoever looks at the moment; an C{edgegate.observe.observer.Observer} for as long."""

from __future__ import annotations

from time import monotonic

from edgegate.errors import response_flags
from edgegate.http.examples import SLOW, SWITCHED, Examples, host_of, key_of
from edgegate.http.exchange import Exchange
from edgegate.model.addresses import Address
from edgegate.observe.events import Ended
from edgegate.observe.live.examples import RouteExamples
from edgegate.observe.live.tally import Tally
from edgegate.observe.live.window import Batch, Key

_Place = tuple[int, int, int, int, str, Address | None]


class _Counted:
    """One tally, and what it is of: held here, so that no other value comes to have its identity meanwhile."""

    __slots__ = ("examples", "held", "key", "tally")

    def __init__(self, key: Key, examples: RouteExamples, held: tuple[object, ...]) -> None:
        self.key = key
        self.examples = examples
        self.held = held
        self.tally = Tally()


class LiveRequests:
    """Counts them by where they went."""

    __slots__ = ("_counted", "_examples")

    def __init__(self, examples: Examples) -> None:
        """
        @param examples: Keep the slowest.
        """
        self._counted: dict[_Place, _Counted] = {}
        self._examples = examples

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        assert isinstance(exchange, Exchange)
        chain, host = host_of(exchange)
        route, listener = exchange.route, exchange.connection.listener
        # whatever is None has the same identity
        place = (id(listener), id(chain), id(host), id(route), exchange.cluster, exchange.upstream)
        counted = self._counted.get(place)
        if counted is None:
            key = key_of(exchange, chain, host)
            counted = _Counted(key, self._examples.of(key[2]), (listener, chain, host, route))
            self._counted[place] = counted
        tally, status, fault = counted.tally, exchange.status, exchange.fault
        milliseconds = (monotonic() - exchange.started) * 1000
        # a tunnel lasts as long as its ends like: that is no latency
        microseconds = -1 if status == SWITCHED else int(milliseconds * 1000)
        tally.count(microseconds, exchange.upstream_time, status, fault)
        if fault is not None or exchange.flags:
            tally.count_flags(response_flags(fault, exchange.flags))
        # slower ones are kept, be it that nobody looks
        if counted.examples.bar < milliseconds < SLOW and status != SWITCHED:
            self._examples.keep_slow(counted.examples, exchange, milliseconds)

    def drain(self) -> Batch:
        """Return what was counted since the last time."""
        counted, self._counted = self._counted, {}
        batch: Batch = []
        for place, each in counted.items():
            if each.tally.requests:
                batch.append((each.key, each.tally.told()))
                each.tally = Tally()
                # which may have been forgotten, by a reload or for others
                each.examples = self._examples.of(each.key[2])
                # where a route is among many is not looked for again as long as it is asked for
                self._counted[place] = each
        return batch
