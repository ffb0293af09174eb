"""Checks of what a route says, by Istio's own structs: redirect, rewrite, faults, headers, delegate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

from edgegate.istio.kinds import virtual_service as kinds
from edgegate.model.actions import NewPath, RequestChanges, Substitution
from edgegate.model.headers import HeaderChanges, Template, Value
from edgegate.model.routes import HTTPRoute
from edgegate.route_tests.answer_checks import location
from edgegate.route_tests.check import Check, Found
from edgegate.route_tests.outcome import Outcome


def said(key: str, wanted: str, there: Callable[[Outcome], str | None]) -> Check:
    """Return the check of a text that a route says; L{None}: it says nothing of it."""

    def look(outcome: Outcome) -> Found:
        found = there(outcome)
        return Found(found == wanted, f"nothing: {outcome.ending}" if found is None else found)

    return Check(key, wanted, look)


def redirect(wanted: kinds.HTTPRedirect) -> Iterator[Check]:
    """Where a redirect leads, as far as it says so."""
    if wanted.prefix_rewrite is not None or wanted.derive_port is not None:
        raise ValueError("redirect: of prefixRewrite and derivePort, expect what comes of them: uri, authority, port")
    yield said("redirect.redirectCode", str(wanted.redirect_code or 301), _redirect_code)
    if wanted.uri is not None:
        yield said("redirect.uri", wanted.uri, lambda outcome: _part(outcome, "path"))
    if wanted.authority is not None:
        # the port has a field of its own, but may be said here as well
        port = _PORT.search(wanted.authority) is not None
        yield said("redirect.authority", wanted.authority, lambda outcome: _redirect_authority(outcome, port))
    if wanted.scheme is not None:
        yield said("redirect.scheme", wanted.scheme, lambda outcome: _part(outcome, "scheme"))
    if wanted.port is not None:
        yield said("redirect.port", str(wanted.port), _redirect_port)


def _redirect_code(outcome: Outcome) -> str | None:
    return str(outcome.status) if location(outcome) else None


def _redirect_authority(outcome: Outcome, port: bool) -> str | None:
    """Return the authority that a redirect leads to, with its port or without."""
    found = _part(outcome, "netloc")
    return found if found is None or port else _PORT.sub("", found)


def _redirect_port(outcome: Outcome) -> str | None:
    """Return the port that a redirect leads to, be it written in its URL or the scheme's own."""
    url = _location(outcome)
    if url is None or not url.scheme:
        return None
    port = _PORT.search(url.netloc)
    return port[0][1:] if port else str(_PORTS.get(url.scheme, 0))


_PORT: Final = re.compile(r":[0-9]+$")
_PORTS: Final = {"http": 80, "https": 443}


def _part(outcome: Outcome, name: str) -> str | None:
    url = _location(outcome)
    return None if url is None else str(getattr(url, name))


def _location(outcome: Outcome) -> SplitResult | None:
    """Return the URL that a redirect leads to; L{None}: there is none, or it can't be taken apart."""
    url = location(outcome)
    try:
        return urlsplit(url) if url else None
    except ValueError:
        return None


def rewrite(wanted: kinds.HTTPRewrite) -> Iterator[Check]:
    """What a route rewrites."""
    if wanted.uri is not None:
        yield said("rewrite.uri", wanted.uri, _new_path)
    if wanted.authority is not None:
        yield said("rewrite.authority", wanted.authority, _new_authority)
    regex = wanted.uri_regex_rewrite
    if regex is not None:
        both = f"{regex.match} -> {regex.rewrite}"
        yield said("rewrite.uriRegexRewrite", both, _substitution)


def _changes(outcome: Outcome) -> RequestChanges | None:
    """Return what the route changes of requests to its first destination."""
    route = outcome.route
    return route.destinations[0].request if isinstance(route, HTTPRoute) and route.destinations else None


def _new_path(outcome: Outcome) -> str | None:
    changes = _changes(outcome)
    return changes.path.text.decode() if changes is not None and isinstance(changes.path, NewPath) else None


