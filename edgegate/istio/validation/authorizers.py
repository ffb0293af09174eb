"""What a service that says who may pass must be by itself (Istio's C{pkg/config/validation/extensionprovider.go})."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from edgegate.config.document import Path
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.authorization_providers import BodyInCheck, GRPCAuthorization, HTTPAuthorization
from edgegate.istio.kinds.mesh_config import ExtensionProvider
from edgegate.istio.validation.collectors import MOST_PORT, check_place
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_header
from edgegate.model import codes
from edgegate.model.authorizers import DEFAULT_TIMEOUT
from edgegate.model.headers import Template
from edgegate.model.operators import EMPTY, OPERATORS, Operator, UnknownOperator

STATUSES = frozenset(
    (
        *(200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308),
        *(*range(400, 418), 421, 422, 423, 424, 426, 428, 429, 431, *range(500, 509), 510, 511),
    )
)
"""Those of C{envoy.type.v3.StatusCode} that a final response has."""

OWN = frozenset(("host", "content-length", "connection", "expect", "te", "transfer-encoding", "upgrade"))
"""Headers that a check, and a request, says for itself."""

_PATH = re.compile(r"/[\x21-\x22\x24-\x3e\x40-\x7e]*")


def check_authorizer(findings: Findings, path: Path, provider: ExtensionProvider) -> None:
    """Report what is wrong with a provider that is one of these."""
    if provider.envoy_ext_authz_http is not None:
        _check_http(findings, (*path, "envoyExtAuthzHttp"), provider.envoy_ext_authz_http)
    elif provider.envoy_ext_authz_grpc is not None:
        _check(findings, (*path, "envoyExtAuthzGrpc"), provider.envoy_ext_authz_grpc)


def port_of(port: int | str) -> int:
    """Return a port's number, which may be written as text; 0: it is none."""
    if isinstance(port, str):
        port = int(port) if re.fullmatch("[0-9]{1,5}", port, re.ASCII) else 0
    return port if 1 <= port <= MOST_PORT else 0


def status_of(said: str | None) -> int | None:
    """Return a status, which is written as text; L{None}: it is none."""
    number = int(said) if said and re.fullmatch("[0-9]{3}", said, re.ASCII) else 0
    return number if number in STATUSES else None


def _check(findings: Findings, path: Path, said: HTTPAuthorization | GRPCAuthorization) -> None:
    port = port_of(said.port)
    check_place(findings, path, said.service, port or 1)
    if not port:
        findings.error((*path, "port"), f"{show(said.port)} is no port: 1 to {MOST_PORT}")
    if said.status_on_error and status_of(said.status_on_error) is None:
        findings.error((*path, "statusOnError"), f"{show(said.status_on_error)} is no status of HTTP that Envoy knows")
    if said.timeout is None:
        message = f"no timeout is said: as in Istio a request waits {DEFAULT_TIMEOUT:g} seconds; say one, such as 1s"
        findings.warning(path, message, codes.PROVIDER_WITHOUT_TIMEOUT)
    _check_body(findings, (*path, "includeRequestBodyInCheck"), said.include_request_body_in_check)


def _check_body(findings: Findings, path: Path, body: BodyInCheck | None) -> None:
    if body is not None and not body.max_request_bytes:
        findings.error((*path, "maxRequestBytes"), "it says how many bytes are kept at the most, 1 or more")


def _check_http(findings: Findings, path: Path, said: HTTPAuthorization) -> None:
    _check(findings, path, said)
    body = said.include_request_body_in_check
    if body is not None and body.pack_as_bytes:
        message = "does nothing over HTTP, where the body is told as it is"
        findings.warning((*path, "includeRequestBodyInCheck", "packAsBytes"), message, codes.WITHOUT_EFFECT)
    if said.path_prefix and not _PATH.fullmatch(said.path_prefix):
        findings.error((*path, "pathPrefix"), f"{show(said.path_prefix)} is no path: it begins with /, without a query")
    if said.include_request_headers_in_check and said.include_headers_in_check:
        message = "does nothing beside includeRequestHeadersInCheck, which is its new name"
        findings.warning((*path, "includeHeadersInCheck"), message, codes.WITHOUT_EFFECT)
    for name, headers in (
        ("includeHeadersInCheck", said.include_headers_in_check),
        ("includeRequestHeadersInCheck", said.include_request_headers_in_check),
        ("headersToDownstreamOnDeny", said.headers_to_downstream_on_deny),
        ("headersToDownstreamOnAllow", said.headers_to_downstream_on_allow),
    ):
        _check_names(findings, (*path, name), headers)
    upstream: Path = (*path, "headersToUpstreamOnAllow")
    _check_names(findings, upstream, said.headers_to_upstream_on_allow)
    for index, name in enumerate(said.headers_to_upstream_on_allow):
        if name.lower() in (*OWN, "x-forwarded-for", "x-forwarded-proto", "x-request-id"):
            message = f"{name} is said by the gateway itself, whatever the service answers"
            findings.warning((*upstream, index), message, codes.WITHOUT_EFFECT)
    _check_added(findings, (*path, "includeAdditionalHeadersInCheck"), said.include_additional_headers_in_check)


def _check_names(findings: Findings, path: Path, names: Sequence[str]) -> None:
    """Each is a header's name, or the beginning or the end of one."""
    for index, name in enumerate(names):
        once = name.removesuffix("*") if name.endswith("*") else name.removeprefix("*")
        if "*" in once or name == "*":
            findings.error(
                (*path, index), f"{name} is for no header: Istio takes whole names, beginnings x-* and ends *-id"
            )
        else:
            check_header(findings, (*path, index), once or name)


def _check_added(findings: Findings, path: Path, added: Mapping[str, str]) -> None:
    seen: set[str] = set()
    for name, value in added.items():
        check_header(findings, (*path, name), name)
        if name.lower() in seen:
            findings.error((*path, name), f"{name} is given twice")
        seen.add(name.lower())
        if name.lower() in OWN:
            findings.error((*path, name), f"{name} is said by the check itself")
        try:
            template = Template.parse(value)
        except ValueError as error:
            hint = suggestion(error.name, OPERATORS) if isinstance(error, UnknownOperator) else ""
            findings.error((*path, name), f"{error}{hint}")
            continue
        for part in template.parts:
            if isinstance(part, Operator) and part.name in EMPTY:
                message = f"%{part.name}% stands for nothing here: {EMPTY[part.name]}"
                findings.warning((*path, name), message, codes.WITHOUT_EFFECT)
