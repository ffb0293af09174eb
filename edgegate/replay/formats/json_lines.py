"""Lines of JSON."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import Escapes
from edgegate.replay.formats.reading import NO_LINE, NO_REQUEST, NO_REQUEST_LINE, LineReader, Values

Keys = Mapping[tuple[str, ...], str]
"""What stands behind a key, by all keys that lead to it."""

ISTIO_KEYS: Final[Keys] = {
    ("method",): columns.METHOD,
    ("path",): columns.TARGET,
    ("protocol",): columns.PROTOCOL,
    ("response_code",): columns.STATUS,
    ("response_flags",): columns.FLAGS,
    ("response_code_details",): columns.DETAILS,
    ("x_forwarded_for",): columns.header("x-forwarded-for"),
    ("user_agent",): columns.header("user-agent"),
    ("authority",): columns.AUTHORITY,
    ("upstream_cluster",): columns.CLUSTER,
    ("downstream_local_address",): columns.LOCAL,
    ("requested_server_name",): columns.SNI,
    ("route_name",): columns.ROUTE,
}
"""Those of edgegate's and Istio's default."""

OWN_KEY: Final = "route_origin"
"""A key that edgegate writes and Istio does not."""


@dataclass(frozen=True, slots=True)
class JSONLines:
    """
    A format of objects, one a line.

    @ivar escapes: How what clients sent is written within its texts.
    """

    name: str
    keys: Keys
    escapes: Escapes = Escapes.NONE

    def __post_init__(self) -> None:
        """
        @raise ValueError: Its lines say nothing of requests.
        """
        said = self.columns
        for needed, words in ((columns.METHOD, "the request's method"), (columns.PATH, "the request's path")):
            if needed not in said:
                raise ValueError(f"it does not say {words}: there is nothing to replay")

    @property
    def columns(self) -> tuple[str, ...]:
        """What its lines say, each once."""
        found = [each for said in self.keys.values() for each in columns.PARTS.get(said, (said,))]
        return tuple(dict.fromkeys(found))

    def reader(self, wanted: Collection[str]) -> LineReader:
        """Return what reads these columns of its lines."""
        return _Reader(self.keys, wanted)


NO_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for what is no JSON, for bytes that are no text, and for what is too deep."""


class _Reader:
    """
    Reads lines by their keys.

    @ivar columns: What of each line is returned.
    """

    def __init__(self, keys: Keys, wanted: Collection[str]) -> None:
        parts = ((way, columns.PARTS.get(said, (said,))) for way, said in keys.items())
        self._taken = [(way, said) for way, said in parts if not {columns.METHOD, *wanted}.isdisjoint(said)]
        self.columns = tuple(dict.fromkeys(name for _, said in self._taken for name in said if name in wanted))
        self._whole_lines = columns.REQUEST in keys.values()
        self._plain = columns.QUERY not in wanted
        self._decode = msgspec.json.Decoder(dict[str, Any]).decode

    def read(self, line: bytes) -> Values | str:
        """Return the values of the columns, or why there are none."""
        try:
            found = self._decode(line)
        except NO_JSON:
            return NO_LINE
        said: dict[str, bytes | None] = {}
        for way, names in self._taken:
            value = _value(found, way)
            if names[0] == columns.PATH and len(names) > 1:
                _take_target(said, value)
            elif len(names) > 1:
                _take_request(said, value)
            elif said.get(names[0]) is None:
                said[names[0]] = value
        if said.get(columns.METHOD) in (None, b"-"):
            return NO_REQUEST_LINE if self._whole_lines else NO_REQUEST
        if self._plain and _QUERY.fullmatch(said.get(columns.QUERY) or b"") is None:
            return NO_LINE
        return tuple([said.get(name) for name in self.columns])


_QUERY: Final = re.compile(rb"[!$-\[\]-~]*")
"""What a query that nobody wants must be; see L{TemplateReader}."""


def _value(found: Any, way: tuple[str, ...]) -> bytes | None:
    """Return what stands behind a key; L{None}: nothing does."""
    for key in way:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    if found is None or isinstance(found, dict | list):
        return None
    return found.encode("utf-8", "surrogateescape") if isinstance(found, str) else str(found).encode()


def _take_target(said: dict[str, bytes | None], value: bytes | None) -> None:
    if value is not None:
        path, mark, query = value.partition(b"?")
        said[columns.PATH], said[columns.QUERY] = path, mark + query


def _take_request(said: dict[str, bytes | None], value: bytes | None) -> None:
    """Take a request line apart, if it is one."""
    method, _, rest = (value or b"").partition(b" ")
    target, space, protocol = rest.rpartition(b" ")
    if space and protocol.startswith(b"HTTP/") and b" " not in target:
        said[columns.METHOD], said[columns.PROTOCOL] = method, protocol
        _take_target(said, target)