def _new_authority(outcome: Outcome) -> str | None:
    changes = _changes(outcome)
    return None if changes is None or changes.authority is None else changes.authority.decode()


def _substitution(outcome: Outcome) -> str | None:
    changes = _changes(outcome)
    if changes is None or not isinstance(changes.path, Substitution):
        return None
    return f"{changes.path.expression} -> {changes.path.replacement}"


def fault(wanted: kinds.HTTPFaultInjection) -> Iterator[Check]:
    """What a route does on purpose, and to how many requests."""
    if wanted.abort is not None and wanted.abort.http_status is not None:
        yield said("fault.abort", _shared(f"{wanted.abort.http_status}", wanted.abort.percentage), _abort)
    if wanted.delay is not None and wanted.delay.fixed_delay is not None:
        yield said("fault.delay", _shared(f"{wanted.delay.fixed_delay:g}s", wanted.delay.percentage), _delay)


def _shared(what: str, percentage: kinds.Percent | None) -> str:
    value = 100.0 if percentage is None or percentage.value is None else percentage.value
    return f"{what} for {value:g} %"


def _abort(outcome: Outcome) -> str | None:
    made = None if outcome.faults is None else outcome.faults.abort
    return None if made is None else f"{made.status} for {made.share * 100:g} %"


def _delay(outcome: Outcome) -> str | None:
    made = None if outcome.faults is None else outcome.faults.delay
    return None if made is None else f"{made.seconds:g}s for {made.share * 100:g} %"


def headers(wanted: kinds.Headers) -> Iterator[Check]:
    """What a route does to headers of requests and of responses."""
    for side, operations in (("request", wanted.request), ("response", wanted.response)):
        if operations is None:
            continue
        for action, values in (("set", operations.set), ("add", operations.add)):
            for name, value in values.items():
                yield _change(side, action, name, value)
        for name in operations.remove:
            yield _change(side, "remove", name, "removed")


def _change(side: str, action: str, name: str, wanted: str) -> Check:
    key = name.lower().encode()

    def there(outcome: Outcome) -> str | None:
        found = {what: value for each in _header_changes(outcome, side) for what, value in _operations(each, action)}
        return found.get(key)

    return said(f"headers.{side}.{action}.{name}", wanted, there)


def _header_changes(outcome: Outcome, side: str) -> tuple[HeaderChanges, ...]:
    route = outcome.route
    if not isinstance(route, HTTPRoute) or not route.destinations:
        return (
            () if not isinstance(route, HTTPRoute) or route.response is None or side == "request" else (route.response,)
        )
    first = route.destinations[0]
    if side == "response":
        return first.response
    return () if first.request is None else first.request.headers


def _operations(changes: HeaderChanges, action: str) -> Iterator[tuple[bytes, str]]:
    if action == "remove":
        yield from ((name, "removed") for name in changes.remove)
        return
    values: tuple[Value, ...] = changes.set if action == "set" else changes.add
    yield from ((name, _written(template)) for name, template in values)


def _written(template: Template) -> str:
    """Return a value as files have it, but for a length within it."""
    found = ""
    for part in template.parts:
        if isinstance(part, bytes):
            found += part.decode().replace("%", "%%")
        else:
            found += f"%{part.name}({part.argument})%" if part.argument else f"%{part.name}%"
    return found


def delegate(wanted: kinds.Delegate) -> Iterator[Check]:
    """Of which VirtualService the route is, in the end."""
    name = f"{wanted.namespace}/{wanted.name}" if wanted.namespace else f"{wanted.name}"

    def look(outcome: Outcome) -> Found:
        origin = outcome.origin
        there = "" if origin is None else origin.resource.rpartition(" ")[2]
        holds = there == name or (not wanted.namespace and there.endswith(f"/{name}"))
        return Found(holds, there or f"no route: {outcome.ending}")

    yield Check("delegate", name, look)
