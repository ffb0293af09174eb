"""Tests of L{edgegate.errors}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate import errors
from edgegate.errors import Fault, Source, body_of, status_of

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
