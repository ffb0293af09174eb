"""Istio's rules for changes to headers."""

from __future__ import annotations

import re

from edgegate.config.document import Path
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.virtual_service import HeaderOperations, Headers
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_header
from edgegate.model.headers import FRAMING, SET_LAST, Template
from edgegate.model.operators import EMPTY, OPERATORS, Operator, UnknownOperator

_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_AUTHORITY = re.compile(r"[\x21-\x7e]+")
_AUTHORITY_NAMES = ("host", ":authority")


def check_headers(findings: Findings, path: Path, headers: Headers | None) -> None:
    """Names are names of headers, values are values, and both can be changed."""
    if headers is None:
        return
    for side, operations in (("request", headers.request), ("response", headers.response)):
        if operations is not None:
            _check_operations(findings, (*path, side), operations, request=side == "request")


def check_authority(findings: Findings, path: Path, authority: str | None) -> None:
    """An authority is a host, with a port or without."""
    if authority and (not _AUTHORITY.fullmatch(authority) or set(authority) & set("/\\@?#%")):
        findings.error(path, f"{show(authority)} is no host with or without a port")


def authorities(headers: Headers | None) -> list[Path]:
    """Return the places where the authority of requests is set, within C{headers}."""
    if headers is None or headers.request is None:
        return []
    given = (("set", headers.request.set), ("add", headers.request.add))
    return [("request", verb, name) for verb, names in given for name in names if name.lower() in _AUTHORITY_NAMES]


def _check_operations(findings: Findings, path: Path, operations: HeaderOperations, request: bool) -> None:
    authorities = []
    for verb, changes in (("set", operations.set), ("add", operations.add)):
        for name, value in changes.items():
            place = (*path, verb, name)
            if name.lower() not in _AUTHORITY_NAMES:
                _check_name(findings, place, name, request)
                _check_value(findings, place, value)
            elif request:
                authorities.append(place)
                check_authority(findings, place, value)
            else:
                findings.error(place, f"{name} can only be set, in requests")
    for place in authorities[1:]:
        findings.error(place, "the authority can be set once")
    for index, name in enumerate(operations.remove):
        if name.lower() in _AUTHORITY_NAMES:
            findings.error((*path, "remove", index), f"{name} can only be set, in requests")
        else:
            _check_name(findings, (*path, "remove", index), name, request)


def _check_name(findings: Findings, path: Path, name: str, request: bool) -> None:
    check_header(findings, path, name)
    if name.lower() in FRAMING:
        findings.warning(path, f"{name} belongs to each connection: it can't be changed")
    elif not request and name.lower() in SET_LAST:
        findings.warning(path, f"{name} is set last by the gateway, as by Istio's: it can't be changed")


def _check_value(findings: Findings, path: Path, value: str) -> None:
    if not _VALUE.fullmatch(value):
        findings.error(path, "the value holds a character that no header can have")
    try:
        parts = Template.parse(value).parts
    except UnknownOperator as error:
        findings.error(path, f"{error}{suggestion(error.name, OPERATORS)}")
    except ValueError as error:
        findings.error(path, str(error))
    else:
        operators = [part for part in parts if isinstance(part, Operator)]
        for each in (*operators, *(choice for part in operators for choice in part.choices)):
            if each.name in EMPTY:
                findings.warning(path, f"%{each.name}% stands for nothing here: {EMPTY[each.name]}")
