from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.dns.answers import MAX_ADDRESSES, MAX_CHAIN, Records, Verdict, is_askable, read_message
from tests.net.name_server import address, alias


def message(*answers: dns.RRHeader, rcode: int = dns.OK, kind: int = dns.A, soa: bool = False) -> dns.Message:
    """Return an answer to the question for a.example."""
    made = dns.Message(1, answer=1, rCode=rcode)
    made.queries = [dns.Query("a.example", kind, dns.IN)]
    made.answers = list(answers)
    if soa:
        made.authority = [dns.RRHeader("example", dns.SOA, dns.IN, 60, dns.Record_SOA())]
    return made


class AnswerTests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """All addresses are found, each once, in the server's order, with the least of their times."""
        hosts = (("10.0.0.2", 30), ("10.0.0.1", 9), ("10.0.0.2", 60))
        answers = [address("A.example", host, ttl) for host, ttl in hosts]
        self.assertEqual(read_message(message(*answers), dns.A), Records(Verdict.FOUND, ("10.0.0.2", "10.0.0.1"), 9))
        six = message(address("a.example", "2001:db8::1", 5), kind=dns.AAAA)
        self.assertEqual(read_message(six, dns.AAAA), Records(Verdict.FOUND, ("2001:db8::1",), 5))

    def test_aliases(self) -> None:
        """Aliases are followed, and an answer is good for as long as the shortest of them."""
        chain = [alias("a.example", "b.example", 60), alias("B.example", "c.example", 3)]
        found = read_message(message(address("c.example", "10.0.0.1", 9), *reversed(chain)), dns.A)
        self.assertEqual(found, Records(Verdict.FOUND, ("10.0.0.1",), 3))

    def test_open_alias(self) -> None:
        """Where the aliases lead has to be asked for unless it is said; that nothing is there is said by SOA."""
        chain = alias("a.example", "b.example", 5)
        self.assertEqual(read_message(message(chain), dns.A), Records(Verdict.ALIAS, (), 5, "b.example"))
        self.assertEqual(read_message(message(chain, soa=True), dns.A).verdict, Verdict.ABSENT)

    def test_endless_aliases(self) -> None:
        """Aliases that lead back or too far are an error of the server."""
        loop = message(alias("a.example", "b.example"), alias("b.example", "a.example"))
        self.assertEqual(read_message(loop, dns.A).verdict, Verdict.ABSENT)
        names = ["a.example", *(f"n{n}.example" for n in range(MAX_CHAIN + 1))]
        chain = [alias(one, two) for one, two in pairwise(names)]
        self.assertEqual(read_message(message(*chain), dns.A).verdict, Verdict.BROKEN)

    def test_none(self) -> None:
        """No such name, and no address of the kind, are answers; anything else that is no address is none."""
        for rcode, verdict in (
            (dns.OK, Verdict.ABSENT),
            (dns.ENAME, Verdict.ABSENT),
            (dns.ESERVER, Verdict.BROKEN),
            (dns.EREFUSED, Verdict.BROKEN),
            (dns.EFORMAT, Verdict.BROKEN),
        ):
            self.assertEqual(read_message(message(rcode=rcode), dns.A).verdict, verdict)

    def test_others(self) -> None:
        """Records of other names, kinds and classes say nothing."""
        chaos = dns.RRHeader("a.example", dns.A, dns.CH, 60, dns.Record_A("10.0.0.3", 60))
        others = message(address("b.example", "10.0.0.1"), address("a.example", "2001:db8::1"), chaos)
        self.assertEqual(read_message(others, dns.A).verdict, Verdict.ABSENT)

    def test_times_that_are_none(self) -> None:
        """A time with its highest bit set counts as none at all."""
        record = address("a.example", "10.0.0.1")
        record.ttl = (1 << 31) + 5
        self.assertEqual(read_message(message(record), dns.A).ttl, 0)

    def test_too_many(self) -> None:
        """Of countless addresses a bounded number is kept."""
        answers = [address("a.example", f"10.0.{n // 250}.{n % 250}") for n in range(1000)]
        self.assertEqual(len(read_message(message(*answers), dns.A).addresses), MAX_ADDRESSES)

    @given(st.binary(max_size=200), st.integers(0, 65535), st.sampled_from([dns.A, dns.AAAA]))
    def test_any_bytes(self, data: bytes, flags: int, kind: int) -> None:
        """Whatever can be read as a message has an outcome."""
        made = dns.Message()
        try:
            made.fromStr(message().toStr()[:2] + flags.to_bytes(2, "big") + message().toStr()[4:6] + data)
        except Exception:
            return
        self.assertIsInstance(read_message(made, kind), Records)


class AskableTests(SynchronousTestCase):
    def test_names(self) -> None:
        """Names of hosts can be asked for, and nothing else."""
        for name in ("localhost", "_web.my_service", "example.org.", "A.Example"):
            self.assertTrue(is_askable(name), name)
        for name in ("a" * 64 + ".example", "a..b", "nul\0.example", "b\u00fccher.example", "", "a b", "x." * 130):
            self.assertFalse(is_askable(name), name)
