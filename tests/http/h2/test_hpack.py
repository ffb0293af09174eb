"""Tests of L{edgegate.http.h2.hpack}."""

from __future__ import annotations

import hpack
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import Field
from edgegate.http.h2.errors import COMPRESSION_ERROR, ConnectionFailed
from edgegate.http.h2.hpack import (
    EMPTY_TABLE,
    LIST_FIELDS,
    NEVER_INDEXED,
    REMEMBERED,
    REMEMBERED_BY_ALL,
    STATIC,
    BlockMemory,
    Decoder,
    block_of,
    integer,
    literal,
)

NAMES = st.sampled_from([b"a", b"x-long", b"cookie", b":path", b"content-type", b"accept", b"x" * 70])
VALUES = st.one_of(st.sampled_from([b"", b"/", b"gzip, deflate", b"v" * 200]), st.binary(max_size=20))
LISTS = st.lists(st.tuples(NAMES, VALUES), max_size=12)

# RFC 7541 appendix C.3 to C.6: what comes on one connection, one block after the other.
REQUESTS: list[list[Field]] = [
    [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"www.example.com")],
    [
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":path", b"/"),
        (b":authority", b"www.example.com"),
        (b"cache-control", b"no-cache"),
    ],
    [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":path", b"/index.html"),
        (b":authority", b"www.example.com"),
        (b"custom-key", b"custom-value"),
    ],
]
PLAIN_REQUESTS = (
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
)
HUFFMAN_REQUESTS = (
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
)
RESPONSES: list[list[Field]] = [
    [
        (b":status", b"302"),
        (b"cache-control", b"private"),
        (b"date", b"Mon, 21 Oct 2013 20:13:21 GMT"),
        (b"location", b"https://www.example.com"),
    ],
    [
        (b":status", b"307"),
        (b"cache-control", b"private"),
        (b"date", b"Mon, 21 Oct 2013 20:13:21 GMT"),
        (b"location", b"https://www.example.com"),
    ],
    [
        (b":status", b"200"),
        (b"cache-control", b"private"),
        (b"date", b"Mon, 21 Oct 2013 20:13:22 GMT"),
        (b"location", b"https://www.example.com"),
        (b"content-encoding", b"gzip"),
        (b"set-cookie", b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ],
]
# Of C.5 and C.6, whose table holds 256 bytes: begun by the size update that says so.
PLAIN_RESPONSES = (
    "3fe101"
    "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
    "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
    "4803333037c1c0bf",
    "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a6970"
    "7738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
)
HUFFMAN_RESPONSES = (
    "3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672"
    "c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
)


def outcome(decoder: Decoder, block: bytes) -> list[Field] | None:
    """Return the fields of a block; L{None}: it can't be decoded."""
    try:
        return decoder.decode(block)
    except ConnectionFailed as failed:
        assert failed.code == COMPRESSION_ERROR
        return None


def expected(decoder: hpack.Decoder, block: bytes) -> list[Field] | None:
    """Return what the oracle says."""
    try:
        return [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]
    except (hpack.HPACKError, IndexError):
        return None


def oracle() -> hpack.Decoder:
    """Return an oracle that has our limits."""
    decoder = hpack.Decoder(1 << 20)
    decoder.max_allowed_table_size = 4096
    return decoder


class DecoderTests(SynchronousTestCase):
    """Blocks of one connection, with hpack as the oracle."""

    def test_static(self) -> None:
        """The static table is that of RFC 7541 appendix A."""
        self.assertEqual(tuple(STATIC[1:]), hpack.table.HeaderTable.STATIC_TABLE)

    def test_vectors(self) -> None:
        """The examples of RFC 7541 appendix C, on one connection each."""
        for blocks, lists in (
            (PLAIN_REQUESTS, REQUESTS),
            (HUFFMAN_REQUESTS, REQUESTS),
            (PLAIN_RESPONSES, RESPONSES),
            (HUFFMAN_RESPONSES, RESPONSES),
        ):
            decoder = Decoder()
            self.assertEqual([decoder.decode(bytes.fromhex(block)) for block in blocks], lists)
            self.assertFalse(decoder.malformed)

    def test_literals(self) -> None:
        """The examples of RFC 7541 appendix C.2: added to the table, not added, never added, and by place."""
        for block, field, size in (
            ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", (b"custom-key", b"custom-header"), 55),
            ("040c2f73616d706c652f70617468", (b":path", b"/sample/path"), 0),
            ("100870617373776f726406736563726574", (b"password", b"secret"), 0),
            ("82", (b":method", b"GET"), 0),
        ):
            decoder = Decoder()
            self.assertEqual(decoder.decode(bytes.fromhex(block)), [field])
            self.assertEqual((decoder._size, decoder.changed), (size, bool(size)))

    @given(st.lists(st.tuples(LISTS, st.booleans(), st.sampled_from([None, None, 0, 100, 4096])), max_size=8))
    def test_conversations(self, lists: list[tuple[list[Field], bool, int | None]]) -> None:
        """What an encoder with a table of changing size sends is what it meant."""
        encoder, decoder = hpack.Encoder(), Decoder()
        for fields, huffman, size in lists:
            if size is not None:
                encoder.header_table_size = size
            self.assertEqual(decoder.decode(encoder.encode(fields, huffman=huffman)), fields)

    @given(
        st.lists(LISTS, min_size=1, max_size=4),
        st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
        st.integers(0, 3),
    )
    def test_mutated(self, lists: list[list[Field]], changes: list[tuple[int, int]], which: int) -> None:
        """A block that was changed means the same as to hpack, or is refused as well; so do those behind it."""
        encoder, decoder, other = hpack.Encoder(), Decoder(1 << 20), oracle()
        for at, fields in enumerate(lists):
            block = bytearray(encoder.encode(fields))
            if at == which % len(lists) and block:
                for place, byte in changes:
                    block[place % len(block)] = byte
            found = outcome(decoder, bytes(block))
            self.assertEqual(found, expected(other, bytes(block)), bytes(block).hex())
            if found is None:
                return

    @given(LISTS)
    def test_cut(self, fields: list[Field]) -> None:
        """A block that is cut anywhere is refused, or means fewer fields."""
        block = hpack.Encoder().encode(fields)
        for end in range(len(block)):
            found = outcome(Decoder(), block[:end])
            self.assertEqual(found, expected(oracle(), block[:end]))

    def test_refused(self) -> None:
        """What no encoder sends: places that are none, endless integers, a table too large, an update too late."""
        for block in (
            "80",
            "be",
            "ff8000",
            "ffffffffff7f",
            "ffffffffffffff7f",
            "3fe21f",
            "8220",
            "00",
            "0001",
            "40018a",
        ):
            self.assertIsNone(outcome(Decoder(), bytes.fromhex(block)), block)

    def test_too_many(self) -> None:
        """A list past a limit is cut off; the table is right all the same."""
        decoder = Decoder(2000)
        decoder.decode(literal(b"x", b"y" * 500).replace(b"\x00", b"\x40", 1))
        fields = decoder.decode(b"\xbe" * 50 + b"\x40\x01a\x01b")
        self.assertEqual((len(fields), decoder.too_large), (3, True))
        self.assertEqual(decoder.decode(b"\xbe"), [(b"a", b"b")])
        self.assertFalse(decoder.too_large)
        self.assertEqual(len(decoder.decode(b"\xbe" * (LIST_FIELDS + 1))), 2000 // 34)
        self.assertTrue(decoder.too_large)
        small = Decoder()
        self.assertEqual(len(small.decode(b"\x82" * (LIST_FIELDS + 1))), LIST_FIELDS)
        self.assertTrue(small.too_large)

    def test_malformed(self) -> None:
        """Names and values that may be nowhere are told, also where they come from the table."""
        for name, value in (
            (b"A", b""),
            (b"a b", b""),
            (b"", b""),
            (b"a:", b""),
            (b"::a", b""),
            (b"a\0", b""),
            (b"a", b"\r"),
            (b"a", b"x\ny"),
            (b"a", b"\0"),
            (b"a", b"\x01"),
            (b"a", b"\x7f"),
            (b"a", b" x"),
            (b"a", b"x\t"),
            (b"a", b" "),
            (b":path", b"/\r\nx: y"),
        ):
            for kind in (b"\x00", b"\x40"):
                decoder = Decoder()
                block = kind + integer(len(name), 0, 7) + name + integer(len(value), 0, 7) + value
                self.assertEqual((decoder.decode(block), decoder.malformed), ([(name, value)], True))
                if kind == b"\x40":
                    decoder.decode(b"\x82")
                    self.assertFalse(decoder.malformed)
                    decoder.decode(b"\xbe")
                    self.assertTrue(decoder.malformed)
        decoder = Decoder()
        decoder.decode(literal(b"x-a_b~1", b"a b\tc\xff"))
        self.assertFalse(decoder.malformed)


class EncodingTests(SynchronousTestCase):
    """Blocks that need no table."""

    @given(LISTS)
    def test_oracle(self, fields: list[Field]) -> None:
        """hpack reads what we write, and its table stays empty, whatever its size is."""
        decoder = oracle()
        decoder.max_allowed_table_size = 0
        self.assertEqual([tuple(field) for field in decoder.decode(EMPTY_TABLE + block_of(fields), raw=True)], fields)
        self.assertEqual(list(decoder.header_table.dynamic_entries), [])

    @given(st.integers(0, 1 << 21), st.integers(1, 8))
    def test_integer(self, value: int, bits: int) -> None:
        """Integers are encoded as by hpack."""
        self.assertEqual(integer(value, 0, bits), bytes(hpack.hpack.encode_integer(value, bits)))

    def test_static(self) -> None:
        """What stands in the static table is one byte; a name that does is one byte or two."""
        self.assertEqual(literal(b":status", b"200"), b"\x88")
        self.assertEqual(literal(b"content-length", b"38"), b"\x0f\x0d\x0238")
        self.assertEqual(literal(b":path", b"/x"), b"\x04\x02/x")

    def test_secrets(self) -> None:
        """A cookie is marked as what nobody may put into a table."""
        self.assertEqual(literal(b"cookie", b"a", NEVER_INDEXED), b"\x1f\x11\x01a")
        self.assertEqual(block_of([(b"set-cookie", b"a")]), literal(b"set-cookie", b"a", NEVER_INDEXED))


class BlockMemoryTests(SynchronousTestCase):
    """What blocks meant that came before."""

    def test_remembered(self) -> None:
        """A block means what it did, with its end or without, until the table changes."""
        memory, head, other = BlockMemory(), object(), object()
        memory.keep(b"a", True, head)
        memory.keep(b"a", False, other)
        self.assertIs(memory.find(b"a", True), head)
        self.assertIs(memory.find(b"a", False), other)
        memory.forget()
        self.assertIsNone(memory.find(b"a", True))
        self.assertIsNone(memory.find(b"a", False))

    def test_bounded(self) -> None:
        """It holds no long blocks, and not many."""
        memory = BlockMemory()
        memory.keep(b"a" * 513, True, object())
        self.assertIsNone(memory.find(b"a" * 513, True))
        for number in range(1000):
            memory.keep(b"%d" % number, True, object())
        self.assertLessEqual(len(memory._whole), 16)

    def test_bounded_of_all(self) -> None:
        """All connections together hold no more than that; what one forgets others may hold."""
        # those of other tests may be there still
        self.addCleanup(setattr, REMEMBERED, "blocks", REMEMBERED.blocks)
        REMEMBERED.blocks = 0
        memories = [BlockMemory() for _ in range(1 + REMEMBERED_BY_ALL // 16)]
        for memory in memories:
            for number in range(16):
                memory.keep(b"%d" % number, True, object())
        self.assertEqual(REMEMBERED.blocks, REMEMBERED_BY_ALL)
        self.assertIsNone(memories[-1].find(b"15", True))
        memories[0].forget()
        memories[-1].keep(b"15", False, self)
        self.assertIs(memories[-1].find(b"15", False), self)
        for memory in memories:
            memory.forget()
        self.assertEqual(REMEMBERED.blocks, 0)
