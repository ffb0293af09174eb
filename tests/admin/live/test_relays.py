"""Tests of L{edgegate.admin.live.relays}."""

from __future__ import annotations

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.relays import LiveRelays
from edgegate.errors import CONNECT_REFUSED, Fault
from edgegate.model.addresses import TCPAddress
from edgegate.net.addresses import ConnectionInfo
from edgegate.observe.events import RelayEnd
from edgegate.observe.live.window import Batch
from edgegate.tcp.gateway import Relay
from tests.tcp.test_routes import downstream, route

LISTENER = "0.0.0.0:31400"
HOST = f"{LISTENER}|echo|"
CLUSTER = "outbound|7||echo"
BACKEND = TCPAddress("10.0.0.1", 7)


class Carrying:
    """A relay under way that has carried so much."""

    def __init__(self, connection: ConnectionInfo) -> None:
        self.downstream = connection
        self.end = RelayEnd(connection, cluster=CLUSTER, upstream=BACKEND)
        self.carried = (0, 0)

    def abort(self) -> None:
        """Not here."""
        raise NotImplementedError

    def moved(self) -> tuple[int, int]:
        """Return what was carried."""
        return self.carried


class RelaysTests(SynchronousTestCase):
    """A chain with two routes, one of which takes a name."""

    def setUp(self) -> None:
        """Have a relay from before anybody looks, which has carried much."""
        self.routes = (route("named", ("a.example",)), route("echo"))
        self.under_way: set[Relay] = set()
        self.old = self.began()
        self.old.carried = (1000, 2000)
        self.live = LiveRelays(self.under_way)

    def began(self, name: str = "") -> Carrying:
        """A relay begins."""
        relay = Carrying(downstream(*self.routes, server_name=name))
        self.under_way.add(relay)
        return relay

    def ended(self, relay: Carrying, fault: Fault | None = None) -> None:
        """A relay ends."""
        self.under_way.discard(relay)
        relay.end.received, relay.end.sent = relay.carried
        relay.end.fault = fault
        self.live.relay_ended(relay.end)

    def look(self) -> Batch:
        """Look, and return what was counted."""
        for _ in self.live.look():
            pass
        return self.live.drain()

    def counted(self) -> dict[str, tuple[int, int, int]]:
        """Return of each route: relays that ended, and bytes from and to clients."""
        return {key[2]: cast("tuple[int, int, int]", told[6:9]) for key, told in self.look()}

    def test_carried(self) -> None:
        """Bytes count as they pass, by the route, those from before somebody looked not."""
        new, named = self.began(), self.began("a.example")
        new.carried, named.carried = (10, 20), (1, 2)
        ((first, _), (second, _)) = self.look()
        self.assertEqual(first[:2], (LISTENER, HOST))
        self.assertEqual(first[3:], (CLUSTER, str(BACKEND)))
        self.assertEqual({first[2], second[2]}, {f"{HOST}|0", f"{HOST}|1"})
        self.old.carried = (1005, 2000)
        new.carried = (10, 27)
        self.assertEqual(self.counted(), {f"{HOST}|1": (0, 5, 7)})
        self.assertEqual(self.counted(), {})
        self.assertEqual(self.live.under_way, {HOST: 3, f"{HOST}|0": 1, f"{HOST}|1": 2})

    def test_ended(self) -> None:
        """A relay counts once when it ends, with what it has carried since it was looked at, and why it failed."""
        new = self.began()
        new.carried = (10, 20)
        self.look()
        new.carried = (11, 22)
        self.ended(new, CONNECT_REFUSED)
        self.ended(self.old)
        ((key, told),) = self.look()
        self.assertEqual(key[2], f"{HOST}|1")
        requests, failures, clients, flags, slots, _, relays, received, sent = told
        self.assertEqual((requests, failures, clients, flags, slots), (0, 1, 0, {"UF": 1}, {}))
        self.assertEqual((relays, received, sent), (2, 1, 2))
        self.assertEqual(self.live.under_way, {})

    def test_ended_unseen(self) -> None:
        """One that came and went between two looks counts whole."""
        new = self.began()
        new.carried = (10, 20)
        self.ended(new)
        self.assertEqual(self.counted(), {f"{HOST}|1": (1, 10, 20)})

    def test_ended_while_looked_at(self) -> None:
        """One that ends in the middle of a look counts once."""
        self.look()
        many = [self.began() for _ in range(200)]
        for relay in many:
            relay.carried = (1, 1)
        steps = self.live.look()
        next(steps)
        for relay in [*many, self.old]:
            self.ended(relay)
        for _ in steps:
            pass
        self.assertEqual(self.counted(), {f"{HOST}|1": (201, 200, 200)})

    def test_no_route(self) -> None:
        """What no route takes counts for its host."""
        self.routes = self.routes[:1]
        self.began("b.example").carried = (1, 0)
        self.assertEqual([key[2] for key, _ in self.look()], [f"{HOST}|-"])
