"""A gateway whose machine's clock is set while it runs."""

from __future__ import annotations

import re

from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import AcceptanceTestCase, Running, free_ports
from tests.acceptance.served import Client

FILES = (
    GATEWAY
    + EVERY_HOST
    + """\
  - match: [{uri: {exact: /}}]
    directResponse: {status: 200, body: {string: served}}
  - fault:
      delay: {percentage: {value: 100}, fixedDelay: 1s}
      abort: {percentage: {value: 100}, httpStatus: 418}
    route: [{destination: {host: 127.0.0.1, port: {number: 80}}}]
"""
)


class ClockTests(AcceptanceTestCase):
    """The time of day jumps, as when a clock that was wrong is put right."""

    def start_by(self, clock: str) -> Running:
        """Start a gateway whose time of day a file tells."""
        told = self.ask("faketime", "-f", "+0s", "env")
        library = re.search("^LD_PRELOAD=(.*)$", told.stdout, re.MULTILINE)
        assert library is not None, told.stdout + told.stderr
        return self.start(
            "env",
            f"LD_PRELOAD={library[1]}",
            f"FAKETIME_TIMESTAMP_FILE={self.folder / clock}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            *("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--admin=none", "--access-log=-"),
        )

    def test_set(self) -> None:
        """Deadlines, delays and logs go on in time, whether the clock is set back or ahead."""
        (port,) = free_ports(1)
        (self.folder / "etc").mkdir()
        (self.folder / "etc/gw.yaml").write_text(filled(FILES, http=port))
        clock = self.folder / "clock"
        clock.write_text("+0d")
        gateway = self.start_by(clock.name)
        gateway.says("serving HTTP")
        for count, ahead in enumerate(("+0d", "-400d", "+400d"), 1):
            held, other = Client(port), Client(port)
            held.send(b"GET /held HTTP/1.1\r\nhost: a.example\r\n\r\n")
            self.assertEqual(other.ask("GET", "/", "a.example").status, 200)  # so the one before it is held
            clock.write_text(ahead)
            self.assertEqual(held.answer().status, 418)
            held.close(), other.close()
            gateway.says('"GET /held HTTP/1.1" 418', count)
        self.assertEqual(gateway.stop(), 0)
        began = [line[1:5] for line in gateway.lines if '"GET / HTTP/1.1" 200' in line]
        self.assertEqual(len(set(began)), 3, began)  # it was its own clock that was set
