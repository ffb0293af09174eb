"""
The format of Envoy's route table check tool (C{test/tools/router_check/validation.proto}): from structs to cases.

Of an expectation an empty text stands for nothing, as there. Names of clusters are Istio's, C{outbound|80|v2|HOST}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from edgegate.config.document import Document, Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds.base import OneOf, Spec
from edgegate.model.expressions import check_regex, compiled
from edgegate.model.routes import HTTPRoute
from edgegate.route_tests.answer_checks import location
from edgegate.route_tests.cases import Case
from edgegate.route_tests.check import Check, Found, field_of, text
from edgegate.route_tests.destinations import Destination, shown
from edgegate.route_tests.outcome import Outcome
from edgegate.route_tests.placement import Unplaced


class Header(Spec, frozen=True, kw_only=True):
    """A header of a request."""

    key: str
    value: str = ""


class Regex(Spec, frozen=True, kw_only=True):
    """An expression of RE2."""

    google_re2: Any = None
    regex: str = ""


class StringMatcher(OneOf, frozen=True, kw_only=True):
    """A condition on a text."""

    one_of = ("exact", "prefix", "suffix", "contains", "safe_regex")

    exact: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    contains: str | None = None
    safe_regex: Regex | None = None
    ignore_case: bool = False


class HeaderMatcher(Spec, frozen=True, kw_only=True):
    """A condition on a header; the deprecated C{exact_match} and its like are read as well."""

    name: str
    string_match: StringMatcher | None = None
    exact_match: str | None = None
    prefix_match: str | None = None
    suffix_match: str | None = None
    contains_match: str | None = None
    safe_regex_match: Regex | None = None
    present_match: bool | None = None
    invert_match: bool = False


class Input(Spec, frozen=True, kw_only=True):
    """A request."""

    authority: str
    path: str
    method: str = "GET"
    ssl: bool = False
    internal: bool = False
    random_value: int = 0
    additional_request_headers: tuple[Header, ...] = ()
    additional_response_headers: tuple[Header, ...] = ()
    runtime: str = ""
    dynamic_metadata: Any = None


class Validate(Spec, frozen=True, kw_only=True):
    """What is expected."""

    cluster_name: str | None = None
    virtual_cluster_name: str | None = None
    virtual_host_name: str | None = None
    host_rewrite: str | None = None
    path_rewrite: str | None = None
    path_redirect: str | None = None
    code_redirect: int | None = None
    request_header_fields: tuple[Header, ...] = ()
    response_header_fields: tuple[Header, ...] = ()
    request_header_matches: tuple[HeaderMatcher, ...] = ()
    response_header_matches: tuple[HeaderMatcher, ...] = ()


class Test(Spec, frozen=True, kw_only=True):
    """A test."""

    test_name: str
    input: Input
    validate: Validate


class Validation(Spec, frozen=True, kw_only=True):
    """A document of tests."""

    tests: tuple[Test, ...]
    runtime: Any = None


_RUNTIME: Final = "edgegate has none of it: no route of Istio's asks for it"
_NONE_OF_IT: Final = {
    "runtime": _RUNTIME,
    "dynamic_metadata": _RUNTIME,
    "additional_response_headers": "a backend's response is none that could be given: expect what the route does to it",
}
"""What is in error that a request has, with the reason."""


def checked(document: Document, validation: Validation, problems: Problems) -> Iterator[tuple[Path, Test]]:
    """Yield the tests of a document with their paths, unless it has what can't be: that is reported."""
    if validation.runtime:
        document.error(problems, ("runtime",), _RUNTIME)
        return
    for index, test in enumerate(validation.tests):
        yield ("tests", index), test


def cases(document: Document, path: Path, test: Test, problems: Problems) -> Iterator[Case]:
    """
    Yield the case of a test. What is wrong is reported.

    @param path: Of the test in its document.
    """
    asked = test.input
    for name in ("runtime", "dynamic_metadata", "additional_response_headers"):
        if getattr(asked, name):
            document.error(problems, (*path, "input", name), _NONE_OF_IT[name])
            return
    headers = tuple((each.key.encode(), each.value.encode()) for each in asked.additional_request_headers)
    if asked.internal:
        headers = (*headers, (b"x-envoy-internal", b"true"))
    request = Unplaced(asked.method, asked.authority, asked.path, headers, True if asked.ssl else None)
    try:
        request.question(80, False)
    except ValueError as error:
        document.error(problems, (*path, "input"), str(error))
        return
    try:
        checks = tuple(_checks(test.validate, asked.random_value))
    except ValueError as error:
        document.error(problems, (*path, "validate"), str(error))
        return
    if not checks:
        document.error(problems, (*path, "validate"), "nothing is expected: name a cluster, or another thing")
        return
    shown_request = f"{asked.method} {asked.authority}{asked.path}"
    yield Case(test.test_name, shown_request, document.file, document.place(path)[0], request, checks)


