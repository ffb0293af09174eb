"""An explanation as a tree of lines, for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from edgegate.explain.effects import NEW_REQUEST_ID, Answer, Copy, Destination
from edgegate.explain.explanation import Explanation
from edgegate.explain.judgement import Verdict
from edgegate.explain.nearness import missing
from edgegate.explain.trials import Trial, name_of
from edgegate.explain.wording import (
    balancing,
    differences,
    header_changes,
    percent,
    retries,
    seconds,
    text,
    upstream_tls,
)
from edgegate.http.fields import Field
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute


class Mood(Enum):
    """How a line is meant."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    QUIET = "quiet"
    ADVICE = "advice"


@dataclass(slots=True)
class Node:
    """
    A line, and what stands below it.

    @ivar origin: Where in the files it is said.
    """

    text: str
    mood: Mood = Mood.PLAIN
    origin: Origin | None = None
    children: list[Node] = field(default_factory=list)

    def add(self, text: str, mood: Mood = Mood.PLAIN, origin: Origin | None = None) -> Node:
        """Add a line below it, and return that."""
        node = Node(text, mood, origin)
        self.children.append(node)
        return node


_MOODS = {Verdict.ALLOWED: Mood.GOOD, Verdict.DENIED: Mood.BAD, Verdict.UNKNOWN: Mood.QUIET}

TRIED = 12
"""Routes that failed and are shown each; of more the last ones, which stand nearest to the one that was taken."""


def tree(found: Explanation) -> Node:
    """Return an explanation as a tree."""
    question = found.decision.question
    root = Node(f"{question.method.decode('latin-1')} {question.url}".strip())
    _connection(root, found)
    if not found.refused:
        _request(root, found)
    if found.decision.guards:
        _guards(root, found)
    if found.trials:
        _trials(root, found)
    if found.decision.refusal is None and not found.refused:
        _effects(root, found)
    _outcome(root, found)
    if found.advice:
        node = root.add("look at", Mood.ADVICE)
        for each in found.advice:
            node.add(each.text, Mood.ADVICE, each.origin)
    return root


def lines(node: Node, before: str = "") -> Iterator[tuple[str, Node]]:
    """Yield each line with what stands in front of it."""
    yield before, node
    below = before.replace("├─ ", "│  ").replace("└─ ", "   ")
    for child in node.children:
        yield from lines(child, below + ("└─ " if child is node.children[-1] else "├─ "))


def _connection(root: Node, found: Explanation) -> None:
    """Say what becomes of the connection: port, server, certificate, TLS."""
    decision, question = found.decision, found.decision.question
    listener, chain = decision.listener, decision.chain
    if listener is None:
        root.add(f"port {question.port}: nothing listens there", Mood.BAD)
        return
    bound = "" if str(listener.bind) == listener.name else f", bound as {listener.bind}"
    node = root.add(f"listener {listener.name}{bound}", origin=listener.origin)
    if question.tls and len(listener.secure):
        name = f"SNI {question.server_name}" if question.server_name else "no SNI"
        others = ", ".join(pattern for pattern, _ in found.servers[1:])
        by = found.servers[0][0] if found.servers else "none"
        over = f", which is narrower than {others}" if others else ""
        node.add(f"{name}: found by {by}{over}" if found.servers else f"{name}: no server of this port has it")
    if chain is None:
        return
    server = node.add(f"server {chain.name} for {', '.join(chain.hosts)}", origin=chain.origin)
    if chain.tls is not None:
        _tls(server, found)
    elif question.tls:
        server.add("TLS does not end here: it is passed through")


