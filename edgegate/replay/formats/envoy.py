"""Formats of Envoy and of edgegate, text and JSON, by their command operators (L{edgegate.model.operators})."""

from __future__ import annotations

from typing import Final

from edgegate.model.log_formats import JSONFormat, JSONObject, TextFormat, read_format
from edgegate.model.operators import Operator
from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import Escapes
from edgegate.replay.formats.templates import Slot, Template

ISTIO: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% '
    '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% '
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"
)
"""Istio's default (C{meshConfig.accessLogFormat}), which edgegate's is field by field."""

ENVOY: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" '
    '"%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
)
"""Envoy's own default (U{https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage})."""

_ALONE: Final = {
    "PROTOCOL": columns.PROTOCOL,
    "RESPONSE_CODE": columns.STATUS,
    "RESPONSE_FLAGS": columns.FLAGS,
    "RESPONSE_CODE_DETAILS": columns.DETAILS,
    "UPSTREAM_CLUSTER": columns.CLUSTER,
    "UPSTREAM_CLUSTER_RAW": columns.CLUSTER,
    "DOWNSTREAM_LOCAL_ADDRESS": columns.LOCAL,
    "DOWNSTREAM_LOCAL_PORT": columns.PORT,
    "REQUESTED_SERVER_NAME": columns.SNI,
    "ROUTE_NAME": columns.ROUTE,
}
_REQUEST: Final = {
    ":method": columns.METHOD,
    ":path": columns.TARGET,
    "x-envoy-original-path?:path": columns.TARGET,
    ":authority": columns.AUTHORITY,
    "x-envoy-original-host?:authority": columns.AUTHORITY,
    "host": columns.AUTHORITY,
    ":scheme": columns.SCHEME,
}
_PATHS: Final = {"": columns.TARGET, "WQ": columns.TARGET, "NQ": columns.PATH}


def envoy_template(text: str, escapes: Escapes, more: bool = False) -> Template:
    """
    Read a text with operators.

    @param more: Whether lines may go on behind it.
    @raise ValueError: It is none that lines can be read by.
    """
    form = read_format(text)
    if not isinstance(form, TextFormat):
        raise ValueError("it is no text with operators")
    parts = [part if isinstance(part, str) else Slot(column(part)) for part in form.parts]
    last = parts[-1]
    if isinstance(last, str):
        parts[-1:] = [each for each in (last.removesuffix("\n"),) if each]
    template = Template(tuple(parts), escapes, more)
    template.check()
    return template


def column(operator: Operator) -> str:
    """Return what an operator says; empty: nothing that matters here, or not all of it."""
    argument = operator.argument
    if operator.longest is not None:
        return ""
    if operator.name in ("REQ", "STREAM_INFO_REQ"):
        return _header(argument.lower())
    if operator.name == "PATH":
        return _PATHS.get(argument.partition(":")[0], "")
    return _ALONE.get(operator.name, "") if argument in ("", "SNI_ONLY") else ""


def _header(name: str) -> str:
    if name in _REQUEST:
        return _REQUEST[name]
    return "" if "?" in name or name.startswith(":") else columns.header(name)


def json_keys(form: JSONFormat) -> dict[tuple[str, ...], str]:
    """Return what each key of a JSON format says, by the keys that lead to it."""
    return dict(_keys(form.value, ()))


def _keys(node: JSONObject, way: tuple[str, ...]) -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]] = []
    for key, each in node.fields:
        if isinstance(each, JSONObject):
            found += _keys(each, (*way, key))
        elif isinstance(each, TextFormat) and len(each.parts) == 1 and isinstance(each.parts[0], Operator):
            said = column(each.parts[0])
            if said:
                found.append(((*way, key), said))
    return found