def _checks(wanted: Validate, draw: int) -> Iterator[Check]:
    if wanted.cluster_name is not None:
        yield _cluster(wanted.cluster_name, draw)
    if wanted.virtual_cluster_name is not None:
        yield from text(lambda outcome: "", "no virtual cluster")("virtual_cluster_name", wanted.virtual_cluster_name)
    if wanted.virtual_host_name is not None:
        name = re.sub(r":\d+$", "", wanted.virtual_host_name)  # Istio's have the port behind them
        yield from text(lambda outcome: outcome.domain if outcome.route else "", "none")("virtual_host_name", name)
    if wanted.host_rewrite is not None:
        yield from text(lambda outcome: _pseudo(outcome, ":authority") or "", "none")(
            "host_rewrite", wanted.host_rewrite
        )
    if wanted.path_rewrite is not None:
        yield from text(lambda outcome: _pseudo(outcome, ":path") or "", "none")("path_rewrite", wanted.path_rewrite)
    if wanted.path_redirect is not None:
        yield from text(location, "no redirect")("path_redirect", wanted.path_redirect)
    if wanted.code_redirect is not None:
        yield from text(lambda outcome: str(outcome.status) if location(outcome) else "", "no redirect")(
            "code_redirect", str(wanted.code_redirect)
        )
    for side in ("request", "response"):
        there = _request_field if side == "request" else _response_field
        for each in getattr(wanted, f"{side}_header_fields"):
            yield _header(
                f"{side}_header_fields.{each.key}", HeaderMatcher(name=each.key, exact_match=each.value), there
            )
        for each in getattr(wanted, f"{side}_header_matches"):
            yield _header(f"{side}_header_matches.{each.name}", each, there)


def _cluster(wanted: str, draw: int) -> Check:
    """Return the check of the cluster that a number draws by the weights (Envoy): the remainder of all weights."""
    destination = Destination.parse(wanted) if wanted else None

    def look(outcome: Outcome) -> Found:
        there = _drawn(outcome, draw)
        if there is None:
            return Found(destination is None, f"no cluster: {outcome.ending}")
        return Found(destination is not None and destination.matches(there), shown(there))

    return Check("cluster_name", wanted or "no cluster", look)


def _drawn(outcome: Outcome, draw: int) -> str | None:
    route = outcome.route
    destinations = route.destinations if route is not None and outcome.split else ()
    total = sum(each.weight for each in destinations)
    left = draw % total if total else 0
    for each in destinations:
        if left < each.weight:
            return each.cluster
        left -= each.weight
    return None


def _request_field(outcome: Outcome, name: str) -> str | None:
    if name.startswith(":"):
        return _pseudo(outcome, name)
    return field_of(outcome.sent[0].fields, name) if outcome.sent else None


def _pseudo(outcome: Outcome, name: str) -> str | None:
    if not outcome.sent or not isinstance(outcome.route, HTTPRoute):
        return None
    sent = outcome.sent[0]
    values = {":path": sent.target, ":authority": sent.authority, ":method": sent.method}
    value = values.get(name)
    return None if value is None else value.decode("latin-1")


def _response_field(outcome: Outcome, name: str) -> str | None:
    if name == ":status":
        return None if not outcome.status else str(outcome.status)
    return field_of(outcome.response_fields, name)


def _header(key: str, wanted: HeaderMatcher, there: Callable[[Outcome, str], str | None]) -> Check:
    """
    Return the check of a header.

    @raise ValueError: Its expression is none.
    """
    words, holds = _condition(wanted)
    nothing = wanted.exact_match == "" or (wanted.string_match is not None and wanted.string_match.exact == "")
    inverted = wanted.invert_match is not (wanted.present_match is False)

    def look(outcome: Outcome) -> Found:
        value = there(outcome, wanted.name)
        # an empty text stands for nothing, as of all that is expected
        held = value in (None, "") if nothing else value is not None and holds(value)
        return Found(held is not inverted, value or "not there")

    return Check(key, f"not {words}" if inverted else words, look)


def _condition(wanted: HeaderMatcher) -> tuple[str, Callable[[str], bool]]:
    """Return a condition in words, and as a function."""
    match = wanted.string_match or StringMatcher(
        exact=wanted.exact_match,
        prefix=wanted.prefix_match,
        suffix=wanted.suffix_match,
        contains=wanted.contains_match,
        safe_regex=wanted.safe_regex_match,
    )
    if match.safe_regex is not None:
        expression = match.safe_regex.regex
        check_regex(expression)
        full = compiled(expression).fullmatch
        return f"matching {expression}", lambda value: full(value.encode()) is not None
    for name, test in _TESTS.items():
        given = getattr(match, name)
        if given is not None:
            return f"{name} {given!r}", partial(_text_holds, test, given, match.ignore_case)
    return "present", lambda value: True


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
    "contains": str.__contains__,
}


def _text_holds(test: Callable[[str, str], bool], wanted: str, ignore_case: bool, value: str) -> bool:
    return test(value.lower(), wanted.lower()) if ignore_case else test(value, wanted)
