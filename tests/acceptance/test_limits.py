"""Clusters that can be asked for so much only, through the real gateway: what overflows, and what goes on."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import Client, ServedTestCase
from tests.acceptance.test_balancing import service

ASKED = 8
FILES = GATEWAY + "".join(
    (
        service("waits", "{connectionPool: {tcp: {maxConnections: 1}}}", "slow"),
        service("full", "{connectionPool: {tcp: {maxConnections: 2}, http: {http1MaxPendingRequests: 1}}}", "slow"),
        service("busy", "{connectionPool: {http: {http2MaxRequests: 3}}}", "slow"),
        service("free", "{connectionPool: {tcp: {maxConnections: 1}}}", "fast"),
    )
)


class LimitTests(ServedTestCase):
    """Backends that take a while."""

    files = {"shop.yaml": FILES}
    opened = {"slow": "delay=0.3", "fast": ""}

    def at_once(self, host: str) -> tuple[Counter[str], float]:
        """Ask with several clients at the same time; return who answered, and the longest that it took."""

        def ask(number: int) -> tuple[str, float]:
            client = Client(self.served.ports["http"])
            try:
                answer = client.ask("GET", f"/{host}/{number}", f"{host}.example")
                return answer.where, answer.seconds
            finally:
                client.close()

        with ThreadPoolExecutor(ASKED) as clients:
            found = list(clients.map(ask, range(ASKED)))
        return Counter(where for where, _ in found), max(seconds for _, seconds in found)

    def test_waiting(self) -> None:
        """Requests over the number of connections are answered one after the other."""
        found, longest = self.at_once("waits")
        self.assertEqual(found, {"slow": ASKED})
        self.assertGreater(longest, 0.3 * (ASKED - 1))

    def test_overflow(self) -> None:
        """More than may wait are refused at once with UO, and everybody else is served, then and afterwards."""
        found, _ = self.at_once("full")
        self.assertEqual(set(found), {"slow", "503"})
        self.assertGreater(found["slow"], 0)
        flags = Counter(self.logged(f"/full/{number}")["response_flags"] for number in range(ASKED))
        self.assertEqual(flags, {None: found["slow"], "UO": found["503"]})
        again, _ = self.at_once("free")
        self.assertEqual(again, {"fast": ASKED})
        client = Client(self.served.ports["http"])
        self.addCleanup(client.close)
        self.assertEqual(client.ask("GET", "/", "full.example").where, "slow")

    def test_requests(self) -> None:
        """So are requests over the number that may be under way."""
        found, _ = self.at_once("busy")
        self.assertEqual(found, {"slow": 3, "503": ASKED - 3})
