"""Tests of L{edgegate.errors}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate import errors
from edgegate.errors import Fault, Source, aborted, body_of, grpc_status_of, response_flags, status_of

FAULTS = {name: value for name, value in vars(errors).items() if isinstance(value, Fault)}


class FaultTests(SynchronousTestCase):
    """What clients and logs are told of failures."""

    def test_status(self) -> None:
        """A route that is unknown is 404, a backend that is down 503, one too slow 504, one that is broken 502."""
        for fault, flag, status in (
            (errors.NO_ROUTE, "NR", 404),
            (errors.NO_CLUSTER, "NC", 503),
            (errors.MISDIRECTED, "NR", 421),
            (errors.NO_HEALTHY_UPSTREAM, "UH", 503),
            (errors.CONNECT_REFUSED, "UF", 503),
            (errors.UPSTREAM_CLOSED, "UC", 503),
            (errors.UPSTREAM_PROTOCOL, "UPE", 502),
            (errors.UPSTREAM_TIMEOUT, "UT", 504),
            (errors.BAD_REQUEST, "DPE", 400),
            (errors.HEAD_TOO_LARGE, "DPE", 431),
            (errors.CLIENT_GONE, "DC", 0),
        ):
            self.assertEqual((fault.flag, status_of(fault)), (flag, status), fault.reason)

    def test_body(self) -> None:
        """The body of a local answer is one short line with the response flag."""
        self.assertEqual(body_of(errors.NO_ROUTE), b"no route (NR)\n")
        for fault in FAULTS.values():
            body = body_of(fault)
            self.assertTrue(body.endswith(f"({fault.flag})\n".encode("ascii")), body)
            self.assertLess(len(body), 80)

    def test_culprit(self) -> None:
        """Clients' faults have status 4xx (or 417, 501, 505, which say what they may not ask), backends' 5xx."""
        for name, fault in FAULTS.items():
            status = status_of(fault)
            if fault.source is Source.DOWNSTREAM:
                self.assertTrue(status == 0 or 400 <= status < 500 or status in {501, 505}, name)
            elif fault.source is Source.UPSTREAM:
                self.assertTrue(500 <= status < 600, name)

    def test_unconnected(self) -> None:
        """Where there was no connection, or TLS came to nothing, the backend can have seen nothing of the request."""
        self.assertEqual(
            {name for name, fault in FAULTS.items() if fault.unconnected},
            {
                *("CONNECT_REFUSED", "CONNECT_TIMEOUT", "CONNECT_FAILED"),
                *("TLS_FAILED", "CERTIFICATE_REFUSED", "CERTIFICATE_MISNAMED"),
            },
        )

    def test_reasons(self) -> None:
        """No two failures are told in the same words."""
        self.assertEqual(len({fault.reason for fault in FAULTS.values()}), len(FAULTS))

    def test_response_flags(self) -> None:
        """The others and the fault's, each once, in the order in which Envoy shows them: that of what happened."""
        for fault, others, flags in (
            (None, "", []),
            (None, "DI", ["DI"]),
            (errors.CONNECT_REFUSED, "", ["UF"]),
            (errors.CONNECT_REFUSED, "URX", ["URX", "UF"]),
            (errors.UPSTREAM_TIMEOUT, "DI,URX", ["DI", "URX", "UT"]),
            (errors.CLIENT_GONE, "DI,UO", ["DI", "UO", "DC"]),
            (aborted(503, None), "DI,FI", ["DI", "FI"]),
            (errors.INTERNAL, "DI", ["DI"]),
        ):
            self.assertEqual(response_flags(fault, others), flags)

    def test_grpc_status(self) -> None:
        """What gRPC clients are told follows from the status, unless it was said."""
        for fault, status in (
            (errors.NO_ROUTE, 12),
            (errors.NO_HEALTHY_UPSTREAM, 14),
            (errors.UPSTREAM_TIMEOUT, 14),
            (errors.BAD_REQUEST, 13),
            (errors.INTERNAL, 2),
            (aborted(429, None), 14),
            (aborted(200, 5), 5),
            (aborted(503, 0), 0),
        ):
            self.assertEqual(grpc_status_of(fault), status)

    def test_aborted(self) -> None:
        """A failure on purpose has the status that the route says."""
        fault = aborted(418, None)
        self.assertEqual((fault.status, fault.flag, fault.source), (418, "FI", Source.GATEWAY))
