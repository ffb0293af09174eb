"""Tests of L{edgegate.observe.tracing.context}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.tracing.context import (
    MOST_MEMBERS,
    MOST_STATE,
    TraceContext,
    read_b3,
    read_w3c,
    write_b3,
    write_w3c,
)

TRACE, SPAN = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
PARENT = b"00-%b-%b-01" % (TRACE, SPAN)


def values(found: TraceContext | None) -> tuple[bytes, bytes, bool | None, bytes] | None:
    """Return what was read."""
    return None if found is None else (found.trace_id, found.span_id, found.sampled, found.state)


def state(*values: bytes) -> bytes:
    """Return what goes on of tracestates."""
    found = read_w3c([(b"traceparent", PARENT), *((b"tracestate", value) for value in values)])
    assert found is not None
    return found.state


class W3CTests(SynchronousTestCase):
    """traceparent and tracestate."""

    def test_parent(self) -> None:
        """The ids are taken, and the decision: the lowest bit of the flags."""
        for flags, sampled in ((b"00", False), (b"01", True), (b"02", False), (b"03", True), (b"ff", True)):
            found = read_w3c([(b"traceparent", b"00-%b-%b-%b" % (TRACE, SPAN, flags))])
            self.assertEqual(values(found), (TRACE, SPAN, sampled, b""))

    def test_malformed(self) -> None:
        """What is not as W3C says counts as not there."""
        for value in (
            b"",
            b"00-%b-%b" % (TRACE, SPAN),
            PARENT.upper(),
            PARENT + b"-00",
            PARENT + b" ",
            b" " + PARENT,
            PARENT.replace(b"-", b"_"),
            b"ff" + PARENT[2:],
            b"0" + PARENT,
            b"00-%b-%b-01" % (b"0" * 32, SPAN),
            b"00-%b-%b-01" % (TRACE, b"0" * 16),
            b"00-%b-%b-0g" % (TRACE, SPAN),
        ):
            self.assertIsNone(read_w3c([(b"traceparent", value)]), value)
        self.assertIsNone(read_w3c([(b"traceparent", PARENT), (b"traceparent", PARENT)]))
        self.assertIsNone(read_w3c([(b"tracestate", b"a=1")]))

    def test_later_versions(self) -> None:
        """A version to come is read as far as this one goes."""
        for more in (b"", b"-", b"-what=ever"):
            self.assertIsNotNone(read_w3c([(b"traceparent", b"cc" + PARENT[2:] + more)]), more)
        self.assertIsNone(read_w3c([(b"traceparent", b"cc" + PARENT[2:] + b".x")]))

    def test_state(self) -> None:
        """The members of all headers go on in their order, without what is between them."""
        self.assertEqual(state(b"a=1, b=2\t", b"", b",,t@v=x y"), b"a=1,b=2,t@v=x y")

    def test_malformed_state(self) -> None:
        """A tracestate with one thing wrong does not go on, and the traceparent does."""
        for value in (
            b"a",
            b"a=",
            b"=1",
            b"A=1",
            b"a=1,a=2",
            b"a=1=2",
            b"a=\xff",
            b"a b=1",
            b"a@1=1",
            b"a" * 257 + b"=1",
        ):
            self.assertEqual(state(b"ok=1," + value), b"", value)

    def test_bounds(self) -> None:
        """There are 32 members and 512 bytes: long members are left out first, then the last ones."""
        members = [b"a%d=1" % number for number in range(MOST_MEMBERS + 1)]
        self.assertEqual(state(b",".join(members[:-1])), b",".join(members[:-1]))
        self.assertEqual(state(b",".join(members)), b"")
        short = [b"s%d=%b" % (number, b"x" * 90) for number in range(4)]
        self.assertEqual(state(b",".join([short[0], b"l=" + b"x" * 200, *short[1:]])), b",".join(short))
        self.assertEqual(
            state(b",".join([*short, b"t=" + b"x" * 126, b"u=" + b"x" * 120])), b",".join([*short, b"t=" + b"x" * 126])
        )

    @given(st.lists(st.binary(max_size=200), max_size=40))
    def test_anything(self, found: list[bytes]) -> None:
        """Whatever a client sends, what goes on is in bounds and is read as it is."""
        kept = state(*found)
        self.assertLessEqual(len(kept), MOST_STATE)
        self.assertEqual(state(kept), kept)

    @given(st.binary(max_size=80))
    def test_any_parent(self, value: bytes) -> None:
        """What is taken can be written, and is the same again."""
        found = read_w3c([(b"traceparent", value)])
        if found is not None:
            written = write_w3c(found.trace_id, found.span_id, bool(found.sampled), found.state)
            self.assertEqual(values(read_w3c(written)), values(found))

    def test_write(self) -> None:
        """A short id is filled up, and a state that is empty is not said."""
        self.assertEqual(write_w3c(TRACE, SPAN, True, b""), [(b"traceparent", PARENT)])
        fields = write_w3c(SPAN, SPAN, False, b"a=1")
        self.assertEqual(
            fields, [(b"traceparent", b"00-%b%b-%b-00" % (b"0" * 16, SPAN, SPAN)), (b"tracestate", b"a=1")]
        )


class B3Tests(SynchronousTestCase):
    """Zipkin's headers."""

    def test_single(self) -> None:
        """All that one header may say."""
        for value, expected in (
            (b"%b-%b" % (TRACE, SPAN), (TRACE, SPAN, None, b"")),
            (b"%b-%b-1" % (TRACE, SPAN), (TRACE, SPAN, True, b"")),
            (b"%b-%b-0" % (SPAN, SPAN), (SPAN, SPAN, False, b"")),
            (b"%b-%b-d-%b" % (TRACE, SPAN, SPAN), (TRACE, SPAN, True, b"")),
            (b"0", (b"", b"", False, b"")),
            (b"1", (b"", b"", True, b"")),
            (b"d", (b"", b"", True, b"")),
        ):
            self.assertEqual(values(read_b3([(b"b3", value)])), expected, value)

    def test_several(self) -> None:
        """All that several headers may say."""
        ids = [(b"x-b3-traceid", TRACE), (b"x-b3-spanid", SPAN), (b"x-b3-parentspanid", SPAN)]
        for more, sampled in (
            ([], None),
            ([(b"x-b3-sampled", b"1")], True),
            ([(b"x-b3-sampled", b"true")], True),
            ([(b"x-b3-sampled", b"0")], False),
            ([(b"x-b3-sampled", b"yes")], None),
            ([(b"x-b3-flags", b"1")], True),
            ([(b"x-b3-flags", b"1"), (b"x-b3-sampled", b"0")], True),
        ):
            self.assertEqual(values(read_b3([*ids, *more])), (TRACE, SPAN, sampled, b""))
        self.assertEqual(values(read_b3([(b"x-b3-sampled", b"0")])), (b"", b"", False, b""))

    def test_malformed(self) -> None:
        """What is not as Zipkin says counts as not there; a decision beside it holds."""
        zeros, loud = b"%b-%b" % (b"0" * 32, SPAN), b"%b-%b" % (TRACE.upper(), SPAN)
        for value in (
            b"",
            b"x",
            b"true",
            b"%b-" % TRACE,
            b"%b-%b-x" % (TRACE, SPAN),
            b"%b-%b-1-x" % (TRACE, SPAN),
            b"%b-%b-1-%b-1" % (TRACE, SPAN, SPAN),
            zeros,
            b"%b-%b" % (TRACE, b"0" * 16),
            loud,
            b"%b-%b-1" % (TRACE[:-1], SPAN),
        ):
            self.assertIsNone(read_b3([(b"b3", value)]), value)
        self.assertIsNone(read_b3([(b"b3", b"1"), (b"b3", b"0")]))
        self.assertIsNone(read_b3([(b"x-b3-traceid", TRACE)]))
        self.assertIsNone(read_b3([]))
        broken = read_b3([(b"x-b3-traceid", b"x"), (b"x-b3-spanid", SPAN), (b"x-b3-sampled", b"1")])
        self.assertEqual(values(broken), (b"", b"", True, b""))

    @given(st.binary(max_size=80))
    def test_anything(self, value: bytes) -> None:
        """What is taken can be written, and is the same again."""
        found = read_b3([(b"b3", value)])
        if found is not None and found.trace_id:
            written = write_b3(found.trace_id, found.span_id, SPAN, bool(found.sampled))
            again = read_b3(written)
            self.assertEqual(values(again), (found.trace_id, found.span_id, bool(found.sampled), b""))
