# Hot path: makes each line of a format that is not the default.
"""Formats of the access log made into functions, once: each makes a line of what ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from json.encoder import encode_basestring_ascii
from typing import Final

from edgegate.access_log.conditions import Condition, condition
from edgegate.access_log.record import Getter, LogRecord, Value
from edgegate.access_log.values import getter
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import DefaultFormat, JSONArray, JSONConstant, JSONFormat, JSONObject, Node, TextFormat
from edgegate.observe.access_log import line_of
from edgegate.observe.events import Ended, RejectedConnection, RelayEnd
from edgegate.observe.log_lines import Line, json_line, shown, text_line

RecordLine = Callable[[LogRecord], str]
"""Makes a line, its newline included."""


def record_line(form: TextFormat | JSONFormat) -> RecordLine:
    """Return what makes lines of a format."""
    if isinstance(form, TextFormat):
        return _text_line(form)
    if form.omit_empty:
        return _sparse_line(form.value)
    return _json_line(form.value)


# Text -----------------------------------------------------------------------------------------------------------------


def _text_line(form: TextFormat) -> RecordLine:
    template, getters = template_of(form)
    empty = "" if form.omit_empty else "-"

    def line(record: LogRecord) -> str:
        return template % tuple([_as_text(find(record), empty) for find in getters])

    return line


def template_of(form: TextFormat) -> tuple[str, list[Getter]]:
    """Return a text with a place for each operator."""
    parts = ["%s" if not isinstance(part, str) else part.replace("%", "%%") for part in form.parts]
    return "".join(parts), [getter(part) for part in form.parts if not isinstance(part, str)]


def _as_text(value: Value, empty: str) -> str:
    if isinstance(value, bytes):
        return shown(value) if value else empty
    if value is None or value == "":
        return empty
    return str(value)


# JSON -----------------------------------------------------------------------------------------------------------------

Encoder = Callable[[LogRecord], str]
"""Makes a value of JSON, as text."""


def _json_line(value: JSONObject) -> RecordLine:
    encoders: list[Encoder] = []
    template = _json_template(value, encoders) + "\n"

    def line(record: LogRecord) -> str:
        return template % tuple([encode(record) for encode in encoders])

    return line


def _json_template(node: Node, encoders: list[Encoder]) -> str:
    """Return JSON with a place for each value that differs, and put what makes those at the end of the list."""
    if isinstance(node, JSONObject):
        fields = [f"{_key(key)}:{_json_template(each, encoders)}" for key, each in node.fields]
        return "{" + ",".join(fields) + "}"
    if isinstance(node, JSONArray):
        return "[" + ",".join([_json_template(each, encoders) for each in node.items]) + "]"
    if isinstance(node, JSONConstant):
        return node.text.replace("%", "%%")
    encoders.append(_encoder(node))
    return "%s"


def _key(key: str) -> str:
    return encode_basestring_ascii(key).replace("%", "%%")


def _encoder(form: TextFormat) -> Encoder:
    parts = form.parts
    if len(parts) == 1 and not isinstance(parts[0], str):
        find = getter(parts[0])
        return lambda record: _as_json(find(record))
    template, getters = template_of(form)
    empty = "" if form.omit_empty else "-"

    def text(record: LogRecord) -> str:
        return encode_basestring_ascii(template % tuple([plain(find(record), empty) for find in getters]))

    return text


def _as_json(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    return encode_basestring_ascii(plain(value, ""))


def plain(value: Value, empty: str) -> str:
    """Return a value as text; what is no UTF-8 is escaped."""
    if value is None:
        return empty
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


_ABSENT: Final = ""


def _sparse_line(value: JSONObject) -> RecordLine:
    encode = _sparse(value)
    return lambda record: (encode(record) or "{}") + "\n"


def _sparse(node: Node) -> Encoder:
    """Return what makes JSON without what has no value; empty: there is nothing left."""
    if isinstance(node, JSONObject):
        fields = [(encode_basestring_ascii(key), _sparse(each)) for key, each in node.fields]

        def made(record: LogRecord) -> str:
            found = [(key, each(record)) for key, each in fields]
            inner = ",".join([f"{key}:{text}" for key, text in found if text])
            return "{" + inner + "}" if inner else _ABSENT

        return made
    if isinstance(node, JSONArray):
        items = [_sparse(each) for each in node.items]

        def listed(record: LogRecord) -> str:
            inner = ",".join([text for text in [each(record) for each in items] if text])
            return "[" + inner + "]" if inner else _ABSENT

        return listed
    if isinstance(node, JSONConstant):
        text = node.text
        return lambda record: text
    encode = _encoder(TextFormat(node.parts, omit_empty=True))

    def present(record: LogRecord) -> str:
        text = encode(record)
        return _ABSENT if text in ("null", '""') else text

    return present


# Both -----------------------------------------------------------------------------------------------------------------

_DEFAULTS: Final = {DefaultFormat.TEXT: text_line, DefaultFormat.JSON: json_line}


def log_line(wanted: AccessLogFile) -> Line:
    """
    Return what makes the lines of a log.

    @raise edgegate.model.cel_tokens.BadExpression: Its filter is no expression.
    """
    line = _line(wanted)
    return line if wanted.unmatched else _of_servers(line)


def followed_line(written: Iterable[AccessLogFile], json: bool) -> Line:
    """
    Return what makes lines of all that ends, as JSON or as text.

    @param written: Logs: the first that is so says how they look, else they look as by default.
    """
    default = DefaultFormat.JSON if json else DefaultFormat.TEXT
    for each in written:
        own = isinstance(each.format, JSONFormat) if json else isinstance(each.format, TextFormat)
        if own or each.format is default:
            return _line(replace(each, filter=""))
    return line_of(_DEFAULTS[default])


def _line(wanted: AccessLogFile) -> Line:
    form = wanted.format
    holds = condition(wanted.filter) if wanted.filter else None
    if not isinstance(form, DefaultFormat):
        return _line_of_own(record_line(form), holds)
    line = line_of(_DEFAULTS[form])
    return line if holds is None else _filtered(holds, line)


def _line_of_own(made: RecordLine, holds: Condition | None) -> Line:
    def line(ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> str:
        record = LogRecord(ended, at, ahead)
        return made(record) if holds is None or holds(record) else ""

    return line


def _filtered(holds: Condition, line: Line) -> Line:
    def filtered(ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> str:
        return line(ended, at, ahead) if holds(LogRecord(ended, at, ahead)) else ""

    return filtered


def _of_servers(line: Line) -> Line:
    """Leave out connections that no server is for."""

    def of_servers(ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> str:
        return "" if isinstance(ended, RejectedConnection) and ended.unknown else line(ended, at, ahead)

    return of_servers
