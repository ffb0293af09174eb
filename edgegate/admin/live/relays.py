"""Relays for whoever looks: how they end, what they carry, and how many are under way."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from time import monotonic
from typing import NamedTuple

from edgegate.admin import views
from edgegate.admin.live.site_map import relayed_domain
from edgegate.errors import response_flags
from edgegate.net.addresses import ConnectionInfo
from edgegate.observe.events import RelayEnd
from edgegate.observe.live.names import host_id, listener_id, route_id
from edgegate.observe.live.tally import Tally
from edgegate.observe.live.window import Batch, Key
from edgegate.routing.snapshot import Listener
from edgegate.tcp.gateway import Relay
from edgegate.tcp.routes import route_of

_STEP = 50
"""Relays that are looked at in a step: some tens of microseconds."""

_MOST_LISTENERS = 256
"""Whose names are remembered, those of Snapshots that were served before among them."""

_Names = tuple[str, str, str]
"""Of a listener, a host and a route; see L{edgegate.observe.live.names}."""


class _Seen(NamedTuple):
    """A relay as it was seen last, with what it had carried."""

    end: RelayEnd
    names: _Names
    received: int
    sent: int


class LiveRelays:
    """
    Counts them; an C{edgegate.observe.observer.Observer} that is told of each that ends.

    Bytes are counted from when it began to look: those of the relays that are under way then are not looked for.

    @ivar under_way: How many there were at the last look, by the id of their host, and by that of their route.
    """

    def __init__(self, relays: Collection[Relay]) -> None:
        """
        @param relays: Those under way, as they come and go.
        """
        self._relays = relays
        self._began = monotonic()
        self._seen: dict[int, _Seen] = {}
        self._to_see: dict[int, _Seen] = {}
        self._tallies: dict[Key, Tally] = {}
        self._chains: dict[int, tuple[Listener, dict[int, list[str]]]] = {}
        self.under_way: dict[str, int] = {}

    def relay_ended(self, relay: RelayEnd) -> None:
        """A relay ended."""
        seen = self._seen.pop(id(relay), None) or self._to_see.pop(id(relay), None)
        if seen is None:
            seen = self._new(relay, relay.received, relay.sent)
        tally = self._count(seen, relay.received, relay.sent)
        tally.count_relay(relay.fault)
        if relay.fault is not None:
            tally.count_flags(response_flags(relay.fault))

    def look(self) -> Iterator[None]:
        """Count what relays that are under way have carried since the look before, in steps."""
        under_way: dict[str, int] = {}
        # what is left there in the end is of relays that became others
        self._to_see, self._seen = self._seen, {}
        for number, relay in enumerate(tuple(self._relays)):
            if number % _STEP == _STEP - 1:
                yield
            if relay not in self._relays:
                continue  # it has ended meanwhile
            end = relay.end
            received, sent = relay.moved()
            seen = self._to_see.pop(id(end), None) or self._new(end, received, sent)
            if received != seen.received or sent != seen.sent:
                self._count(seen, received, sent)
            self._seen[id(end)] = seen._replace(received=received, sent=sent)
            for name in seen.names[1:]:
                under_way[name] = under_way.get(name, 0) + 1
        self.under_way, self._to_see = under_way, {}

    def drain(self) -> Batch:
        """Return what was counted since the last time."""
        tallies, self._tallies = self._tallies, {}
        return [(key, tally.told()) for key, tally in tallies.items()]

    def _count(self, seen: _Seen, received: int, sent: int) -> Tally:
        """Count what a relay has carried since it was seen last; return where."""
        end = seen.end
        key = (*seen.names, end.cluster, "" if end.upstream is None else str(end.upstream))
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        tally.count_bytes(received - seen.received, sent - seen.sent)
        return tally

    def _new(self, end: RelayEnd, received: int, sent: int) -> _Seen:
        """Return what is to be remembered of a relay that was not seen before, and has carried this so far."""
        connection = end.connection
        assert isinstance(connection, ConnectionInfo)
        names = self._names_of(connection)
        if connection.since < self._began:
            return _Seen(end, names, received, sent)
        return _Seen(end, names, 0, 0)

    def _names_of(self, connection: ConnectionInfo) -> _Names:
        listener, chain = connection.listener, connection.chain
        known = self._chains.get(id(listener))
        if known is None or known[0] is not listener:
            if len(self._chains) >= _MOST_LISTENERS:
                self._chains.clear()
            known = (listener, {id(each): names for each, names in views.chains(listener)})
            self._chains[id(listener)] = known
        host = host_id(listener, chain, relayed_domain(chain, known[1].get(id(chain), [])))
        taken = route_of(connection)
        place = next((place for place, route in enumerate(chain.tcp or ()) if route is taken), None)
        return listener_id(listener), host, route_id(host, place)
