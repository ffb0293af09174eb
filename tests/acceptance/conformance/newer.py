"""Rules of RFC 9113, RFC 8441 and RFC 9218 that the public suite has no case of: connections and frames."""

from __future__ import annotations

from edgegate.http.h2.errors import (
    CANCEL,
    COMPRESSION_ERROR,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
)
from edgegate.http.h2.frames import (
    ACK,
    DATA,
    ENABLE_CONNECT_PROTOCOL,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADER_TABLE_SIZE,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_HEADER_LIST_SIZE,
    PADDED,
    PREFACE,
    SETTINGS,
    WITH_PRIORITY,
)
from tests.acceptance.conformance.exchange import (
    Case,
    answered,
    case,
    closed,
    connection_error,
    ended,
    first_settings,
    ponged,
    refused,
    settled,
    stream_error,
)
from tests.http.h2.messages import (
    EVERY,
    block,
    continuation,
    data,
    dummies,
    frame,
    goaway,
    headers,
    padded,
    ping,
    priority,
    request,
    reset,
    settings,
    window_update,
)

_PRIORITY_UPDATE = 0x10
_NO_RFC7540_PRIORITIES = 0x9


def cases(scheme: str) -> list[Case]:
    """Return the cases."""
    get = block(request(scheme))
    post = headers(1, block(request(scheme, "POST")), END_HEADERS)
    return [
        *_beginnings(get),
        *_settings(get),
        *_priorities(scheme, get),
        *_unknown(get, post),
        *_padding(get, post),
        *_ends(get, post),
        *_streams(scheme, get),
        *_tables(scheme, get),
    ]


def _beginnings(get: bytes) -> list[Case]:
    wrong = connection_error(PROTOCOL_ERROR)
    return [
        case(
            "3.4",
            "a request behind the preface at once",
            PREFACE + settings() + headers(1, get),
            answered(),
            greets=False,
        ),
        case("3.4", "the preface, then PING", PREFACE + ping(), wrong, greets=False),
        case("3.4", "the preface, then HEADERS", PREFACE + headers(1, get), wrong, greets=False),
        case("3.4", "the preface, then ACK of SETTINGS", PREFACE + frame(SETTINGS, ACK, 0), wrong, greets=False),
        case(
            "3.4",
            "the preface in pieces",
            PREFACE[:7],
            PREFACE[7:20],
            PREFACE[20:] + settings()[:4],
            settings()[4:],
            first_settings(),
            settled(),
            greets=False,
        ),
    ]


def _settings(get: bytes) -> list[Case]:
    asks = headers(1, get)

    def passed(text: str, *values: tuple[int, int]) -> Case:
        return case("6.5.2", text, settings(*values), settled(), asks, answered(1, 200))

    def wrong(section: str, text: str, *values: tuple[int, int]) -> Case:
        return case(section, text, settings(*values), connection_error(PROTOCOL_ERROR))

    open_ = settings((INITIAL_WINDOW_SIZE, 0)) + headers(1, get, END_HEADERS) + window_update(1, EVERY)
    return [
        passed("no setting at all"),
        passed("an empty table", (HEADER_TABLE_SIZE, 0)),
        passed("a large table", (HEADER_TABLE_SIZE, 1 << 31)),
        passed("a table that goes and comes back", (HEADER_TABLE_SIZE, 0), (HEADER_TABLE_SIZE, 4096)),
        passed("no streams of the server's", (MAX_CONCURRENT_STREAMS, 0)),
        passed("a short list of fields", (MAX_HEADER_LIST_SIZE, 1000)),
        passed("reserved settings", (0, 1), (0x0A0A, 0xFFFFFFFF), (0xFFFF, 0)),
        passed("NO_RFC7540_PRIORITIES", (_NO_RFC7540_PRIORITIES, 1)),
        passed("ENABLE_CONNECT_PROTOCOL of a client", (ENABLE_CONNECT_PROTOCOL, 1)),
        passed("ENABLE_CONNECT_PROTOCOL of 0", (ENABLE_CONNECT_PROTOCOL, 0)),
        wrong("RFC 8441 3", "ENABLE_CONNECT_PROTOCOL of 2", (ENABLE_CONNECT_PROTOCOL, 2)),
        wrong("RFC 8441 3", "taken back", (ENABLE_CONNECT_PROTOCOL, 1), (ENABLE_CONNECT_PROTOCOL, 0)),
        case(
            "6.9.2",
            "INITIAL_WINDOW_SIZE makes a stream's window too large",
            open_ + settings((INITIAL_WINDOW_SIZE, 1)),
            connection_error(FLOW_CONTROL_ERROR),
        ),
    ]


