# Hot path: each string of a header block that is not in a table passes here.
"""
The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), decoded.

The code is canonical, so the lengths of its 257 codes are all there is to know.
An automaton is made of them that takes 4 bits a step: its states are the inner
nodes of the code's tree, of which there are 256. Nothing is ever encoded:
HTTP/2 lets each side choose, and a byte costs less than the time.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.h2.errors import COMPRESSION_ERROR, ConnectionFailed

_LENGTHS: Final = (
    r"MW\\\\\\\X^\\^\\\\\\\\^\\\\\\\\\FJJLMFHKJJHKHFFFEEEFFFFFFFGHOFLJMFGGGGGGGGGGGGGGGGGGGGGGHGHMSMNFOEFEFEFFFEGGFFFEFGFEEFG"
    r"GGGGOKNM\TVTTVVVWVWWWWWXWXXVWXWWWWUVWVWWXVUTVVWWUWVVXUVWWUUVUWVWWTVVVWVVWZZTSVWVYZZZ[[ZXYSUZ[[Z[XUUZZ\[[[TXTUVUUWVVY"
    r"YXXZWZ[ZZ[[[[[\[[[[[Z^"
)
"""The length of each symbol's code, as the character whose number is 64 more; the last symbol ends a string."""

_END_OF_STRING: Final = 256

# What a step comes to.
_SYMBOL: Final = 1
_ERROR: Final = 2


def _tree() -> list[list[int]]:
    """Return the code's tree; a child is the place of a node where it is above 0, and C{-1 - symbol} where below."""
    lengths = [ord(each) - 64 for each in _LENGTHS]
    tree: list[list[int]] = [[0, 0]]
    code = before = 0
    for symbol in sorted(range(257), key=lambda each: (lengths[each], each)):
        length = lengths[symbol]
        code <<= length - before
        before = length
        at = 0
        for bit in range(length - 1, 0, -1):
            side = (code >> bit) & 1
            if tree[at][side] == 0:
                tree.append([0, 0])
                tree[at][side] = len(tree) - 1
            at = tree[at][side]
        tree[at][code & 1] = -1 - symbol
        code += 1
    return tree


def _automaton() -> tuple[bytes, bytes, bytes, bytes]:
    """
    Return, for each state and each 4 bits, the next state, the symbol that is whole by then, and what came of the step;
    and for each state whether a string may end in it.
    """
    tree = _tree()
    follow, symbols, kinds = bytearray(4096), bytearray(4096), bytearray(4096)
    for slot in range(4096):
        at = slot >> 4
        for bit in (3, 2, 1, 0):
            child = tree[at][(slot >> bit) & 1]
            if child >= 0:
                at = child
            elif child == -1 - _END_OF_STRING:
                kinds[slot] = _ERROR  # RFC 7541 section 5.2: never inside a string
                at = 0
            else:
                # no code is shorter than 5 bits, so no step completes two
                symbols[slot], kinds[slot], at = -1 - child, kinds[slot] or _SYMBOL, 0
        follow[slot] = at
    last = bytearray(256)
    at = 0
    for _ in range(8):
        last[at] = 1  # at most seven bits of padding, all of them ones
        at = tree[at][1]
    return bytes(follow), bytes(symbols), bytes(kinds), bytes(last)


_parts: tuple[bytes, bytes, bytes, bytes] = _automaton()
_FOLLOW: Final[bytes] = _parts[0]
_SYMBOLS: Final[bytes] = _parts[1]
_KINDS: Final[bytes] = _parts[2]
_LAST: Final[bytes] = _parts[3]


def decoded(data: bytes) -> bytes:
    """
    Return a string that was encoded; it is at most 8/5 as long.

    Each byte costs the same, whatever its bits are.

    @raise ConnectionFailed: It is no string of this code.
    """
    follow, symbols, kinds = _FOLLOW, _SYMBOLS, _KINDS
    out: list[int] = []  # mypyc appends to nothing as fast as to a list
    state = 0
    for at in range(len(data)):
        byte = data[at]
        slot = (state << 4) | (byte >> 4)
        kind = kinds[slot]
        if kind:
            if kind == _ERROR:
                raise ConnectionFailed(COMPRESSION_ERROR, "a Huffman code that is none")
            out.append(symbols[slot])
        slot = (follow[slot] << 4) | (byte & 15)
        kind = kinds[slot]
        if kind:
            if kind == _ERROR:
                raise ConnectionFailed(COMPRESSION_ERROR, "a Huffman code that is none")
            out.append(symbols[slot])
        state = follow[slot]
    if not _LAST[state]:
        raise ConnectionFailed(COMPRESSION_ERROR, "a Huffman code that is cut short")
    return bytes(out)
