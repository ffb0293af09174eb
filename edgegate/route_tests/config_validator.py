"""
The format of istio-config-validator (U{https://github.com/getyourguide/istio-config-validator}): from structs to cases.

Its lists are multiplied out. It compares what a route says in the files, so that is compared here, too: C{rewrite}
is what the route has, not the path that comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from edgegate.config.document import Document, Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds import virtual_service as kinds
from edgegate.istio.kinds.base import Spec
from edgegate.route_tests import declared_checks
from edgegate.route_tests.cases import Case
from edgegate.route_tests.check import Check
from edgegate.route_tests.destination_checks import share, to
from edgegate.route_tests.placement import Unplaced


class Request(Spec, frozen=True, kw_only=True):
    """Requests: one for each combination of these."""

    authority: tuple[str, ...]
    method: tuple[str, ...]
    uri: tuple[str, ...]
    headers: dict[str, str] = {}


class TestCase(Spec, frozen=True, kw_only=True):
    """
    A test.

    @ivar want_match: Whether what is given is expected, or is what must not be; the latter where nothing is said.
    """

    description: str | None = None
    want_match: bool = False
    request: Request
    route: tuple[kinds.HTTPRouteDestination, ...] = ()
    redirect: kinds.HTTPRedirect | None = None
    rewrite: kinds.HTTPRewrite | None = None
    fault: kinds.HTTPFaultInjection | None = None
    headers: kinds.Headers | None = None
    delegate: kinds.Delegate | None = None


class TestCases(Spec, frozen=True, kw_only=True):
    """A document of tests."""

    test_cases: tuple[TestCase, ...]


def cases(document: Document, path: Path, test: TestCase, problems: Problems) -> Iterator[Case]:
    """
    Yield the cases of a test. What is wrong is reported.

    @param path: Of the test in its document.
    """
    try:
        checks = [replace(each, negative=not test.want_match) for each in _checks(test)]
    except ValueError as error:
        document.error(problems, path, str(error))
        return
    if not checks:
        document.error(
            problems, path, "nothing is expected: give a route, redirect, rewrite, fault, headers or delegate"
        )
        return
    asked = test.request
    headers = tuple((name.encode(), value.encode()) for name, value in asked.headers.items())
    requests = [
        Unplaced(method, authority, uri, headers)
        for uri, authority, method in product(asked.uri, asked.authority, asked.method)
    ]
    if not requests:
        document.error(problems, (*path, "request"), "authority, method and uri have at least one value each")
    for number, request in enumerate(requests, 1):
        try:
            request.question(80, False)
        except ValueError as error:
            document.error(problems, (*path, "request"), str(error))
            return
        shown = f"{request.method} {request.authority}{request.target}"
        name = test.description or shown
        if test.description and len(requests) > 1:
            name = f"{name} [{number}]"
        yield Case(name, shown, document.file, document.place(path)[0], request, tuple(checks))


def _checks(test: TestCase) -> Iterator[Check]:
    """
    Yield what is expected.

    @raise ValueError: It is nothing that could be there.
    """
    if len(test.route) == 1:
        yield from to("route", _notation(test.route[0].destination))
    elif test.route:
        weights = {_notation(each.destination): each.weight or 0 for each in test.route}
        total = sum(weights.values())
        yield from share("route", {name: weight * 100 / total if total else 0 for name, weight in weights.items()})
    if test.redirect is not None:
        yield from declared_checks.redirect(test.redirect)
    if test.rewrite is not None:
        yield from declared_checks.rewrite(test.rewrite)
    if test.fault is not None:
        yield from declared_checks.fault(test.fault)
    if test.headers is not None:
        yield from declared_checks.headers(test.headers)
    if test.delegate is not None:
        yield from declared_checks.delegate(test.delegate)


def _notation(destination: kinds.Destination) -> str:
    """Return a destination as a cluster's name, if its port is known: then it is that subset, and no other."""
    if destination.port is not None and destination.port.number:
        return f"outbound|{destination.port.number}|{destination.subset or ''}|{destination.host}"
    return destination.host + (f"/{destination.subset}" if destination.subset else "")
