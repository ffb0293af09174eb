"""edgegate's own form of tests: from a struct to cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from edgegate.config.document import Document, Path
from edgegate.config.problems import Problems
from edgegate.explain.question import Question, question_of
from edgegate.model.addresses import TCPAddress
from edgegate.model.hosts import normalise
from edgegate.route_tests.cases import Case
from edgegate.route_tests.check import Check
from edgegate.route_tests.checks import BadExpectation, checks_of
from edgegate.route_tests.kinds import OneOrMore, Test
from edgegate.route_tests.placement import CERTIFICATE

_METHOD_AND_URL: Final = re.compile(r"(?:(?P<method>[^\s:/]+)\s+)?(?P<url>\S+)")


def cases(document: Document, path: Path, test: Test, problems: Problems) -> Iterator[Case]:
    """
    Yield the cases of a test, one for each of its requests. What is wrong is reported.

    @param path: Of the test in its document.
    """
    try:
        checks = checks_of(test.expect)
    except BadExpectation as error:
        document.error(problems, (*path, "expect", *error.path), str(error))
        return
    if not checks:
        document.error(problems, (*path, "expect"), "nothing is expected: name a route, a destination or a status")
        return
    several = not isinstance(test.request, str)
    requests = test.request if not isinstance(test.request, str) else (test.request,)
    if not requests:
        document.error(problems, (*path, "request"), "no request is given")
    for index, request in enumerate(requests):
        place = (*path, "request", index) if several else path
        name = test.name or request
        if several and test.name:
            name = f"{name} [{index + 1}]"
        yield from _case(document, place, name, request, test, checks, problems)


def _case(
    document: Document,
    place: Path,
    name: str,
    request: str,
    test: Test,
    checks: tuple[Check, ...],
    problems: Problems,
) -> Iterator[Case]:
    try:
        question = _question(request, test)
    except ValueError as error:
        where = place if place[-2] == "request" else (*place, "request")
        document.error(problems, where, str(error))
        return
    yield Case(name, request, document.file, document.place(place)[0], question, checks)


def _question(request: str, test: Test) -> Question:
    """
    Return what a client sends.

    @raise ValueError: Nobody can send that.
    """
    found = _METHOD_AND_URL.fullmatch(request)
    if found is None:
        raise ValueError("a request is METHOD URL, or a URL to GET")
    headers = tuple(
        (name.encode(), value.encode()) for name, values in test.headers.items() for value in _listed(values)
    )
    question = question_of(found["method"] or "GET", found["url"], headers, test.body, test.port)
    if not question.method and (found["method"] or test.headers or test.body is not None):
        raise ValueError("tcp:// and tls:// open a connection: no request is sent that could have a method or headers")
    if test.sni is not None:
        if not question.tls:
            raise ValueError("sni: only https:// and tls:// begin with a name")
        question = replace(question, server_name=normalise(test.sni) if test.sni else "")
    if test.alpn is not None:
        if not question.tls or test.alpn not in _PROTOCOLS:
            raise ValueError(f"alpn: {' or '.join(_PROTOCOLS)}, over TLS")
        question = replace(question, alpn=test.alpn.encode("ascii"))
    if test.cert:
        question = replace(question, certificate=CERTIFICATE)
    if test.source is not None:
        question = replace(question, peer=TCPAddress(ip_address(test.source).compressed, _CLIENT_PORT))
    return question


_PROTOCOLS: Final = ("h2", "http/1.1")
_CLIENT_PORT: Final = 40000


def _listed(values: OneOrMore) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values
