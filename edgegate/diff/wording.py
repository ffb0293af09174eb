"""Values of the model in words, whatever they are made of: none may look like another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Any, Final

from edgegate.model.actions import REQUEST_PORT
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.match_parts import as_written
from edgegate.model.matching import StringMatch
from edgegate.model.operators import Operator
from edgegate.model.tls import Credential, TLSVersion

_SECONDS: Final = frozenset(
    (
        *("timeout", "per_try_timeout", "backoff", "seconds", "connect_timeout", "http_idle", "tcp_idle"),
        *("connection_duration", "interval", "base_ejection", "initial_delay", "period", "duration", "cookie_ttl"),
        "time",
    )
)
_SHARES: Final = frozenset(("share", "max_ejected", "min_health", "minimum"))
_PEM: Final = frozenset(("authorities", "revocations"))
_HIDDEN: Final = ("authorization", "cookie", "password", "secret", "token", "api-key", "apikey")
"""What a header's name holds whose value is not for everyone who reads a pull request."""

_NAMES: Final = {
    "alpn": "ALPN",
    "spki": "public keys",
    "hashes": "certificate hashes",
    "sni": "SNI",
    "http": "HTTP version",
    "grpc_web": "gRPC-Web",
    "cors": "CORS",
    "tls": "TLS",
    "max_age": "max age",
    "subject_alt_names": "subject names",
    "minimum": "minimum",
    "unmatched": "connections that no server is for",
    "outliers": "outlier detection",
    "limits": "limits",
    "balancer": "load balancing",
    "http2": "HTTP/2",
    "http_idle": "HTTP idle timeout",
    "tcp_idle": "TCP idle timeout",
    "consecutive_5xx": "errors in a row",
}
_LONGEST: Final = 120
"""Characters of a value that are shown."""


def label(name: str) -> str:
    """Return what a field is called in words."""
    return _NAMES.get(name, name.replace("_", " "))


def words(value: object, field: str = "") -> str:
    """
    Return a value in words.

    @param field: Of which field of a dataclass it is: that says its unit.
    """
    if value is None:
        return "none"
    for kind, spoken in _SPOKEN:
        if isinstance(value, kind):
            return spoken(value, field)
    return _composed(value)


def _composed(value: object) -> str:
    """Return a dataclass in words: what is not as usual of it."""
    if not is_dataclass(value):
        return repr(value)
    said = [
        f"{label(each.name)} {words(getattr(value, each.name), each.name)}"
        for each in compared(value)
        if not _is_default(each, getattr(value, each.name))
    ]
    return ", ".join(said) or "as usual"


def compared(value: Any) -> list[Field[Any]]:
    """Return the fields of a dataclass that tell two of its kind apart."""
    return [each for each in fields(value) if each.compare]


def _is_default(field: Field[Any], value: object) -> bool:
    return field.default is not MISSING and bool(field.default == value)


def _version(version: TLSVersion) -> str:
    return "TLS " + version.name.removeprefix("TLSV").replace("_", ".")


def _number(value: float, field: str) -> str:
    if field == "port" and value == REQUEST_PORT:
        return "the request's"
    if field in _SECONDS:
        return f"{value:g} s"
    if field in _SHARES and isinstance(value, float):
        return f"{value * 100:g} %"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _shown(value: bytes) -> bool:
    return all(32 <= code < 127 or code in b"\t\n\r" for code in value)


def _digest(value: bytes) -> str:
    return f"sha256 {sha256(value).hexdigest()[:16]}"


def _text(text: str) -> str:
    """Return a text, quoted where it would be misread; a long one with its digest."""
    if len(text) > _LONGEST:
        return f"{_text(text[:60])}... ({len(text)} characters, {_digest(text.encode())})"
    plain = text and text.isprintable() and text == text.strip() and not set(text) & set(",\"'")
    return text if plain else '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def _joined(parts: list[str]) -> str:
    return ", ".join(parts) or "none"


def template(value: Template) -> str:
    """Return the value of a header as files have it."""
    return _text(
        "".join(
            operator(part) if isinstance(part, Operator) else part.decode("latin-1").replace("%", "%%")
            for part in value.parts
        )
    )


def operator(value: Operator) -> str:
    """Return a command operator as files have it."""
    argument = f"({value.argument})" if value.argument else ""
    longest = "" if value.longest is None else f":{value.longest}"
    return f"%{value.name}{argument}{longest}%"


def hidden(name: bytes) -> bool:
    """Whether the value of a header is not for everyone, by its name."""
    said = name.decode("latin-1").lower()
    return any(word in said for word in _HIDDEN)


def shown_field(name: bytes, value: bytes) -> str:
    """Return the value of a header that a client sends, or a digest of one that is not for everyone."""
    return f"hidden ({_digest(value)})" if hidden(name) else value.decode("utf-8", "backslashreplace")


def header_value(name: bytes, value: Template) -> str:
    """Return a header's value, or a digest of one that is not for everyone."""
    said = template(value)
    return f"hidden ({_digest(value.constant or said.encode())})" if hidden(name) else said


def _changes(changes: HeaderChanges) -> str:
    said = [f"remove {name.decode('latin-1')}" for name in changes.remove]
    for word, given in (("set", changes.set), ("add", changes.add)):
        said += [f"{word} {name.decode('latin-1')}: {header_value(name, value)}" for name, value in given]
    return "; ".join(said) or "none"


def _enum(value: Enum, field: str) -> str:
    return _version(value) if isinstance(value, TLSVersion) else str(value.value)


def _bytes(value: bytes, field: str) -> str:
    return _digest(value) if value and (field in _PEM or not _shown(value)) else _text(value.decode("latin-1"))


def _mapping(value: Mapping[object, object], field: str) -> str:
    return _joined([f"{words(name)} {words(each)}" for name, each in value.items()])


_SPOKEN: Final[tuple[tuple[Any, Callable[[Any, str], str]], ...]] = (
    (bool, lambda value, field: "yes" if value else "no"),
    (Enum, _enum),
    ((int, float), _number),
    (bytes, _bytes),
    (str, lambda value, field: _text(value)),
    (frozenset, lambda value, field: _joined(sorted(words(each, field) for each in value))),
    (Mapping, _mapping),
    (tuple, lambda value, field: _joined([words(each, field) for each in value])),
    ((TCPAddress, UNIXAddress), lambda value, field: str(value)),
    (StringMatch, lambda value, field: as_written(value, _text)),
    (Template, lambda value, field: template(value)),
    (Operator, lambda value, field: operator(value)),
    (HeaderChanges, lambda value, field: _changes(value)),
    (Credential, lambda value, field: value.name + (f" with key {value.key_file}" if value.key_file else "")),
)
"""How values of each kind are told; the first that fits."""
