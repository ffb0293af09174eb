"""What the fields of all kinds are made of: the base of the structs, protobuf's types, and what is honoured."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, ClassVar

from msgspec import Meta, Struct


class Spec(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """
    A message of an API. Names are the JSON names in snake_case.

    A field that was not given is L{None}, or empty where it is a list or a map.
    """


class OneOf(Spec, frozen=True, kw_only=True):
    """
    A message with fields that exclude each other.

    @cvar one_of: Their Python names. At most one may be given.
    """

    one_of: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        given = False
        for name in self.one_of:
            if getattr(self, name) is not None:
                if given:
                    raise ValueError("fields that exclude each other")
                given = True


@dataclass(frozen=True, slots=True)
class Note:
    """
    Says of a field that giving it does not do what Istio's reference says.

    @ivar message: The warning that whoever gives it gets, beginning with C{not honoured}.
    @ivar values: Where only some values are concerned: their messages by value, in place of C{message}.
    @ivar remark: What only the documentation says, of a field that nobody has to be warned of.
    """

    message: str = ""
    values: tuple[tuple[str, str], ...] = ()
    remark: str = ""

    @property
    def meta(self) -> Meta:
        """The annotation of the field."""
        return Meta(extra={"note": self})


_MILLISECOND = 1_000_000  # nanoseconds

NOT_YET = Note("not honoured yet").meta

UInt32 = Annotated[int, Meta(ge=0, le=4294967295)]
Int32 = Annotated[int, Meta(ge=-2147483648, le=2147483647)]


class Duration(float):
    """A time in seconds, written as C{1.5s}, C{100ms} or C{1h30m}."""

    __slots__ = ()

    _PART: ClassVar[re.Pattern[str]] = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
    _NANOSECONDS: ClassVar[dict[str, int]] = {
        "ns": 1,
        "us": 1_000,
        "µs": 1_000,
        "μs": 1_000,
        "ms": _MILLISECOND,
        "s": 1_000_000_000,
        "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    }
    LONGEST: ClassVar[float] = 315_576_000_000.0  # protobuf's Duration ends at 10,000 years

    @classmethod
    @lru_cache(maxsize=1024)  # thousands of routes say a few
    def parse(cls, text: str) -> Duration:
        """
        Read Go's notation, as Kubernetes does.

        @raise ValueError: It is something else, shorter than 1 ms or no whole number of them (as Istio has it), or
            longer than protobuf can say.
        """
        nanoseconds = cls._nanoseconds(text)
        if nanoseconds < _MILLISECOND:
            raise ValueError("a duration must be at least 1ms")
        if nanoseconds % _MILLISECOND:
            raise ValueError("a duration is a whole number of milliseconds")
        return cls(nanoseconds / 1e9)

    @classmethod
    def _nanoseconds(cls, text: str) -> int:
        """
        Read Go's notation; what is below a nanosecond is cut off, as there.

        @raise ValueError: It is something else, or longer than protobuf can say.
        """
        sign, rest = (text[0], text[1:]) if text[:1] in ("-", "+") and len(text) > 1 else ("", text)
        parts = cls._PART.findall(rest)
        if rest == "0":
            return 0
        if not parts or "".join(number + unit for number, unit in parts) != rest or len(rest) > 64:
            raise ValueError("expected a duration such as 1.5s, 100ms or 1h")
        total = sum(int(Decimal(number) * cls._NANOSECONDS[unit]) for number, unit in parts)
        if total / 1e9 > cls.LONGEST:
            raise ValueError("a duration of more than 10,000 years")
        return -total if sign == "-" else total


class DurationOrNone(Duration):
    """A time in seconds that may be 0, which means that there is none; what is shorter than 1 ms is 0."""

    __slots__ = ()

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> Duration:
        """
        Read Go's notation, C{0} and C{0s} included.

        @raise ValueError: It is something else, below 0, or longer than protobuf can say.
        """
        nanoseconds = cls._nanoseconds(text)
        if nanoseconds < 0:
            raise ValueError("a duration must not be below 0")
        return cls(nanoseconds / 1e9 if nanoseconds >= _MILLISECOND else 0)


class Base64(bytes):
    """Bytes that are written in base64. Not shown, as they may be secret."""

    @classmethod
    def parse(cls, text: str) -> Base64:
        """
        Decode as Go does: the standard alphabet with padding, line breaks passed over.

        @raise ValueError: It is not base64. The text is not repeated.
        """
        try:
            return cls(base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True))
        except (binascii.Error, ValueError):
            raise ValueError("not base64") from None

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"
