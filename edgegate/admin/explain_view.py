"""
What the files in force make of a request that somebody asks about: the way that it would take, as a tree.

It is made in the process that serves, by the very Snapshot. So it is bounded: what would take long there is left to
C{edgegate explain}, which takes its time in a process of its own.
"""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_address

from edgegate.admin.views import Row, Value, endpoint_health, endpoints
from edgegate.explain.decision import Decider, Decision
from edgegate.explain.explanation import Explainer, Health
from edgegate.explain.question import Question, question_of
from edgegate.explain.tree import Mood, Node, tree
from edgegate.http.fields import Field
from edgegate.model.addresses import TCPAddress
from edgegate.model.notes import Notes
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import Snapshot
from edgegate.server.data_plane import DataPlane

MOST_MATCHES = 50
"""Matches of a virtual host that are tried one by one; of a host with more it is told what it comes to alone."""

MOST_NAMES = 300
"""Hosts of a port among which near ones are looked for; among more none is."""

MOST_HEADERS = 50
"""Header lines that may be asked with."""


def explained(plane: DataPlane, asked: str) -> Row:
    """
    Explain a request.

    @param asked: JSON of an object of texts: C{url}, and as far as they are given C{method}, C{headers}, one a line,
        and C{source}, the client's address.
    @return: C{served} and C{tree}, whose nodes have C{text}, C{mood}, C{place} and C{children}; or C{error}: it can't
        be asked for.
    """
    try:
        question = _question(json.loads(asked))
    except ValueError as error:
        return {"error": str(error)}
    snapshot, options = plane.snapshot, plane.options
    decider = Decider(snapshot, options.trusted_hops, options.paths, options.limits)
    decision = decider.decide(question)
    if _matches(decision) > MOST_MATCHES:
        return row_of(decision.fault is None, _outcome(decision))
    explainer = Explainer(
        decider,
        plane.endpoints,
        Notes(),
        plane.secrets.secrets,
        _health(plane, decision),
        shadow_hosts=options.shadow_hosts,
        most_names=MOST_NAMES,
    )
    found = explainer.explain_decision(decision)
    return row_of(found.served, tree(found))


def _question(asked: dict[str, str]) -> Question:
    """
    Return what is asked.

    @raise ValueError: It is nothing that can be asked; says why.
    """
    lines = [line.strip() for line in asked.get("headers", "").splitlines() if line.strip()]
    if len(lines) > MOST_HEADERS:
        raise ValueError(f"more than {MOST_HEADERS} headers")
    question = question_of(asked.get("method", "").strip() or "GET", asked.get("url", "").strip(), _fields(lines))
    source = asked.get("source", "").strip()
    return replace(question, peer=TCPAddress(str(ip_address(source)), 40000)) if source else question


def _fields(lines: list[str]) -> tuple[Field, ...]:
    found: list[Field] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ValueError(f"{line!r} is no header: write NAME: VALUE")
        if not line.isascii():
            raise ValueError(f"{line!r} is not ASCII")
        found.append((name.strip().encode(), value.strip().encode()))
    return tuple(found)


def _matches(decision: Decision) -> int:
    host = decision.virtual_host
    return 0 if host is None else sum(max(len(route.matches), 1) for route in host.routes)


def _health(plane: DataPlane, decision: Decision) -> Health:
    """Return what is known of the endpoints that a decision leads to."""
    route = decision.route
    names = {each.cluster for each in route.destinations} if route is not None else set()
    states = [state for state in map(plane.clusters.get, sorted(names)) if state is not None]
    wanted = {name: each for name, each in plane.snapshot.clusters.items() if name in names}
    return endpoint_health(endpoints(Snapshot(clusters=wanted), states))


def _outcome(decision: Decision) -> Node:
    """Say what a question comes to, and nothing of what was tried."""
    question, host, route = decision.question, decision.virtual_host, decision.route
    root = Node(f"{question.method.decode('latin-1')} {question.url}")
    if host is not None:
        root.add(f"virtual host {host.domain}")
        root.add(
            f"its routes have {_matches(decision)} matches: more than {MOST_MATCHES} are not tried one by one here: "
            "ask edgegate explain",
            Mood.QUIET,
        )
    if route is not None:
        name = route.name if isinstance(route, HTTPRoute) else ""
        root.add(f"yes: route {name}".rstrip(), Mood.GOOD, route.origin)
    elif decision.fault is not None:
        root.add(f"the gateway answers {decision.fault.status}: {decision.fault.reason}", Mood.BAD)
    elif decision.redirect_port is not None:
        root.add(f"it is sent to https, port {decision.redirect_port}", Mood.GOOD)
    return root


def row_of(served: bool, root: Node) -> Row:
    """Return what the page shows of an explanation."""
    # JSON that is as deep as the tree is
    shown: Value = _told(root)  # type: ignore[assignment]
    return {"served": served, "tree": shown}


def _told(node: Node) -> dict[str, object]:
    return {
        "text": node.text,
        "mood": node.mood.value,
        "place": None if node.origin is None else str(node.origin),
        "children": list(map(_told, node.children)),
    }