def _priorities(scheme: str, get: bytes) -> list[Case]:
    """RFC 9218: they may be passed over."""

    def update(of: int, said: bytes = b"u=1, i", number: int = 0) -> bytes:
        return frame(_PRIORITY_UPDATE, 0, number, of.to_bytes(4, "big") + said)

    found = [
        case("RFC 9218 7.1", "PRIORITY_UPDATE, idle", update(7) + ping(), ponged()),
        case("RFC 9218 7.1", "PRIORITY_UPDATE, before its stream", update(1) + headers(1, get), answered(1, 200)),
        case("RFC 9218 7.1", "PRIORITY_UPDATE, open", headers(1, get) + update(1), answered(1, 200)),
        case("RFC 9218 7.1", "PRIORITY_UPDATE, closed", headers(1, get), ended(), update(1) + ping(), ponged()),
        case("RFC 9218 7.1", "PRIORITY_UPDATE of no priority", update(1, b"\xff u=,;") + ping(), ponged()),
        case("RFC 9218 7.1", "PRIORITY_UPDATE of 2 bytes", frame(_PRIORITY_UPDATE, 0, 0, b"\0\0") + ping(), ponged()),
        case("5.3.2", "PRIORITY of many streams", b"".join(map(priority, range(1, 99, 2))) + ping(), ponged()),
    ]
    for value in ("u=1, i", "u=99", 'i=?1;x, u=a, "', ""):
        said = headers(1, block([*request(scheme), ("priority", value)]))
        found.append(case("RFC 9218 5", f"priority: {value}", said, answered(1, 200)))
    return found


def _unknown(get: bytes, post: bytes) -> list[Case]:
    """Section 5.5: frames of kinds that nobody knows are passed over, wherever they are."""

    def grease(number: int, size: int = 8, flags: int = 0xFF) -> bytes:
        return frame(0x4B, flags, number, bytes(size))

    def passed(text: str, *steps: bytes) -> Case:
        return case("5.5", text, b"".join(steps), answered(1, 200))

    return [
        passed("an unknown frame of an idle stream", grease(9), headers(1, get)),
        passed("of an even stream", grease(2), headers(1, get)),
        passed("inside an upload", post, grease(1), data(1, b"test", 0), grease(1), data(1, b"test")),
        passed("of no bytes", grease(0, 0), headers(1, get)),
        passed("as large as may be", grease(0, 16384), headers(1, get)),
        passed("ALTSVC and ORIGIN of a client", frame(0xA, 0, 0, b"\0\0"), frame(0xC, 0, 0), headers(1, get)),
        case("5.5", "of a closed stream", headers(1, get), ended(), grease(1) + ping(), ponged()),
        case("4.2", "an unknown frame too large", grease(0, 16385), connection_error(FRAME_SIZE_ERROR)),
    ]


def _padding(get: bytes, post: bytes) -> list[Case]:
    both = frame(
        HEADERS,
        END_HEADERS | END_STREAM | PADDED | WITH_PRIORITY,
        1,
        b"\x03\0\0\0\0\x10" + get + bytes(3),
    )
    upload = headers(1, get, END_HEADERS)
    short = FRAME_SIZE_ERROR, PROTOCOL_ERROR
    return [
        case(
            "6.1", "DATA with 255 bytes of padding", post + padded(DATA, 1, b"test", 255, END_STREAM), answered(1, 200)
        ),
        case("6.1", "DATA with padding of no bytes", post + padded(DATA, 1, b"test", 0, END_STREAM), answered(1, 200)),
        case("6.1", "DATA that is all padding", post + padded(DATA, 1, b"", 9, END_STREAM), answered(1, 200)),
        case("6.1", "DATA that says no padding", upload + frame(DATA, PADDED, 1), connection_error(*short)),
        case("6.2", "HEADERS with padding and priority", both, answered(1, 200)),
        case("6.2", "HEADERS that say no padding", frame(HEADERS, PADDED | END_HEADERS, 1), connection_error(*short)),
        case("6.2", "HEADERS too short for a priority", frame(HEADERS, 0x2D, 1, bytes(4)), connection_error(*short)),
    ]


