"""What a route says that can't be what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.config.document import Path
from edgegate.config.problems import Severity
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.kinds.virtual_service import HTTPRetry, HTTPRoute, VirtualService
from edgegate.istio.resources import Resource
from edgegate.model import codes

_WITHOUT_A_SECOND_TRY = frozenset({"CONNECT"})
"""Methods of requests that become tunnels: what was sent is gone."""

_MAX_TRIES = 100
"""More are not added up."""


def http_routes(resource: Resource[VirtualService], spec: VirtualService) -> Iterator[Finding]:
    """Yield what is odd about weights, times and retries."""
    for index, route in enumerate(spec.http):
        path: Path = ("spec", "http", index)
        delay = route.fault.delay if route.fault is not None else None
        if delay is not None and delay.percent:
            where = (*path, "fault", "delay", "percent")
            yield Finding(resource, where, codes.DEPRECATED, "deprecated: use percentage.value")
        yield from _weights(resource, path, route)
        if route.retries is not None and route.retries.attempts:
            yield from _retries(resource, path, route, route.retries)


def _weights(resource: Resource[VirtualService], path: Path, route: HTTPRoute) -> Iterator[Finding]:
    if len(route.route) < 2 or not any(each.weight for each in route.route):
        return  # the only one gets everything, and that all have 0 is an error
    for index, each in enumerate(route.route):
        if each.weight == 0:
            where = (*path, "route", index, "weight")
            yield Finding(resource, where, codes.ZERO_WEIGHT, "0: nothing goes here", Severity.INFO)


def _retries(resource: Resource[VirtualService], path: Path, route: HTTPRoute, retries: HTTPRetry) -> Iterator[Finding]:
    methods = {match.method.exact if match.method is not None else None for match in route.match}
    if methods and methods <= _WITHOUT_A_SECOND_TRY:
        message = "a tunnel is never tried again once it stands: only connect-failure can be meant"
        yield Finding(resource, (*path, "retries"), codes.RETRY_WITHOUT_EFFECT, message)
    whole, one = route.timeout, retries.per_try_timeout
    if not whole or not one:
        return
    attempts = min(retries.attempts or 0, _MAX_TRIES)
    where = (*path, "retries", "perTryTimeout")
    if one >= whole:
        message = f"{one:g} s for a try, but the route's timeout is {whole:g} s: a try that hangs is never tried again"
        yield Finding(resource, where, codes.TIMEOUT_SHORTER_THAN_RETRIES, message)
    elif one * (attempts + 1) > whole:
        fit = int(whole // one)
        message = f"{attempts + 1} tries of {one:g} s, but the route's timeout is {whole:g} s: {fit} that hang fit"
        yield Finding(resource, where, codes.TIMEOUT_SHORTER_THAN_RETRIES, message, Severity.INFO)