def _tls(node: Node, found: Explanation) -> None:
    decision = found.decision
    assert decision.chain is not None
    assert decision.chain.tls is not None
    rules, on_demand = decision.chain.tls.rules, decision.chain.tls.on_demand
    versions = f"TLS {rules.minimum.name[4:].replace('_', '.')} to {rules.maximum.name[4:].replace('_', '.')}"
    alpn = text(decision.question.alpn)
    node.add(f"{versions} ends here{f', ALPN {alpn}' if alpn else ''}")
    for each in found.certificates:
        wrong = "" if each.fits else f": it is not for {decision.question.server_name}, so that clients refuse it"
        ended = "" if each.ended is None else f": it has ended on {each.ended:%Y-%m-%d}"
        missing = "" if each.issued else ": it is to be issued, and until then the connection is refused"
        mood = Mood.BAD if wrong or ended or missing else Mood.PLAIN
        node.add(f"certificate {each.name} for {', '.join(each.names) or 'no name'}{wrong}{ended}{missing}", mood)
    if on_demand and not found.certificates:
        node.add(f"a certificate on demand by {on_demand}, if it issues one for this name")
    verification = rules.verification
    if verification is not None:
        asked = "must show" if verification.required else "may show"
        shown = "it shows one" if decision.question.certificate else "it shows none"
        node.add(
            f"the client {asked} a certificate: {shown}{f', which is refused: {found.refused}' * bool(found.refused)}"
        )


def _request(root: Node, found: Explanation) -> None:
    """Say what is asked for, and which virtual host that finds."""
    decision = found.decision
    if decision.asked is None:
        return
    head = decision.asked.head
    node = root.add(f"request {text(head.method)} {text(head.target)}, host {head.host or 'none'}")
    if head.target != decision.question.target:
        node.add(f"the path in its normal form; the client said {text(decision.question.target)}")
    belongs = decision.owner
    if belongs is not None and belongs is not decision.chain:
        node.add(f"the host belongs to the server {belongs.name}, with the same tls", origin=belongs.origin)
    host = decision.virtual_host
    if host is None and belongs is None:
        node.add(f"{head.host} belongs to another server than the one that SNI chose", Mood.BAD)
        return
    if host is None:
        node.add(f"no virtual host of this port has {head.host or 'it'}", Mood.BAD)
        return
    others = ", ".join(found.hosts[1:])
    over = f", which is narrower than {others}" if others else ""
    found_by = node.add(f"virtual host {host.domain}{over}")
    for each in found.objects:
        found_by.add(f"with the routes of {each.resource}", origin=each)


def _guards(root: Node, found: Explanation) -> None:
    """Say what policies make of it, up to the one that refuses it."""
    node = root.add("policies, in their order")
    for each in found.decision.guards:
        guard = each.guard
        text = f"{each.verdict.value}: {guard.origin.resource}: {each.words}"
        step = node.add(text, _MOODS[each.verdict], guard.origin)
        trials = each.trials
        if len(trials) > TRIED:
            step.add(f"{len(trials) - TRIED} rules before these do not match", Mood.QUIET)
        for trial in trials[-TRIED:]:
            step.add(f"{trial.name}: {trial.words}", Mood.GOOD if trial.matches else Mood.QUIET, trial.origin)


def _trials(root: Node, found: Explanation) -> None:
    """Say what was tried, and what failed."""
    node = root.add("routes, in their order")
    failed = [each for each in found.trials if not each.held]
    if len(failed) > TRIED:
        node.add(f"{len(failed) - TRIED} that do not take it", Mood.QUIET)
    for each in failed[-TRIED:]:
        why = each.why if each.failed is None else missing(each.failed)
        node.add(f"no: {_name(each)}: {why}", Mood.QUIET, each.origin)
    taken = found.taken
    if taken is not None:
        matched = "it takes everything" if taken.match is None else "all its conditions hold"
        yes = node.add(f"yes: {_name(taken)}: {matched}", Mood.GOOD, taken.origin)
        if taken.delegated is not None:
            yes.add(f"which {taken.delegated.resource} delegates", origin=taken.delegated)
    for each in found.behind[:3]:
        node.add(f"{_name(each)} would take it as well, but stands behind", Mood.QUIET, each.origin)
    for left in found.left_out[:3]:
        if taken is not None:
            what = f"route {left.route} would take it, but " if left.match is not None else "left out: "
            node.add(f"{what}{left.reason}", Mood.QUIET, left.origin)


def _name(trial: Trial) -> str:
    route = trial.route
    return f"route {route.name}" if isinstance(route, HTTPRoute) else "route"