def _ends(get: bytes, post: bytes) -> list[Case]:
    done = headers(1, get), ended()
    return [
        case(
            "6.8", "GOAWAY with a request under way", post + goaway() + data(1, b"test"), answered(), ended(), closed()
        ),
        case("6.8", "PING behind GOAWAY", post + goaway() + ping(), ponged(), data(1, b"test"), ended(), closed()),
        case(
            "6.8",
            "GOAWAY twice, with other codes",
            post + goaway(0, 1) + goaway(0, 2) + data(1, b""),
            ended(),
            closed(),
        ),
        case("6.8", "GOAWAY of 7 bytes", frame(GOAWAY, 0, 0, bytes(7)), connection_error(FRAME_SIZE_ERROR)),
        case("6.4", "RST_STREAM with NO_ERROR", post + reset(1, NO_ERROR) + headers(3, get), answered(3, 200)),
        case("5.1", "RST_STREAM, closed", *done, reset(1, CANCEL) + ping(), ponged()),
        case("5.1", "RST_STREAM twice", post + reset(1, CANCEL) * 2 + ping(), ponged()),
        case("5.1", "WINDOW_UPDATE, closed", *done, window_update(1, 5) + ping(), ponged()),
        case("6.9", "the reserved bit of an increment", window_update(0, 1 << 31 | 5) + ping(), ponged()),
        case("6.9", "no more than the bit", window_update(0, 1 << 31), connection_error(PROTOCOL_ERROR)),
        case("8.1", "a request of a header block without fields", headers(1, b""), stream_error(PROTOCOL_ERROR)),
    ]


def _streams(scheme: str, get: bytes) -> list[Case]:
    uploads = block(request(scheme, "POST"))
    three = b"".join(headers(number, uploads, END_HEADERS) for number in (1, 3, 5))
    fives = three + data(5, b"c") + data(3, b"b") + data(1, b"a")
    interrupted = headers(1, get[:5], END_STREAM) + continuation(3, get[5:])
    large = [("x", "y" * 8000), ("z", "y" * 8000), ("w", "y" * 1000)]
    begun = headers(1, block(request(scheme)), END_STREAM) + continuation(1, block(large[:1]), 0)
    return [
        case("5.1.1", "the last number of all", headers(EVERY, get), answered(EVERY, 200)),
        case("5.1.1", "the reserved bit of a number", headers(1 << 31 | 1, get), answered(1, 200)),
        case("5.1.1", "numbers that are left out", headers(1, get) + headers(9, get), answered(9, 200)),
        case("5.1", "uploads that end the other way round", fives, ended(1)),
        case("6.10", "CONTINUATION of another stream", interrupted, connection_error(PROTOCOL_ERROR)),
        case("6.10", "a head in pieces of a byte", *_pieces(get), answered(1, 200)),
        case(
            "10.5.1",
            "a list of fields too large",
            begun + continuation(1, block(large[1:])),
            answered(1, 431),
            headers(3, get),
            answered(3, 200),
        ),
        case("10.5.1", "fields of 4 KiB", headers(1, block([*request(scheme), *dummies(2)])), answered(1, 200)),
    ]


def _pieces(said: bytes) -> list[bytes]:
    return [
        headers(1, b"", END_STREAM),
        *(continuation(1, said[at : at + 1], 0) for at in range(len(said))),
        continuation(1, b""),
    ]


def _tables(scheme: str, get: bytes) -> list[Case]:
    wrong = connection_error(COMPRESSION_ERROR)
    kept = (
        b"\x40\x06x-kept\x04true"  # it has place 62, and 63 behind the next request, whose :authority is kept as well
    )
    twice = headers(1, get + kept) + headers(3, get + b"\xbf")
    mistaken = block([*request(scheme), (":method", "GET")]) + kept
    return [
        case("RFC 7541 2.3.2", "a field of the table", twice, answered(3, 200)),
        case(
            "RFC 7541 2.3.2",
            "of a request that was refused",
            headers(1, mistaken),
            refused(),
            headers(3, get + b"\xbf"),
            answered(3, 200),
        ),
        case(
            "RFC 7541 4.3",
            "of a table that was emptied",
            headers(1, get + kept),
            answered(),
            headers(3, b"\x20\xbe"),
            wrong,
        ),
        case("RFC 7541 4.4", "a field larger than the table", headers(1, get + _literal(5000)), answered(1, 200)),
        case("RFC 7541 5.1", "an integer without an end", headers(1, get + b"\xff" + b"\xff" * 20), wrong),
        case("RFC 7541 5.1", "an integer cut short", headers(1, get + b"\x7f\x80"), wrong),
        case("RFC 7541 5.2", "a value longer than its block", headers(1, get + b"\x40\x01x\x7fyy"), wrong),
        case("RFC 7541 5.2", "padding of a whole byte", headers(1, get + b"\x00\x01x\x81\xff"), wrong),
    ]


def _literal(size: int) -> bytes:
    return block([("x-large", "ÿ" * (size // 2))])
