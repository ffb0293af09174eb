"""Tests made of requests that were seen: what the files do with them now is what they expect."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from edgegate.explain.decision import Decider
from edgegate.explain.effects import EffectsFinder
from edgegate.explain.question import DEFAULT_PORTS, Question
from edgegate.model.clusters import Endpoints
from edgegate.model.origin import Origin
from edgegate.route_tests.destinations import of_cluster
from edgegate.route_tests.outcome import Outcome
from edgegate.route_tests.placement import Unplaced, placed
from edgegate.routing.snapshot import Snapshot

EXAMPLES = 3
"""Requests of one test."""

MOST_TESTS = 10_000


@dataclass(slots=True)
class _Way:
    """
    What several requests have in common.

    @ivar certificate: Whether the server asks for a certificate.
    @ivar count: How many there were.
    """

    question: Question
    expected: dict[str, object]
    certificate: bool
    requests: dict[str, None] = field(default_factory=dict)
    count: int = 0


@dataclass(slots=True)
class Written:
    """
    The text of a file of tests.

    @ivar seen: Requests that it was made of.
    @ivar left_out: Those that nobody can send, or that had no room.
    """

    text: str
    tests: int
    seen: int
    left_out: int


def tests_of(requests: Iterable[Unplaced], snapshot: Snapshot, endpoints: Endpoints) -> Written:
    """
    Return tests of requests: one for each way that some of them took, with a few of those.

    Requests took one way where port, method, virtual host, route and answer are the same.
    """
    decider = Decider(snapshot)
    finder = EffectsFinder(decider, endpoints)
    ways: dict[tuple[object, ...], _Way] = {}
    seen = left_out = 0
    for request in requests:
        seen += 1
        try:
            question = placed(snapshot, request)
        except ValueError:
            left_out += 1
            continue
        outcome = Outcome(decider.decide(question), finder)
        way = _way_of(ways, question, outcome)
        if way is None:
            left_out += 1
            continue
        way.count += 1
        if len(way.requests) < EXAMPLES:
            way.requests[f"{request.method} {question.url}"] = None
    lines = ["tests:"] if ways else ["tests: []"]
    for each in ways.values():
        lines.extend(_lines(each))
    return Written("\n".join(lines) + "\n", len(ways), seen, left_out)


def _way_of(ways: dict[tuple[object, ...], _Way], question: Question, outcome: Outcome) -> _Way | None:
    """Return the way that a request took, a new one where there is room; else L{None}."""
    origin: Origin | None = outcome.origin
    key = question.port, question.tls, question.method, outcome.domain, origin, outcome.status, outcome.flag
    way = ways.get(key)
    if way is None and len(ways) < MOST_TESTS:
        chain = outcome.decision.chain
        certificate = chain is not None and chain.tls is not None and chain.tls.rules.verification is not None
        way = ways[key] = _Way(question, _expected(outcome), certificate)
    return way


def _expected(outcome: Outcome) -> dict[str, object]:
    shares = outcome.shares
    expected: dict[str, object] = {"route": outcome.route_name}
    if len(shares) == 1:
        expected["to"] = _exactly(next(iter(shares)))
    elif shares:
        expected["share"] = {_exactly(cluster): round(percent, 2) for cluster, percent in shares.items()}
    if outcome.status is not None:
        expected["status"] = outcome.status
    if outcome.flag != "-":
        expected["flag"] = outcome.flag
    return expected


def _exactly(cluster: str) -> str:
    """Return a cluster as a test names it alone: without a subset by its whole name, as the short one is any's."""
    return str(of_cluster(cluster))


def _lines(way: _Way) -> Iterator[str]:
    """Yield a test as YAML; texts are written as JSON, which YAML is a superset of."""
    question = way.question
    count = f"{way.count} request{'' if way.count == 1 else 's'}"
    yield f"- request:  # {count}"
    for request in way.requests:
        yield f"  - {json.dumps(request)}"
    if _port_of(question) != question.port:
        yield f"  port: {question.port}"
    if way.certificate:
        yield "  cert: true"
    yield f"  expect: {json.dumps(way.expected)}"


def _port_of(question: Question) -> int:
    """Return the port that a question's URL names."""
    port = question.authority.rpartition(b":")[2]
    return int(port) if port.isdigit() else DEFAULT_PORTS[question.tls]
