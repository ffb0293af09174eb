# Hot path: read of each request that is traced, written for each try.
"""
What tells one hop of a trace from the next: W3C's Trace Context and Zipkin's B3, from headers and to headers.

What is malformed counts as not there. (U{https://www.w3.org/TR/trace-context/}, U{https://github.com/openzipkin/b3-propagation})
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

Field = tuple[bytes, bytes]

TRACEPARENT: Final = b"traceparent"
TRACESTATE: Final = b"tracestate"
W3C_NAMES: Final = frozenset((TRACEPARENT, TRACESTATE))

B3: Final = b"b3"
B3_TRACE: Final = b"x-b3-traceid"
B3_SPAN: Final = b"x-b3-spanid"
B3_PARENT: Final = b"x-b3-parentspanid"
B3_SAMPLED: Final = b"x-b3-sampled"
B3_FLAGS: Final = b"x-b3-flags"
B3_NAMES: Final = frozenset((B3, B3_TRACE, B3_SPAN, B3_PARENT, B3_SAMPLED, B3_FLAGS))

MOST_MEMBERS: Final = 32
"""Members of a tracestate; one with more is dropped (W3C section 3.3.1.1)."""

MOST_STATE: Final = 512
"""Bytes of a tracestate that go on (section 3.3.1.5)."""

_LONG_MEMBER: Final = 128
"""Bytes of a member from which on it is dropped first."""

_TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KEY: Final = rb"(?:[a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
_MEMBER: Final = re.compile(rb"(%b)=(?:[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])" % _KEY)
_ID: Final = re.compile(rb"[0-9a-f]{16}")
_TRACE_ID: Final = re.compile(rb"(?:[0-9a-f]{16}){1,2}")
_ZEROS: Final = b"0" * 32

_B3_DECISIONS: Final = {b"0": False, b"1": True, b"d": True, b"false": False, b"true": True}


class TraceContext:
    """
    What the hop before has told.

    @ivar trace_id: 32 hexadecimal digits, or 16 of B3; empty: it only decided.
    @ivar span_id: 16 hexadecimal digits, likewise.
    @ivar sampled: Whether it has decided to trace, or not to; L{None}: it leaves that open.
    @ivar state: The tracestate, or empty.
    """

    __slots__ = ("sampled", "span_id", "state", "trace_id")

    def __init__(self, trace_id: bytes, span_id: bytes, sampled: bool | None, state: bytes = b"") -> None:
        self.trace_id: Final = trace_id
        self.span_id: Final = span_id
        self.sampled: Final = sampled
        self.state: Final = state


# W3C -----------------------------------------------------------------------------------------------------------------


def read_w3c(fields: Sequence[Field]) -> TraceContext | None:
    """
    Read traceparent and tracestate; L{None}: there is none that is in order.

    @param fields: Of a request, names in lower case.
    """
    parents = [value for name, value in fields if name == TRACEPARENT]
    if len(parents) != 1:
        return None
    found = _TRACEPARENT.fullmatch(parents[0])
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    # what versions to come put behind is not for us to know (section 3.2.4)
    if version == b"ff" or (version == b"00" and more is not None) or _zero(trace_id) or _zero(span_id):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & 1), _state(fields))


def write_w3c(trace_id: bytes, span_id: bytes, sampled: bool, state: bytes) -> list[Field]:
    """Return the fields of a hop."""
    whole = trace_id if len(trace_id) == 32 else trace_id.rjust(32, b"0")
    fields = [(TRACEPARENT, b"00-%b-%b-%b" % (whole, span_id, b"01" if sampled else b"00"))]
    if state:
        fields.append((TRACESTATE, state))
    return fields


def _state(fields: Sequence[Field]) -> bytes:
    """Return what goes on of the tracestate: nothing of one that is malformed, and not too much."""
    values = [value for name, value in fields if name == TRACESTATE]
    if not values:
        return b""
    members = [member for part in b",".join(values).split(b",") if (member := part.strip(b" \t"))]
    keys = set()
    for member in members[: MOST_MEMBERS + 1]:
        found = _MEMBER.fullmatch(member)
        if found is None:
            return b""
        keys.add(found[1])
    if len(members) > MOST_MEMBERS or len(keys) != len(members):
        return b""
    size = sum(map(len, members)) + len(members) - 1
    for longest in (_LONG_MEMBER, 0):
        for at in range(len(members) - 1, -1, -1):
            if size > MOST_STATE and len(members[at]) > longest:
                size -= len(members.pop(at)) + 1
    return b",".join(members)


# B3 ------------------------------------------------------------------------------------------------------------------


def read_b3(fields: Sequence[Field]) -> TraceContext | None:
    """Read B3, of one header or of several; L{None}: there is none that is in order. See L{read_w3c}."""
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in B3_NAMES:
            if name in found:
                return None
            found[name] = value
    if not found:
        return None
    if B3 in found:
        return _single(found[B3])
    sampled = True if found.get(B3_FLAGS) == b"1" else None
    if B3_SAMPLED in found and sampled is None:
        sampled = _B3_DECISIONS.get(found[B3_SAMPLED])
    return _b3(found.get(B3_TRACE, b""), found.get(B3_SPAN, b""), sampled)


def write_b3(trace_id: bytes, span_id: bytes, parent_id: bytes, sampled: bool) -> list[Field]:
    """
    Return the fields of a hop.

    @param parent_id: The span that it is in.
    """
    return [
        (B3_TRACE, trace_id),
        (B3_SPAN, span_id),
        (B3_PARENT, parent_id),
        (B3_SAMPLED, b"1" if sampled else b"0"),
    ]


def _single(value: bytes) -> TraceContext | None:
    parts = value.split(b"-")
    if len(parts) == 1:
        sampled = _B3_DECISIONS.get(value) if len(value) == 1 else None
        return None if sampled is None else TraceContext(b"", b"", sampled)
    decision: bool | None = None
    if len(parts) > 2:
        decision = _B3_DECISIONS.get(parts[2]) if len(parts[2]) == 1 else None
        if decision is None:
            return None
    if len(parts) > 4 or (len(parts) == 4 and _ID.fullmatch(parts[3]) is None):
        return None
    found = _b3(parts[0], parts[1], decision)
    return found if found is not None and found.trace_id else None


def _b3(trace_id: bytes, span_id: bytes, sampled: bool | None) -> TraceContext | None:
    whole = _TRACE_ID.fullmatch(trace_id) is not None and _ID.fullmatch(span_id) is not None
    if whole and not _zero(trace_id) and not _zero(span_id):
        return TraceContext(trace_id, span_id, sampled)
    return None if sampled is None else TraceContext(b"", b"", sampled)


def _zero(digits: bytes) -> bool:
    return _ZEROS.startswith(digits)
