"""Which format a log has: by its first lines, or as somebody says."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from edgegate.model.log_formats import JSONFormat, read_format
from edgegate.model.operators import OPERATORS
from edgegate.replay.formats import columns
from edgegate.replay.formats.apache import VHOST_COMBINED, apache_template, is_apache
from edgegate.replay.formats.envoy import ENVOY, ISTIO, envoy_template, json_keys
from edgegate.replay.formats.escapes import Escapes
from edgegate.replay.formats.json_lines import ISTIO_KEYS, NO_JSON, OWN_KEY, JSONLines
from edgegate.replay.formats.nginx import COMBINED, COMMON, is_nginx, nginx_template, variable
from edgegate.replay.formats.reading import NO_LINE, LineFormat
from edgegate.replay.formats.text_lines import TextLines

SAMPLE: Final = 200
"""Lines that a format is told by."""


class UnknownFormat(ValueError):
    """No format fits, or what was said is none."""


EDGEGATE = TextLines("edgegate", envoy_template(ISTIO, Escapes.BACKSLASH), raw_quotes=True)
"""Istio's lines are the same as long as there is nothing to escape: those behind the first may have quotes in them."""

ISTIO_TEXT = TextLines("istio", envoy_template(ISTIO, Escapes.NONE), raw_quotes=True)
ENVOY_TEXT = TextLines("envoy", envoy_template(ENVOY, Escapes.NONE), raw_quotes=True)
EDGEGATE_JSON = JSONLines("edgegate-json", ISTIO_KEYS, Escapes.BACKSLASH)
ISTIO_JSON = JSONLines("istio-json", ISTIO_KEYS)
VHOSTS = TextLines("vhost_combined", apache_template(VHOST_COMBINED, more=True))
COMBINED_LINES = TextLines("combined", nginx_template(COMBINED, more=True))
COMMON_LINES = TextLines("common", nginx_template(COMMON, more=True))

_TEXTS: Final = (replace(EDGEGATE, raw_quotes=False), ISTIO_TEXT, ENVOY_TEXT, VHOSTS, COMBINED_LINES, COMMON_LINES)
"""In the order in which they are tried: of those that read as many lines the first counts."""

NAMED: Final[dict[str, LineFormat]] = {each.name: each for each in (*_TEXTS, EDGEGATE, EDGEGATE_JSON, ISTIO_JSON)}
"""Formats by the names that they may be asked for by."""


def recognised(lines: Sequence[bytes]) -> LineFormat:
    """
    Return the format that most of a log's first lines have.

    @raise UnknownFormat: None fits.
    """
    sample = [line for line in lines if line.strip()][:SAMPLE]
    if not sample:
        raise UnknownFormat("there is no line in it")
    if all(line.lstrip().startswith(b"{") for line in sample):
        return _json(sample)
    best: LineFormat | None = None
    most = 0
    for each in _TEXTS:
        reader = each.reader(())
        count = sum(reader.read(line) != NO_LINE for line in sample)
        if count > most:
            best, most = each, count
    if best is None:
        raise UnknownFormat(
            "its lines have no format that is known: say it by --format, as nginx, Apache or Envoy was told it"
        )
    return NAMED[best.name]


def _json(sample: Sequence[bytes]) -> LineFormat:
    """Return how lines of JSON are read: Istio's keys, or keys that are called as variables of nginx are."""
    try:
        keys = [str(key) for key in msgspec.json.decode(sample[0], type=dict[str, object])]
    except NO_JSON:
        raise UnknownFormat("its first line is no JSON") from None
    if "method" in keys and "path" in keys:
        return EDGEGATE_JSON if OWN_KEY in keys else ISTIO_JSON
    named: dict[tuple[str, ...], str] = {(key,): said for key in keys if (said := variable(key))}
    try:
        return JSONLines("json with nginx's names", named)
    except ValueError:
        raise UnknownFormat("no keys of its JSON are known: say the format by --format") from None


def format_of(text: str) -> LineFormat:
    """
    Return the format that somebody says: the name of one, or what nginx, Apache or Envoy was told.

    @raise UnknownFormat: It is none.
    """
    text = text.strip()
    if text in NAMED:
        return NAMED[text]
    try:
        return _format_of(_bare(text))
    except ValueError as error:
        raise UnknownFormat(str(error)) from None


def _format_of(text: str) -> LineFormat:
    if text.startswith("{") and "%" in text and not is_nginx(text):
        form = read_format(text)
        assert isinstance(form, JSONFormat)
        return JSONLines("JSON", json_keys(form))
    if is_nginx(text):
        return TextLines("nginx", nginx_template(text))
    if any(f"%{name}{end}" in text for name in OPERATORS for end in "%("):
        return TextLines("Envoy", envoy_template(text, Escapes.NONE))
    if is_apache(text):
        return TextLines("Apache", apache_template(text))
    raise ValueError(f"it is none of {', '.join(NAMED)}, nor a format of nginx, Apache or Envoy")


def _bare(text: str) -> str:
    """Return the format alone, where somebody says the whole line of a configuration."""
    word = text.split(None, 1)[0] if text else ""
    if word not in ("log_format", "LogFormat"):
        return text
    words = shlex.split(text.removesuffix(";"))[1:]
    if word == "LogFormat":
        return words[0] if words else ""
    escape = [each + " " for each in words[1:2] if each.startswith("escape=")]
    return "".join([*escape, *words[1 + len(escape) :]])


def says_host(form: LineFormat) -> bool:
    """Whether lines of a format tell which host was asked for."""
    return not set(columns.HOSTS).isdisjoint(form.columns)
