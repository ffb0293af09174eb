"""Tests of L{edgegate.observe.live.window}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.observe.live.tally import Tally
from edgegate.observe.live.window import HALF, NOTHING, Key, Window, figures

KEY: Key = ("listener", "host", "route", "cluster", "endpoint")


def tally(requests: int = 1, status: int = 200) -> Tally:
    """Return some requests of a millisecond."""
    made = Tally()
    for _ in range(requests):
        made.count(1000, 1, status, CONNECT_REFUSED if status == 503 else None)
    return made


class WindowTests(SynchronousTestCase):
    """The last seconds."""

    def count(self, window: Window) -> int:
        """Return how many requests there are in it."""
        return sum(each.requests for _, each in window.items())

    def test_moves(self) -> None:
        """It is as long as it was filled at first, and then of one half to two."""
        window = Window(100.0)
        self.assertEqual(window.seconds, 0.0)
        seen = []
        for second in range(1, 21):
            window.begin_half()
            window.add([(KEY, tally().told())])
            window.move(100.0 + second)
            seen.append(window.seconds)
            # one request in each second
            self.assertEqual(self.count(window), round(window.seconds))
        self.assertEqual(seen[:5], [1.0, 2.0, 3.0, 4.0, 5.0])
        self.assertEqual((min(seen[5:]), max(seen)), (HALF + 1, HALF * 2))

    def test_adds(self) -> None:
        """What several processes have counted of one thing adds up."""
        window = Window(0.0)
        window.add([(KEY, tally(2).told())])
        window.add([(KEY, tally(3).told())])
        ((key, found),) = window.items()
        self.assertEqual((key, found.requests), (KEY, 5))


class FiguresTests(SynchronousTestCase):
    """Rates, shares and latencies."""

    def test_figures(self) -> None:
        """They are of a second, of one, and in milliseconds."""
        both = tally(3)
        both.add(tally(1, 503))
        both.count_flags(["UF"])
        found = figures(both, 2.0)
        self.assertEqual((found["rps"], found["errors"], found["error_share"]), (2.0, 0.5, 0.25))
        self.assertEqual((found["client_share"], found["flags"]), (0.0, {"UF": 0.5}))
        self.assertEqual((found["p50"], found["p99"], found["backend_p95"]), (1.01, 1.01, 1.01))
        self.assertEqual(set(found), set(NOTHING))

    def test_relays(self) -> None:
        """Relays have shares of their own kind, and bytes a second."""
        relays = Tally()
        relays.count_relay(None)
        relays.count_relay(CONNECT_REFUSED)
        relays.count_bytes(100, 301)
        found = figures(relays, 2.0)
        self.assertEqual((found["rps"], found["relays"], found["error_share"], found["p50"]), (0.0, 1.0, 0.5, None))
        self.assertEqual((found["received"], found["sent"]), (50, 150))

    def test_nothing(self) -> None:
        """Of nothing there is no share and no latency."""
        for found in (figures(None, 5.0), figures(tally(), 0.0)):
            self.assertEqual(found, NOTHING)
        self.assertIsNone(figures(Tally(), 5.0)["error_share"])
