"""The filters C{local_ratelimit} and C{ratelimit} (C{envoy/extensions/filters/http/*/v3/*.proto})."""

from __future__ import annotations

import re
from typing import Final

from edgegate.config.values import show
from edgegate.istio.envoy.descriptors import descriptor_rules
from edgegate.istio.envoy.messages import Message
from edgegate.model.guards.envoy_rate_limits import (
    Asks,
    LocalDescriptor,
    LocalLimit,
    Pair,
    ServiceLimit,
    TokenBucket,
)
from edgegate.model.headers import FRAMING

LOCAL: Final = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
SERVICE: Final = "envoy.extensions.filters.http.ratelimit.v3.RateLimit"
PER_ROUTE: Final = "envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute"

_LEAST_INTERVAL: Final = 0.05
_MOST_DESCRIPTORS: Final = 256
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")


def local_limit(message: Message, on_route: bool = False) -> LocalLimit:
    """
    Read a C{LocalRateLimit}.

    @param on_route: It stands on a route or a virtual host, where it needs a bucket.
    """
    prefix = message.text("stat_prefix")
    if not prefix:
        message.error("stat_prefix", "stat_prefix is needed")
    if on_route and "token_bucket" not in message:
        message.error("token_bucket", "token_bucket is needed on a route or a virtual host")
    found = LocalLimit(
        prefix,
        _bucket(message),
        message.share("filter_enabled", 0.0),
        message.share("filter_enforced", 0.0),
        _status(message, "status", 429),
        _descriptors(message),
        descriptor_rules(message),
        message.number("stage", 0, 0, 10),
        message.flag("always_consume_default_token_bucket", True),
        message.flag("local_rate_limit_per_downstream_connection"),
        _draft(message),
        message.flag("rate_limited_as_resource_exhausted"),
        _fields(message, "response_headers_to_add"),
        _fields(message, "request_headers_to_add_when_not_enforced"),
    )
    # as many values have buckets as there is room for; one process and its workers share them
    message.ignore("max_dynamic_descriptors", "vh_rate_limits")
    message.end("LocalRateLimit")
    _warn_of_idle(message, found)
    return found


def _warn_of_idle(message: Message, limit: LocalLimit) -> None:
    if limit.bucket is None and not limit.descriptors:
        return
    missing = [name for name in ("filter_enabled", "filter_enforced") if name not in message]
    if missing:
        message.warn("stat_prefix", f"it limits nothing: without {' and '.join(missing)} Envoy takes 0 % for it")


def _bucket(message: Message) -> TokenBucket | None:
    inner = message.message("token_bucket")
    if inner is None:
        return None
    most, fill = inner.number("max_tokens", 0), inner.number("tokens_per_fill", 1, 1)
    interval = inner.seconds("fill_interval", 0.0)
    if not most:
        inner.error("max_tokens", "max_tokens must be at least 1")
    if interval < _LEAST_INTERVAL:
        inner.error("fill_interval", "fill_interval must be at least 0.05s")
    inner.end("token_bucket")
    return TokenBucket(max(most, 1), max(interval, _LEAST_INTERVAL) / fill)


def _descriptors(message: Message) -> tuple[LocalDescriptor, ...]:
    found = []
    for each in message.messages("descriptors"):
        entries = tuple(_pair(entry) for entry in each.messages("entries"))
        bucket = _bucket(each)
        if not entries or bucket is None:
            each.error("", "a descriptor needs entries and a token_bucket")
        else:
            found.append(LocalDescriptor(entries, bucket))
        each.end("a descriptor")
    if len(found) > _MOST_DESCRIPTORS:
        message.error("descriptors", f"more than {_MOST_DESCRIPTORS} of them")
    return tuple(found[:_MOST_DESCRIPTORS])


def _pair(message: Message) -> Pair:
    found = message.text("key"), message.text("value")
    if not found[0]:
        message.error("key", "key is needed")
    message.end("an entry")
    return found