def _effects(root: Node, found: Explanation) -> None:
    """Say what follows."""
    effects, route = found.effects, found.decision.route
    if effects.delay is not None:
        root.add(f"fault: {percent(effects.delay[1])} are held for {effects.delay[0]:g}s")
    if effects.abort is not None:
        root.add(f"fault: {percent(effects.abort[1])} are answered {effects.abort[0].status}")
    for name, value in effects.cors:
        root.add(f"CORS: the response gets {text(name)}: {text(value)}")
    if not effects.destinations:
        return
    if isinstance(route, HTTPRoute):
        node = root.add(f"timeout {seconds(route.timeout)}, retries {retries(route.retries)}")
    for destination in effects.destinations:
        _destination(root, found, destination)
    for copy in effects.copies:
        node = root.add(f"mirror {copy.cluster}: {percent(copy.share)}")
        _copy(node, copy)


def _destination(root: Node, found: Explanation, destination: Destination) -> None:
    share = f" ({percent(destination.share)})" if len(found.effects.destinations) > 1 else ""
    cluster = destination.cluster
    if cluster is None:
        root.add(f"cluster {destination.said.cluster}{share}: there is none of this name", Mood.BAD)
        return
    node = root.add(f"cluster {cluster.name}{share}", origin=cluster.origin)
    if cluster.rule is not None:
        node.add(f"as {cluster.rule.resource} says", origin=cluster.rule)
    if destination.sent is not None:
        _sent(node, found, destination)
    for change in header_changes(destination.said.response):
        node.add(f"the response: {change}")
    node.add(f"{upstream_tls(cluster.tls, destination.server_name)}, {cluster.http.value}")
    if not destination.endpoints:
        node.add("no endpoint", Mood.BAD)
        return
    below = node.add(
        f"endpoints, chosen {balancing(cluster.balancer)}" if len(destination.endpoints) > 1 else "endpoint"
    )
    for endpoint in destination.endpoints[:10]:
        health = found.health.get((cluster.name, str(endpoint.address)), "")
        mood = Mood.BAD if health and not health.startswith("HEALTHY") else Mood.PLAIN
        below.add(f"{endpoint.address}{f': {health}' if health else ''}", mood)
    if len(destination.endpoints) > 10:
        below.add(f"and {len(destination.endpoints) - 10} more")


def _sent(node: Node, found: Explanation, destination: Destination) -> None:
    """Say what the backend gets, as far as it differs from what the client said."""
    sent, asked = destination.sent, found.decision.asked
    assert sent is not None
    assert asked is not None
    below = node.add(f"gets {text(sent.method)} {text(sent.target)}, host {text(sent.authority)}")
    removed, changed = differences(asked.head.fields, sent.fields)
    for name in removed:
        below.add(f"without {name}")
    for each in changed:
        below.add(f"with {_field(each)}")


def _copy(node: Node, copy: Copy) -> None:
    sent = copy.sent
    node.add(f"gets {text(sent.method)} {text(sent.target)}, host {text(sent.authority)}")


def _field(each: Field) -> str:
    name, value = each
    return f"{text(name)}: {'a new one' if value == NEW_REQUEST_ID else text(value)}"


def _outcome(root: Node, found: Explanation) -> None:
    """Say what the client sees."""
    decision, answer = found.decision, found.effects.answer
    if decision.refusal is not None:
        root.add(f"not served: {decision.refusal.value}", Mood.BAD)
    elif found.refused:
        root.add(f"not served: the TLS handshake fails: {found.refused}", Mood.BAD)
    elif answer is not None:
        _answer(root, answer)
    elif decision.asked is None:
        root.add(f"the bytes of {name_of(decision) or 'the client'} are relayed", Mood.GOOD)
    else:
        root.add("the backend answers", Mood.GOOD)


def _answer(root: Node, answer: Answer) -> None:
    flags = f", flag {answer.flags}" if answer.flags else ""
    reason = f": {answer.reason}" if answer.reason else ""
    mood = Mood.BAD if answer.reason else Mood.GOOD
    node = root.add(f"the gateway answers {answer.status}{flags}{reason}", mood)
    for each in answer.fields:
        node.add(_field(each))
    if answer.body:
        shown = text(answer.body[:200].rstrip(b"\n"))
        node.add(f"body: {shown}{' ...' if len(answer.body) > 200 else ''}")
