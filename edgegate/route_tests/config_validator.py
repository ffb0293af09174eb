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
from edgegate.route_tests.check import Check, Found
from edgegate.route_tests.destination_checks import NEARLY
from edgegate.route_tests.destinations import Destination, shares_shown
from edgegate.route_tests.outcome import Outcome
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
    if test.route:
        yield _route(test.route)
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


def _route(wanted: tuple[kinds.HTTPRouteDestination, ...]) -> Check:
    """
    Return the check of where a route leads: one for all its destinations, as it is all of it that must not be so.

    A destination without a subset is that of the whole service; one without a port is that of any.
    """
    alone = len(wanted) == 1
    weights: dict[Destination, int] = {}
    for each in wanted:
        host = each.destination
        port = host.port.number if host.port is not None and host.port.number else None
        named = Destination(host.host.lower(), port, host.subset or "")
        weights[named] = weights.get(named, 0) + (1 if alone else each.weight or 0)
    total = sum(weights.values())
    percents = {named: weight * 100 / total if total else 0.0 for named, weight in weights.items()}

    def look(outcome: Outcome) -> Found:
        there = outcome.split
        found = {named: sum(part for name, part in there.items() if named.matches(name)) for named in percents}
        holds = bool(there) and all(abs(found[named] - percent) < NEARLY for named, percent in percents.items())
        return Found(holds, shares_shown(there).removesuffix(" 100 %") if there else f"no backend: {outcome.ending}")

    words = ", ".join(f"{named} {percent:.4g} %" for named, percent in percents.items())
    return Check("route", words.removesuffix(" 100 %"), look)