def service_limit(message: Message, cluster: str) -> ServiceLimit:
    """
    Read a C{RateLimit}.

    @param cluster: Of the service that it names; see L{service_of}.
    """
    domain = message.text("domain")
    if not domain:
        message.error("domain", "domain is needed")
    asks = message.text("request_type", "both").lower()
    if asks not in ("both", "internal", "external", ""):
        message.error("request_type", f"{show(asks)} is none of internal, external and both")
    message.ignore("rate_limit_service", "stat_prefix")
    found = ServiceLimit(
        domain,
        cluster,
        _authority(message),
        message.seconds("timeout", 0.02) or 0.02,
        message.flag("failure_mode_deny"),
        message.number("stage", 0, 0, 10),
        {"internal": Asks.INTERNAL, "external": Asks.EXTERNAL}.get(asks, Asks.BOTH),
        _status(message, "rate_limited_status", 429),
        _status(message, "status_on_error", 500),
        _draft(message),
        not message.flag("disable_x_envoy_ratelimited_header"),
        message.flag("rate_limited_as_resource_exhausted"),
        _fields(message, "response_headers_to_add"),
        descriptor_rules(message),
    )
    message.end("RateLimit")
    return found


def service_of(message: Message) -> tuple[Message, str] | None:
    """Return the C{envoy_grpc} of the service that a C{RateLimit} asks, and the name of its cluster."""
    service = message.message("rate_limit_service")
    grpc = None if service is None else service.message("grpc_service")
    inner = None if grpc is None else grpc.message("envoy_grpc")
    name = "" if inner is None else inner.text("cluster_name")
    if inner is None or not name:
        message.error("rate_limit_service", "rate_limit_service.grpc_service.envoy_grpc.cluster_name is needed")
        return None
    return inner, name


def host_rules_included(message: Message) -> bool:
    """Read what is left of a C{RateLimitPerRoute}: whether the rules of the virtual host are asked as well."""
    said = message.text("vh_rate_limits", "OVERRIDE")
    if said not in ("OVERRIDE", "INCLUDE", "IGNORE"):
        message.error("vh_rate_limits", f"{show(said)} is none of OVERRIDE, INCLUDE and IGNORE")
    if "domain" in message:
        message.error("domain", "not honoured: a domain of a route's own")
        message.ignore("domain")
    message.end("RateLimitPerRoute")
    return said == "INCLUDE"


def _authority(message: Message) -> str:
    service = message.message("rate_limit_service")
    grpc = None if service is None else service.message("grpc_service")
    inner = None if grpc is None else grpc.message("envoy_grpc")
    return "" if inner is None else inner.text("authority")


def _status(message: Message, name: str, otherwise: int) -> int:
    """Return the code of an C{HttpStatus}: below 400 Envoy takes the default."""
    inner = message.message(name)
    if inner is None:
        return otherwise
    code = inner.number("code", 0, 0, 599) if not isinstance(inner.peek("code"), str) else _named(inner)
    inner.end(name)
    if 0 < code < 400:
        inner.warn("code", f"below 400, for which Envoy takes {otherwise}")
    return code if code >= 400 else otherwise


def _named(message: Message) -> int:
    """Return a code that is written by its name in C{envoy.type.v3.StatusCode}, as C{TooManyRequests}."""
    name = message.text("code")
    found = _STATUSES.get(name.lower())
    if found is None:
        message.error("code", f"{show(name)} is no status that a limit answers with")
    return found or 0


_STATUSES: Final = {
    "toomanyrequests": 429,
    "serviceunavailable": 503,
    "forbidden": 403,
    "unauthorized": 401,
    "paymentrequired": 402,
    "notfound": 404,
    "internalservererror": 500,
}


def _draft(message: Message) -> bool:
    said = message.text("enable_x_ratelimit_headers", "OFF")
    if said not in ("OFF", "DRAFT_VERSION_03"):
        message.error("enable_x_ratelimit_headers", f"{show(said)} is none of OFF and DRAFT_VERSION_03")
    return said == "DRAFT_VERSION_03"


def _fields(message: Message, name: str) -> tuple[Pair, ...]:
    """Read C{HeaderValueOption}s."""
    found = []
    for each in message.messages(name):
        header = each.message("header")
        each.ignore("append", "append_action", "keep_empty_value")
        each.end("a header")
        if header is None:
            each.error("header", "header is needed")
            continue
        pair = header.text("key"), header.text("value")
        header.end("a header")
        if _NAME.fullmatch(pair[0]) is None:
            header.error("key", f"{show(pair[0])} is no name of a header")
        elif pair[0].lower() in FRAMING:
            header.error("key", f"{pair[0]} belongs to each connection: it can't be added")
        elif _VALUE.fullmatch(pair[1]) is None:
            header.error("value", "a value has no line breaks or control characters")
        elif "%" in pair[1]:
            header.error("value", "not honoured: command operators in headers that a limit adds")
        else:
            found.append(pair)
    return tuple(found)
