"""Tests of L{edgegate.workers.messages}."""

from __future__ import annotations

import dataclasses

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.parts import MapPart
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.origin import Origin
from edgegate.net.channel import Channel, pair
from edgegate.observe.metrics.families import LISTENER_GAUGES, OWN
from edgegate.observe.metrics.meters import Meters
from edgegate.observe.tap import TapFilter
from edgegate.server.first_certificates import Awaited
from edgegate.workers import messages
from edgegate.workers.messages import (
    Accept,
    Adopt,
    Awaits,
    BeginLive,
    BeginTap,
    CounterBatch,
    Died,
    Drain,
    End,
    EndLive,
    EndTap,
    Failed,
    FilesRead,
    Fork,
    Forked,
    GaugeRows,
    LivePart,
    Load,
    LogEvent,
    LogTo,
    Measure,
    Opening,
    Ready,
    Renew,
    Retire,
    ShedPrivileges,
    Show,
    TappedRequest,
    Unchanged,
    ViewRows,
)

ORIGIN = Origin("shop.yaml", 5, "Gateway default/gw")
PORT, PATH = TCPAddress("::", 443), UNIXAddress("/run/edge")


def counted() -> CounterBatch:
    """Return what was counted once."""
    meters = Meters()
    meters.count(OWN, ())
    return CounterBatch(meters.drain())


ALL = (
    Load(("--config", "etc")),
    Renew(True),
    ShedPrivileges(1, 2),
    Adopt((PORT, PATH), frozenset((PORT,))),
    Fork(3, (3, 4)),
    End(),
    Opening(PORT, 443, ORIGIN),
    Unchanged(),
    Forked(3, 77),
    Died(3, 77, 9),
    LogTo(),
    Accept(),
    Retire((PATH,)),
    Drain(2.5),
    Show(1, "listeners"),
    Measure(2),
    BeginTap(3, TapFilter(path="/cart", redacted=frozenset((b"x-key",)))),
    EndTap(3),
    BeginLive(4, True),
    EndLive(4),
    Ready((("info", "serving"),), (Awaited("a.example.com", "n/ca", 60.0, "a.yaml:1"),)),
    Awaits(()),
    Failed("no", ORIGIN),
    LogEvent("error", "edgegate", "it failed\n  here"),
    ViewRows(1, [{"bind": "[::]:443"}]),
    counted(),
    GaugeRows(2, [(LISTENER_GAUGES.name, ("[::]:443",), (1,))], True),
    TappedRequest(3, {"path": "/cart"}, 1),
    LivePart(4, MapPart([("hosts", {"host": "a.example"})], True, False)),
)


class MessagesTests(SynchronousTestCase):
    """What goes over a channel."""

    def test_told(self) -> None:
        """Each is heard as it was told."""
        ours, theirs = map(Channel, pair())
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        for each in ALL:
            ours.send(each)
            (received,) = theirs.receive()
            self.assertEqual(received.value, each)
        problems = Problems()
        problems.add(Problem("shop.yaml", 5, 1, Severity.WARNING, "spec", "odd"))
        ours.send(FilesRead(True, problems, ("changed",), (Opening(PORT, 443, ORIGIN),)))
        (received,) = theirs.receive()
        assert isinstance(received.value, FilesRead)
        self.assertEqual(list(received.value.problems), list(problems))

    def test_all(self) -> None:
        """None is left out here; none can be changed once it was told."""
        known = {each for each in vars(messages).values() if getattr(each, "__module__", "") == messages.__name__}
        self.assertEqual({type(each) for each in ALL} | {FilesRead}, known)
        for each in known:
            self.assertTrue(each.__dataclass_params__.frozen, each)  # type: ignore[attr-defined]
            self.assertTrue(dataclasses.is_dataclass(each))
