"""What requests can say at all: what the parsers in front of the routes let through, and what a client should send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from edgegate.analysis import byte_sets
from edgegate.analysis.automata import Expression, nicest_first
from edgegate.analysis.byte_sets import span
from edgegate.model.claims import MARK, claims_of

METHODS: Final[tuple[bytes, ...]] = tuple(
    b"GET POST PUT PATCH DELETE HEAD OPTIONS ACL BIND CHECKOUT COPY LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE "
    b"NOTIFY PROPFIND PROPPATCH PURGE REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split()
)
"""Those that reach the routes, the commonest first."""

STAR: Final = b"*"
"""The path of C{OPTIONS *} (RFC 9110 section 7.1)."""

_VISIBLE: Final = span(0x21, 0x7E)
_BEYOND: Final = span(0x80, 0xFF)

PATH: Final = (_VISIBLE | _BEYOND) & ~byte_sets.of(b"?#")
"""Bytes of a path, whether or not it is brought to a normal form."""

QUERY: Final = (_VISIBLE | _BEYOND) & ~byte_sets.of(b"#")
PARAMETER: Final = QUERY & ~byte_sets.of(b"&")
"""Bytes of the value of a parameter of the query."""

TARGET: Final = QUERY
AUTHORITY: Final = byte_sets.of(b"-._~!$&'()*+,;=:[]") | byte_sets.DIGITS | byte_sets.UPPER | byte_sets.LOWER
FIELD: Final = _VISIBLE | _BEYOND | byte_sets.of(b"\t ")
"""Bytes of the value of a header."""

NAME: Final = byte_sets.of(b"!#$%&'*+-.^_`|~") | byte_sets.DIGITS | byte_sets.LOWER
"""Bytes of the name of a header, in lower case (RFC 9110 section 5.1)."""

PLAIN_PATH: Final = byte_sets.of(b"-._~/!$&'()*+,;=:@[]%") | byte_sets.DIGITS | byte_sets.UPPER | byte_sets.LOWER
"""Bytes of a path in a normal form (L{edgegate.http.target.normal_path})."""

_PLAIN: Final = "(?:[A-Za-z0-9._~/!$&'()*+,;=:@\\[\\]-]|%[0-9A-Fa-f]{2})*"

_SAFE: Final = "A-Za-z0-9_~!$&'()*+,=:@\\-"
_SEGMENT: Final = f"(?:[{_SAFE}]|\\.(?:[{_SAFE}]|\\.[.{_SAFE}]))[.;{_SAFE}]*"

ANY_PATH: Final = Expression("/\\C*")
ANY_PLAIN_PATH: Final = Expression(f"/{_PLAIN}")
"""Paths in a normal form, and others: not of all escapes, say, that stand for characters that need none."""

ANY_PLAIN_TARGET: Final = Expression(f"/{_PLAIN}(?:\\?\\C*)?")
NORMAL_PATH: Final = Expression(f"(?:/{_SEGMENT})*/|(?:/{_SEGMENT})+")
"""Paths that every C{pathNormalization} leaves as they are; not all of them."""

NORMAL_TARGET: Final = Expression(f"(?:(?:/{_SEGMENT})*/|(?:/{_SEGMENT})+)(?:\\?[/?{_SAFE}&.;]+)?")
ANY_VALUE: Final = Expression("\\C*")
NORMAL_VALUE: Final = Expression("[A-Za-z0-9._~-]+")
FIELD_VALUE: Final = Expression("(?:[^\\t ](?:\\C*[^\\t ])?)?")
"""Values of headers: what surrounds them is not theirs (RFC 9110 section 5.5)."""

PLAIN_VALUE: Final = Expression("[!-~]([ -~]*[!-~])?")
"""Values that can be typed."""


_FIELD_BYTES: Final = nicest_first(FIELD)


def is_value(text: bytes) -> bool:
    """Whether a text can be the value of a header."""
    return text == text.strip(b"\t ") and not text.translate(None, _FIELD_BYTES)


@lru_cache(maxsize=64)
def letters(allowed: int) -> bytes:
    """Return the bytes of a set in the order in which words should use them."""
    return nicest_first(allowed)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What is known of all requests that come to a list of routes.

    @ivar port: The listener's, by the files.
    @ivar schemes: Those that they may be asked for in, the likeliest first.
    @ivar domain: The pattern of their virtual host, in normal form.
    @ivar plain_paths: Whether paths are brought to a normal form, by whichever C{pathNormalization} but C{NONE}.
    @ivar name: A host that finds it; what is asked for where no condition says another. Empty: one is made up.
    """

    port: int = 80
    schemes: tuple[bytes, ...] = (b"http", b"https")
    domain: str = "*"
    name: str = ""
    plain_paths: bool = False

    @property
    def host(self) -> bytes:
        """Return the host that is asked for where no condition says another."""
        if self.name:
            return self.name.encode("ascii")
        if self.domain == "*":
            return b"host.example"
        return (self.domain if self.domain[0] != "*" else "a" + self.domain[1:]).encode("ascii")

    def authorities(self) -> str:
        """Return an expression of all that C{Host} may say, or more: in any case, with a port or without."""
        name, end = self.domain, "\\.?(?::[0-9]{0,5})?"
        characters = "[A-Za-z0-9!$&'()*+,;=._~-]"
        if name == "*":
            return f"(?:{characters}+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{{0,5}})?|"
        if name[0] == "[":
            # an address has many spellings, and the expression takes all addresses for it
            return "\\[[0-9A-Fa-f:.]+\\](?::[0-9]{0,5})?"
        wild = f"{characters}+" if name[0] == "*" else ""
        return f"{wild}(?i:{_quoted(name.removeprefix('*'))}){end}"


ANYWHERE: Final = Surroundings()


def _quoted(text: str) -> str:
    return "".join(character if character.isalnum() else f"\\{character}" for character in text)


_CLAIM: Final = MARK.encode("ascii")


@dataclass(frozen=True, slots=True)
class Witness:
    """
    A request that shows something: a L{edgegate.routing.matching.Request}.

    @ivar path: Without the query; C{*} for C{OPTIONS *}.
    @ivar fields: What a client sends beside C{Host}, names in lower case; those of claims it has in a token.
    """

    method: bytes
    path: bytes
    query: bytes
    authority: bytes
    scheme: bytes
    port: int
    fields: tuple[tuple[bytes, bytes], ...] = ()
    headers: Sequence[tuple[bytes, bytes]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # as the gateway shows it to the conditions
        object.__setattr__(self, "headers", (*self.fields, (b"host", self.authority)))

    @property
    def claims(self) -> Mapping[str, Any]:
        """Those of the token that a client has."""
        return claims_of(self.claim_fields)

    @property
    def claim_fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """The claims, by their names."""
        return tuple(field for field in self.fields if field[0].startswith(_CLAIM))

    @property
    def sent(self) -> tuple[tuple[bytes, bytes], ...]:
        """The fields that are headers."""
        return tuple(field for field in self.fields if not field[0].startswith(_CLAIM))

    @property
    def target(self) -> bytes:
        """The path with its query."""
        return b"%b?%b" % (self.path, self.query) if self.query else self.path

    def __str__(self) -> str:
        fields = "".join(f" {name.decode('latin-1')}: {value.decode('latin-1')!r}" for name, value in self.fields)
        url = f"{self.scheme.decode()}://{self.authority.decode('latin-1')}{self.target.decode('latin-1')}"
        return f"{self.method.decode('latin-1')} {url}{fields}"
