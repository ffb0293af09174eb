"""Istio's rules for what an HTTP route does beside routing: redirects, answers, rewrites, retries, faults and so on."""

from __future__ import annotations

import re
from http import HTTPStatus

from edgegate.config.document import Path
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.virtual_service import (
    CorsPolicy,
    HTTPDirectResponse,
    HTTPFaultInjection,
    HTTPRedirect,
    HTTPRetry,
    HTTPRewrite,
    HTTPRoute,
    Percent,
)
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.headers import authorities, check_authority, check_headers
from edgegate.istio.validation.names import check_header, check_port
from edgegate.istio.validation.routes import check_destination, check_expression, check_string_match
from edgegate.model import codes

MAX_BODY = 1024 * 1024
"""Bytes of a direct answer's body."""

RETRY_ON = (
    *("5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx", "refused-stream"),
    *("retriable-status-codes", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure"),
    *("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"),
)
"""Conditions of C{retries.retryOn}, beside status codes (Envoy's C{x-envoy-retry-on} and C{x-envoy-retry-grpc-on})."""

GRPC_STATUSES = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
_OF_BACKENDS = ("mirror", "mirrors", "retries", "timeout")
"""What only says something of requests that go to a backend."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE")

NO_SHARE = "it harms no request, as percentage is missing: say percentage: {value: 100} for all"

_STATUSES = frozenset(str(status.value) for status in HTTPStatus)
_TARGET = re.compile(r"[\x21-\x7e]*")
_NO_EFFECT = {
    "retriable-headers": "no field of Istio's says which headers these are: it never holds",
    "http3-post-connect-failure": "there is no HTTP/3 to backends: it never holds",
}


def check_actions(findings: Findings, path: Path, route: HTTPRoute) -> None:
    """Report what is wrong with all that a route does beside routing."""
    for name, action in (("redirect", route.redirect), ("directResponse", route.direct_response)):
        if action is not None:
            _check_alone(findings, path, route, name)
    if route.redirect is not None:
        _check_redirect(findings, (*path, "redirect"), route.redirect)
        _check_prefix(findings, path, route)
    if route.direct_response is not None:
        _check_response(findings, (*path, "directResponse"), route.direct_response)
    _check_slashes(findings, path, route)
    if route.rewrite is not None:
        _check_rewrite(findings, (*path, "rewrite"), route.rewrite)
        if route.rewrite.authority:
            for place in authorities(route.headers):
                findings.error((*path, "headers", *place), "the authority can be set once: rewrite.authority is it")
    if route.retries is not None:
        _check_retries(findings, (*path, "retries"), route.retries)
    if route.fault is not None:
        _check_fault(findings, (*path, "fault"), route.fault)
    if route.cors_policy is not None:
        _check_cors(findings, (*path, "corsPolicy"), route.cors_policy)
    check_headers(findings, (*path, "headers"), route.headers)
    for index, destination in enumerate(route.route):
        check_headers(findings, (*path, "route", index, "headers"), destination.headers)
    _check_mirrors(findings, path, route)


def _check_alone(findings: Findings, path: Path, route: HTTPRoute, name: str) -> None:
    """What goes with no redirect or direct answer, or can say nothing of it."""
    for other in ("fault", "rewrite"):
        if getattr(route, other) is not None:
            findings.error((*path, other), f"goes with no {name}")
    for other in _OF_BACKENDS:
        if getattr(route, other) not in (None, ()):
            code = codes.RETRY_WITHOUT_EFFECT if other == "retries" else codes.WITHOUT_EFFECT
            findings.warning((*path, other), "says nothing here: these requests go to no backend", code)


def _check_redirect(findings: Findings, path: Path, redirect: HTTPRedirect) -> None:
    parts = ("uri", "prefix_rewrite", "authority", "scheme")
    if not any(getattr(redirect, name) for name in parts) and redirect.port is None and redirect.derive_port is None:
        findings.error(path, "it leads back to itself: give uri, prefixRewrite, authority, scheme, port or derivePort")
    # a place in the page is the browser's to find, and part of a location (RFC 9110 section 10.2.2)
    _check_characters(findings, (*path, "uri"), redirect.uri)
    _check_target(findings, (*path, "prefixRewrite"), redirect.prefix_rewrite)
    check_authority(findings, (*path, "authority"), redirect.authority)
    if redirect.uri and redirect.prefix_rewrite:
        findings.error((*path, "prefixRewrite"), "goes with no uri")
    if redirect.redirect_code and not 300 <= redirect.redirect_code <= 399:
        findings.error((*path, "redirectCode"), f"{redirect.redirect_code} is no redirect: 300 to 399")
    if redirect.scheme and redirect.scheme not in ("http", "https"):
        findings.error((*path, "scheme"), f"{show(redirect.scheme)} is neither http nor https")
    if redirect.port is not None:
        check_port(findings, (*path, "port"), redirect.port)


def _check_prefix(findings: Findings, path: Path, route: HTTPRoute) -> None:
    """A prefix is replaced where one matched: every C{uri} of the route's matches is a prefix."""
    others = [match.uri for match in route.match if match.uri is not None and match.uri.prefix is None]
    if route.redirect is not None and route.redirect.prefix_rewrite and any(uri.exact or uri.regex for uri in others):
        message = "goes with no match by uri.exact or uri.regex, which has no prefix to replace: say uri for these"
        findings.error((*path, "redirect", "prefixRewrite"), message)


def _check_slashes(findings: Findings, path: Path, route: HTTPRoute) -> None:
    """What stands behind a prefix is pasted behind its replacement as it is: one slash should stand between the two."""
    if route.redirect is not None:
        place, new = (*path, "redirect", "prefixRewrite"), route.redirect.prefix_rewrite
    elif route.rewrite is not None and route.rewrite.uri_regex_rewrite is None:
        place, new = (*path, "rewrite", "uri"), route.rewrite.uri
    else:
        return
    uris = [match.uri for match in route.match] or [None]
    prefixes = [uri.prefix if uri is not None else "/" for uri in uris if uri is None or uri.prefix]
    for prefix in dict.fromkeys(prefixes):
        if not new or not prefix or prefix.endswith("/") == new.endswith("/"):
            continue
        old = f"{prefix}x" if prefix.endswith("/") else f"{prefix}/x"
        what = "a slash is lost" if prefix.endswith("/") else "a slash is doubled"
        findings.warning(place, f"{what}: {old} becomes {new}{old[len(prefix) :]}", codes.DOUBTFUL_PATH)


def _check_target(findings: Findings, path: Path, text: str | None) -> None:
    """What becomes a part of a request line or of a URL in front of others holds nothing that could end it."""
    _check_characters(findings, path, text)
    if text and "#" in text:
        findings.error(path, f"{show(text)} has a fragment, which is never sent")


def _check_characters(findings: Findings, path: Path, text: str | None) -> None:
    if text and not _TARGET.fullmatch(text):
        findings.error(path, f"{show(text)} holds a character that no URL can have: percent-encode it")


def _check_response(findings: Findings, path: Path, answer: HTTPDirectResponse) -> None:
    if not 200 <= answer.status <= 599:
        findings.error((*path, "status"), f"{answer.status} is no status of an answer: 200 to 599")
    if answer.body is not None:
        size = len(answer.body.bytes or (answer.body.string or "").encode())
        if size > MAX_BODY:
            findings.error((*path, "body"), f"{size} bytes: at most {MAX_BODY}")


def _check_rewrite(findings: Findings, path: Path, rewrite: HTTPRewrite) -> None:
    if not rewrite.uri and not rewrite.authority and rewrite.uri_regex_rewrite is None:
        findings.error(path, "it rewrites nothing: give uri, uriRegexRewrite or authority")
    _check_target(findings, (*path, "uri"), rewrite.uri)
    check_authority(findings, (*path, "authority"), rewrite.authority)
    if rewrite.uri_regex_rewrite is None:
        return
    place = (*path, "uriRegexRewrite")
    if rewrite.uri:
        findings.error(place, "goes with no uri")
    if not rewrite.uri_regex_rewrite.match or not rewrite.uri_regex_rewrite.rewrite:
        findings.error(place, "needs both match and rewrite")
    else:
        check_expression(findings, (*place, "match"), rewrite.uri_regex_rewrite.match)
        _check_target(findings, (*place, "rewrite"), rewrite.uri_regex_rewrite.rewrite)


def _check_retries(findings: Findings, path: Path, retries: HTTPRetry) -> None:
    attempts = retries.attempts or 0
    if attempts < 0:
        findings.error((*path, "attempts"), f"{attempts} is below 0")
    others = (retries.per_try_timeout, retries.retry_on or None, retries.retry_remote_localities)
    if attempts == 0 and any(other is not None for other in others):
        said = "0 turns" if retries.attempts is not None else "missing, and so 0, which turns"
        findings.error((*path, "attempts"), f"{said} retries off: nothing else can be said of them")
    conditions = retries.retry_on.split(",") if retries.retry_on else []
    for condition in conditions:
        word = condition.strip()
        if not word:
            findings.error((*path, "retryOn"), f"{show(retries.retry_on)} has an empty condition between its commas")
        if word and word not in RETRY_ON and word not in _STATUSES:
            findings.error((*path, "retryOn"), f"unknown condition {show(word)}{suggestion(word, RETRY_ON)}")
        if word in _NO_EFFECT:
            findings.warning((*path, "retryOn"), f"{word}: {_NO_EFFECT[word]}", codes.RETRY_WITHOUT_EFFECT)


def _check_fault(findings: Findings, path: Path, fault: HTTPFaultInjection) -> None:
    abort, delay = fault.abort, fault.delay
    if abort is None and delay is None:
        findings.error(path, "it does nothing: abort or delay is missing")
    if abort is not None:
        place = (*path, "abort")
        _check_percentage(findings, place, abort.percentage)
        if abort.http_status is not None and not 200 <= abort.http_status <= 599:
            findings.error((*place, "httpStatus"), f"{abort.http_status} is no status of an answer: 200 to 599")
        if abort.grpc_status is not None and abort.grpc_status not in GRPC_STATUSES:
            hint = suggestion(abort.grpc_status, GRPC_STATUSES)
            findings.error((*place, "grpcStatus"), f"unknown status {show(abort.grpc_status)}{hint}")
        if abort.http2_error is not None:
            findings.error((*place, "http2Error"), "not supported, by Istio neither")
        elif abort.http_status is None and abort.grpc_status is None:
            findings.warning(place, "it does nothing: httpStatus or grpcStatus is missing")
        elif abort.percentage is None:
            findings.warning(place, NO_SHARE)
    if delay is not None:
        place = (*path, "delay")
        _check_percentage(findings, place, delay.percentage)
        if delay.percent is not None and not 0 <= delay.percent <= 100:
            findings.error((*place, "percent"), f"{delay.percent} is not between 0 and 100")
        if delay.exponential_delay is not None:
            findings.error((*place, "exponentialDelay"), "not supported, by Istio neither")
        elif delay.fixed_delay is None:
            findings.warning(place, "it does nothing: fixedDelay is missing")
        elif delay.percentage is None and not delay.percent:
            findings.warning(place, NO_SHARE)


def _check_percentage(findings: Findings, path: Path, percentage: Percent | None, name: str = "percentage") -> None:
    value = 0.0 if percentage is None else percentage.value or 0.0
    if not 0.0 <= value <= 100.0 or 0.0 < value < 0.0001:
        findings.error((*path, name, "value"), f"{value} is neither 0 nor between 0.0001 and 100")


def _check_cors(findings: Findings, path: Path, policy: CorsPolicy) -> None:
    for index, origin in enumerate(policy.allow_origins):
        place = (*path, "allowOrigins", index)
        if not (origin.exact or origin.prefix or origin.regex):
            findings.error(place, "exact, prefix or regex is missing")
        check_string_match(findings, place, origin)
    for index, method in enumerate(policy.allow_methods):
        if method not in METHODS and method != "*":
            hint = suggestion(method, METHODS)
            findings.error((*path, "allowMethods", index), f"unknown method {show(method)}{hint}")
    for field, names in (("allowHeaders", policy.allow_headers), ("exposeHeaders", policy.expose_headers)):
        for index, name in enumerate(names):
            if name != "*":
                check_header(findings, (*path, field, index), name)
    origins = [origin.exact or origin.regex for origin in policy.allow_origins] or list(policy.allow_origin)
    if policy.allow_credentials and any(origin in ("*", ".*", ".+") for origin in origins):
        message = "pages of any site may then read the answers with their users' cookies: name the origins that may"
        findings.warning((*path, "allowCredentials"), message)
    if policy.max_age is not None and not policy.max_age.is_integer():
        findings.error((*path, "maxAge"), "only whole seconds can be said to a browser")


def _check_mirrors(findings: Findings, path: Path, route: HTTPRoute) -> None:
    if route.mirror is not None:
        check_destination(findings, (*path, "mirror"), route.mirror)
        if route.mirrors:
            findings.error((*path, "mirrors"), "goes with no mirror")
    for index, mirror in enumerate(route.mirrors):
        place = (*path, "mirrors", index)
        check_destination(findings, (*place, "destination"), mirror.destination)
        _check_percentage(findings, place, mirror.percentage)
    for field, share in (("mirrorPercent", route.mirror_percent), ("mirrorPercentage", route.mirror_percentage)):
        if share is not None and route.mirror is None:
            findings.warning((*path, field), "there is no mirror: those of mirrors have a percentage of their own")
    if route.mirror_percent is not None and route.mirror_percent > 100:
        findings.error((*path, "mirrorPercent"), f"{route.mirror_percent} is not between 0 and 100")
    _check_percentage(findings, path, route.mirror_percentage, "mirrorPercentage")
