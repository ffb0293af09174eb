"""Tests of L{edgegate.overload_options}."""

from __future__ import annotations

from math import inf

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from edgegate.overload.limits import NO_LIMIT, OverloadLimits
from edgegate.twistd_options import Options


def overload(*arguments: str) -> OverloadLimits:
    """Read options."""
    options = Options()
    options.parseOptions(["--config", "etc", *arguments])
    found: OverloadLimits = options["overload"]
    return found


class OverloadOptionsTests(SynchronousTestCase):
    """How much there may be."""

    def test_defaults(self) -> None:
        """Nothing is said."""
        self.assertEqual(overload(), OverloadLimits())

    def test_connections(self) -> None:
        """Connections are limited in all, by port and by client, and handshakes."""
        found = overload("--max-connections=500", "--max-connections-per-listener=200", "--max-handshakes=20")
        self.assertEqual(found, OverloadLimits(500, 200, handshakes=20))
        self.assertEqual(overload("--max-connections-per-client=20").client_connections, 20)
        self.assertEqual(overload("--max-connections-per-client=none").client_connections, NO_LIMIT)

    def test_requests(self) -> None:
        """Requests are limited in all, and those of a connection, and the loop's lag and a connection's age."""
        found = overload("--max-requests=7", "--max-connection-requests=5", "--max-lag=2s", "--max-connection-age=1.5h")
        self.assertEqual((found.requests, found.connection_requests, found.lag), (7, 5, 2.0))
        self.assertEqual(found.connection_seconds, 5400.0)
        found = overload("--max-requests=none", "--max-connection-requests=none", "--max-lag=none")
        self.assertEqual((found.requests, found.connection_requests, found.lag), (NO_LIMIT, NO_LIMIT, inf))

    def test_requests_of_a_client(self) -> None:
        """So are those of a client, or not at all."""
        self.assertEqual(overload("--max-requests-per-client=7").client_requests, 7)
        self.assertEqual(overload("--max-requests-per-client=none").client_requests, NO_LIMIT)

    def test_durations(self) -> None:
        """A request may take so long in all, and a call of gRPC; any time where nothing is said."""
        found = overload("--max-request-duration=5m", "--max-grpc-duration=1h")
        self.assertEqual((found.request_seconds, found.grpc_seconds), (300.0, 3600.0))
        self.assertEqual((overload().request_seconds, overload().grpc_seconds), (inf, inf))

    def test_buffers(self) -> None:
        """Bytes that wait are limited."""
        self.assertEqual(overload("--max-buffer-bytes=1MiB").buffer_bytes, 1 << 20)
        self.assertEqual(overload("--max-buffer-bytes=none").buffer_bytes, NO_LIMIT)

    def test_refused(self) -> None:
        """What can't be understood is said with the option's name."""
        for arguments, words in (
            ("--max-connections=0", "--max-connections: expected a number such as 1000, got '0'"),
            ("--max-connections=none", "--max-connections: expected a number such as 1000, got 'none'"),
            (
                "--max-connections-per-client=-1",
                "--max-connections-per-client: expected a number such as 1000, or",
            ),
            ("--max-connections-per-listener=9k", "--max-connections-per-listener: expected a number such as"),
            ("--max-buffer-bytes=x", "--max-buffer-bytes: expected a number of bytes such as"),
            ("--max-buffer-bytes=0", "--max-buffer-bytes is more than 0"),
            ("--max-lag=5d", "--max-lag: expected a time such as 500ms, 30s or 5m, got '5d', or none"),
            ("--max-request-duration=0", "--max-request-duration is more than 0"),
            ("--max-grpc-duration=x", "--max-grpc-duration: expected a time such as"),
            ("--max-connection-age=0s", "--max-connection-age is more than 0"),
            ("--max-requests-per-client=0", "--max-requests-per-client: expected a number such as 1000, or none"),
            ("--max-requests=", "--max-requests: expected a number such as 1000, or none, got ''"),
            ("--max-handshakes=1e3", "--max-handshakes: expected a number such as 1000, got '1e3'"),
        ):
            error = self.assertRaises(UsageError, overload, arguments)
            self.assertIn(words, str(error))
