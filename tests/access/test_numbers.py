"""Tests of L{edgegate.access.numbers}."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.numbers import number_of


class NumberTests(SynchronousTestCase):
    """Addresses as numbers."""

    def test_all(self) -> None:
        """Either family; what is mapped is IPv4, a zone does not count, and what is none is 0."""
        for address, expected in (
            ("192.0.2.1", (4, 0xC0000201)),
            ("::1", (6, 1)),
            ("::ffff:192.0.2.1", (4, 0xC0000201)),
            ("fe80::1%eth0", (6, 0xFE80 << 112 | 1)),
            ("", (0, 0)),
            ("unknown", (0, 0)),
            ("192.0.2.1:80", (0, 0)),
            ("1" * 100, (0, 0)),
        ):
            self.assertEqual(number_of(address), expected, address)

    @given(some.ip_addresses(v=6))
    def test_any(self, address: object) -> None:
        """Any address of IPv6 is what Python takes it for, but for those that are mapped."""
        parsed = ip_address(str(address))
        mapped = getattr(parsed, "ipv4_mapped", None)
        self.assertEqual(number_of(str(address)), (6, int(parsed)) if mapped is None else (4, int(mapped)))
