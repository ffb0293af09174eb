"""Where a question ends in an error: what to look at, and what to change, with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgegate.errors import BAD_HOST, BAD_PATH, MISDIRECTED, NO_CLUSTER, NO_HEALTHY_UPSTREAM, NO_ROUTE, SCHEME_MISMATCH
from edgegate.explain.decision import Decision, Refusal
from edgegate.explain.effects import Effects
from edgegate.explain.judgement import Judgement
from edgegate.explain.nearness import Near, missing, near_names
from edgegate.explain.trials import contenders, name_of
from edgegate.model.hosts import covers
from edgegate.model.notes import Cause, LeftOut
from edgegate.model.origin import Origin
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost

_HOSTS = (Cause.HOST, Cause.EXPORT, Cause.MESH, Cause.SELECTOR, Cause.SERVER)


@dataclass(frozen=True, slots=True)
class Advice:
    """
    Something to look at.

    @ivar text: What it is, and what to do.
    @ivar origin: Where it is said; L{None}: nowhere in the files.
    """

    text: str
    origin: Origin | None = None


def advice(
    snapshot: Snapshot,
    decision: Decision,
    effects: Effects,
    near: Sequence[Near],
    left_out: Sequence[LeftOut],
    elsewhere: Sequence[LeftOut] = (),
    most_names: int | None = None,
) -> Iterator[Advice]:
    """
    Yield what to look at, the likeliest first.

    @param near: Routes that nearly take the question.
    @param left_out: What is not served, and is for its host and port.
    @param elsewhere: All that is not served, whatever it is for.
    @param most_names: Of so many hosts the nearest ones are told, of more none; L{None}: of however many.
    """
    if decision.denied is not None:
        yield _of_denial(decision.denied)
    elif decision.refusal is not None:
        yield from (_of_left_out(each) for each in left_out)
        yield from _of_refusal(snapshot, decision, decision.refusal, most_names)
    elif decision.fault is not None:
        yield from _of_fault(snapshot, decision, near, left_out, elsewhere, most_names)
    elif effects.answer is not None and effects.answer.reason:
        yield from _of_destinations(effects)


def _of_denial(denied: Judgement) -> Advice:
    guard = denied.guard
    return Advice(f"{guard.origin.resource} refuses it: {denied.words}", guard.origin)


def _of_left_out(left: LeftOut) -> Advice:
    what = f"route {left.route} would take it, but " if left.route and left.match is not None else ""
    by = "" if left.by is None or str(left.by) in left.reason else f" (see {left.by.resource} at {left.by})"
    return Advice(f"{what or left.origin.resource + ': '}{left.reason}{by}", left.origin)


def _of_refusal(snapshot: Snapshot, decision: Decision, refusal: Refusal, most_names: int | None) -> Iterator[Advice]:
    question, listener, chain = decision.question, decision.listener, decision.chain
    if refusal is Refusal.NO_LISTENER:
        name = name_of(decision)
        for other in _with_host(snapshot, name):
            yield Advice(f"port {other.port} serves {name}", other.origin)
        ports = ", ".join(str(each.port) for each in snapshot.listeners) or "none"
        yield Advice(f"the ports that are open: {ports}")
    elif refusal in (Refusal.HTTP_IN_THE_CLEAR, Refusal.NOT_TLS):
        yield Advice("ask with https:// (or tls://), or add a server without tls", _origin(listener))
    elif refusal is Refusal.NO_REQUEST:
        yield Advice("ask for a URL that begins with http:// or https://", _origin(listener))
    elif refusal is Refusal.NOT_PLAIN:
        yield Advice("ask with http://, or give the server of this port protocol HTTPS and tls", _origin(listener))
    elif refusal is Refusal.NO_CERTIFICATE and chain is not None:
        yield Advice("show a certificate (--client-cert), or use mode SIMPLE or OPTIONAL_MUTUAL", chain.origin)
    elif refusal is Refusal.MALFORMED:
        yield Advice("HTTP/2 has no connection, keep-alive, transfer-encoding or upgrade, and of te trailers alone")
    elif refusal is Refusal.NO_ROUTE and chain is not None:
        yield Advice("no tcp or tls route of a VirtualService of this Gateway takes the connection", chain.origin)
    elif refusal in (Refusal.UNKNOWN_NAME, Refusal.NO_NAME) and listener is not None:
        patterns = dict(listener.secure.items())
        for pattern in near_names(patterns, question.server_name, among=most_names):
            yield Advice(f"a server of this port has {pattern}", patterns[pattern].origin)
        for other in _with_host(snapshot, question.server_name):
            yield Advice(f"port {other.port} serves {question.server_name}", other.origin)
        if question.server_name:
            yield Advice("add the name to the hosts of a server of this port", _origin(listener))


def _of_fault(
    snapshot: Snapshot,
    decision: Decision,
    near: Sequence[Near],
    left_out: Sequence[LeftOut],
    elsewhere: Sequence[LeftOut],
    most_names: int | None,
) -> Iterator[Advice]:
    fault, asked = decision.fault, decision.asked
    if fault is NO_ROUTE and decision.virtual_host is not None:
        yield from (_of_left_out(each) for each in left_out)
        yield from _of_wider(decision, decision.virtual_host)
        yield from map(_of_near, near)
        if not decision.virtual_host.routes:
            yield Advice("no route is for this host on this port", None)
    elif fault is NO_ROUTE and asked is not None:
        yield from (_of_left_out(each) for each in left_out if each.cause in _HOSTS)
        yield from _of_unserved(elsewhere, asked.head.host, most_names)
        yield from _of_hosts(snapshot, decision, asked.head.host, most_names)
    elif fault is MISDIRECTED and asked is not None:
        yield from _of_misdirected(decision, asked.head.host)
    elif fault is SCHEME_MISMATCH:
        yield Advice("the request line asks for an https URL on a connection in the clear: ask over TLS")
    elif fault is BAD_PATH:
        yield Advice("the path holds %00, or % without two hexadecimal digits behind it")
    elif fault is BAD_HOST:
        yield Advice("the Host header is missing, comes twice, or is no host name with a port")
    elif fault is not None:
        yield Advice(f"the request is refused before any route is looked at: {fault.reason}")


def _of_wider(decision: Decision, host: VirtualHost) -> Iterator[Advice]:
    """Yield the routes of wider hosts that would take a request, were there not a narrower one."""
    chain, asked = decision.owner, decision.asked
    if chain is None or chain.http is None or asked is None:
        return
    for pattern, wide in contenders(chain.http, asked.head.host)[1:]:
        route = wide.selector.select(asked)
        if route is not None:
            what = f"route {route.name} of the host {pattern} would take it"
            yield Advice(f"{what}, but {host.domain} is narrower, and the routes of that alone are asked", route.origin)


def _of_near(near: Near) -> Advice:
    more = f", and {len(near.failed) - 1} more of its conditions" if len(near.failed) > 1 else ""
    hint = f"; {near.hint}" if near.hint else ""
    return Advice(f"route {near.route.name} nearly takes it: {missing(near.failed[0])}{more}{hint}", near.origin)


def _of_hosts(snapshot: Snapshot, decision: Decision, host: str, most_names: int | None) -> Iterator[Advice]:
    chain = decision.owner or decision.chain
    if chain is not None and chain.http is not None:
        hosts = dict(chain.http.items())
        for pattern in near_names(hosts, host, among=most_names):
            origin = hosts[pattern].routes[0].origin if hosts[pattern].routes else chain.origin
            yield Advice(f"{host!r} is no host here, but {pattern!r} is: {_apart(pattern, host)}", origin)
    for other in _with_host(snapshot, host):
        if not any(each.http is not None and _serves(each, host) for each in other.chains()):
            continue  # it takes bytes of all kinds
        if other is not decision.listener:
            yield Advice(f"{host} is served on port {other.port}", other.origin)
        elif (chain is other.plain) != (other.plain is not None and _serves(other.plain, host)):
            scheme = "https" if chain is other.plain else "http"
            yield Advice(f"{host} is served on this port by {scheme}", other.origin)
    if chain is None:
        return
    if any(covers(pattern, host) for pattern in chain.hosts):
        yield Advice("a server of this port has this host, but no VirtualService of its Gateway has", chain.origin)
    else:
        yield Advice("no server of this port has this host: add it to hosts, and to those of its routes", chain.origin)


def _of_unserved(elsewhere: Sequence[LeftOut], host: str, most_names: int | None) -> Iterator[Advice]:
    """Yield the hosts of routes that no server has and that come near to a host: one of the two may be misspelt."""
    unserved = {domain: each for each in elsewhere if each.cause is Cause.HOST for domain in each.domains}
    unserved.pop(host, None)
    for domain in near_names(unserved, host, among=most_names):
        left = unserved[domain]
        text = f"{left.origin.resource} is for {domain!r}, which no server of its gateways has: {_apart(domain, host)}"
        yield Advice(text, left.origin)


def _apart(pattern: str, host: str) -> str:
    """Return in what a pattern and a host differ."""
    if pattern == f"*.{host}":
        return "a wildcard stands for one label or more, never for none"
    if pattern.startswith("*."):
        return "the wildcard's name differs"
    if pattern in (f"www.{host}", host.removeprefix("www.")):
        return "they differ by www"
    return "is one of them misspelt?"


def _of_misdirected(decision: Decision, host: str) -> Iterator[Advice]:
    listener, chain = decision.listener, decision.chain
    found = None if listener is None else listener.secure.lookup(host)
    if found is None or chain is None:
        return
    name = decision.question.server_name or "no name"
    what = f"{host} belongs to the server {found.name}, whose tls differs from that of {chain.name}"
    yield Advice(f"{what}, which SNI {name} chose", found.origin)
    yield Advice("connect with the SNI name of the host, or give both servers the same tls", chain.origin)


def _of_destinations(effects: Effects) -> Iterator[Advice]:
    answer = effects.answer
    for each in effects.destinations:
        cluster = each.cluster
        if cluster is None:
            yield Advice(f"{each.said.cluster}: the service has no such port")
        elif answer is not None and answer.reason == NO_HEALTHY_UPSTREAM.reason:
            subset = cluster.name.split("|")[2]
            what = f"subset {subset} has no endpoint with its labels" if subset else "it has no endpoint"
            if cluster.rule is not None and subset:
                yield Advice(f"{cluster.name}: {what}", cluster.rule)
            yield Advice(f"{cluster.name}: {what}", cluster.origin)
    if answer is not None and answer.reason == NO_CLUSTER.reason and not effects.destinations:
        yield Advice("the route has no destination with a weight")


def _with_host(snapshot: Snapshot, host: str) -> Iterator[Listener]:
    """Yield the listeners that serve a host."""
    for listener in snapshot.listeners:
        if any(_serves(chain, host) for chain in listener.chains()):
            yield listener


def _serves(chain: FilterChain, host: str) -> bool:
    """Whether a chain has something to say to requests or connections for a host."""
    if not host:
        return False
    if chain.http is not None:
        return chain.http.lookup(host) is not None
    return any(covers(pattern, host) for pattern in chain.hosts)


def _origin(listener: Listener | None) -> Origin | None:
    return None if listener is None else listener.origin
