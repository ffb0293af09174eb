"""A real authority that speaks ACME, for tests that need one: Debian's pebble, with its server of names."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.request
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.acceptance.processes import ENVIRONMENT, PATIENCE, AcceptanceTestCase, Running, program, wait_until


class Pebble:
    """
    An authority to which all names lead to this machine. It knows half of the nonces that it has given no more.

    @ivar url: Of its directory.
    @ivar ca: The file with the certificate by which it is trusted itself.
    """

    def __init__(
        self,
        case: AcceptanceTestCase,
        http: int,
        ports: Sequence[int],
        tls: int = 0,
        *,
        days: float = 90,
        names: str = "",
    ) -> None:
        """
        @param http: The port at which it asks for challenges, in place of 80.
        @param ports: Four that are free.
        @param tls: The port at which it asks for TLS-ALPN-01, in place of 443.
        @param days: The life of its certificates.
        @param names: C{HOST:PORT} of the name server that it asks; empty: its own.
        """
        self._case = case
        program("pebble"), program("pebble-challtestsrv")
        folder = case.folder / "pebble"
        folder.mkdir()
        made = case.ask("edgegate", "certs", "--dir", str(folder), "localhost")
        assert made.returncode == 0, made.stderr
        self._acme, self._management, dns, dns_management = ports
        self._settings: dict[str, object] = {
            "listenAddress": f"127.0.0.1:{self._acme}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(folder / "localhost.crt"),
            "privateKey": str(folder / "localhost.key"),
            "httpPort": http,
            "tlsPort": tls or http,
        }
        self._config = folder / "pebble.json"
        self._dns = names or f"127.0.0.1:{dns}"
        if not names:
            unused = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]
            server = case.start(
                "pebble-challtestsrv", "-dns01", self._dns, "-management", f"127.0.0.1:{dns_management}", *unused
            )
            server.says("Starting management server")
        self.url = f"https://localhost:{self._acme}/dir"
        self.ca = folder / "ca.crt"
        self.start(days)

    def start(self, days: float = 90) -> None:
        """
        Start it, after the first time with nothing in it.

        @param days: The life of its certificates.
        """
        settings = {**self._settings, "certificateValidityPeriod": round(days * 86400)}
        self._config.write_text(json.dumps({"pebble": settings}))
        environment = ["PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=50", f"PATH={ENVIRONMENT['PATH']}"]
        command = ["env", *environment, program("pebble"), "-config", str(self._config), "-dnsserver", self._dns]
        self.running: Running = self._case.start(*command)
        self.running.says("ACME directory available")
        # which it says before it listens
        for port in (self._acme, self._management):
            wait_until(partial(_open, port), partial(str.format, "pebble does not listen at {}", port))

    def root(self) -> Path:
        """Return a file with the certificate by which what it issues is trusted."""
        path = self._case.folder / f"root-{self.running.process.pid}.crt"
        path.write_bytes(self._told("roots/0"))
        return path

    def status(self, serial: str) -> str:
        """Return what it holds of a certificate: C{Valid} or C{Revoked}."""
        return str(json.loads(self._told(f"cert-status-by-serial/{serial.lower()}"))["Status"])

    def _told(self, path: str) -> bytes:
        context = ssl.create_default_context(cafile=str(self.ca))
        url = f"https://localhost:{self._management}/{path}"
        with urllib.request.urlopen(url, context=context, timeout=PATIENCE) as answer:
            return bytes(answer.read())

    @property
    def issued(self) -> list[str]:
        """The serial numbers of what it has issued so far."""
        return [line.rpartition("serial ")[2].split()[0] for line in self.running.lines if "Issued certificate" in line]


def _open(port: int) -> bool:
    """Whether something listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
