"""A Snapshot as lines that a reader can check."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.routing.matching import HTTPMatch, Kind, StringMatch
from edgegate.routing.snapshot import (
    Cluster,
    Endpoint,
    FilterChain,
    HTTPRoute,
    ServerTLS,
    Snapshot,
    TCPRoute,
    VirtualHost,
    WeightedCluster,
)


def dump(snapshot: Snapshot) -> str:
    """Return a Snapshot as indented lines."""
    return "".join(f"{line}\n" for line in _snapshot(snapshot))


def _snapshot(snapshot: Snapshot) -> Iterator[str]:
    for listener in snapshot.listeners:
        yield f"listener {listener.name} binds {listener.bind} ({listener.origin})"
        if listener.plain is not None:
            yield from _indented(_chain("plain", listener.plain))
        for pattern, chain in listener.secure.items():
            yield from _indented(_chain(f"SNI {pattern}", chain))
    for cluster in snapshot.clusters.values():
        yield from _cluster(cluster)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}"


def _chain(title: str, chain: FilterChain) -> Iterator[str]:
    yield f"{title}: {chain.name} of {', '.join(chain.hosts)} ({chain.origin})"
    if chain.tls is not None:
        yield from _indented(_tls(chain.tls))
    if chain.http is not None:
        for _, host in chain.http.items():
            yield from _indented(_host(host))
    for route in chain.tcp or ():
        yield f"  {_tcp_route(route)}"


def _tls(tls: ServerTLS) -> Iterator[str]:
    rules = tls.rules
    ciphers = f" {':'.join(rules.ciphers)}" if rules.ciphers else ""
    alpn = f" ALPN {b' '.join(tls.alpn).decode()}" if tls.alpn else ""
    yield f"TLS {rules.minimum.name} to {rules.maximum.name}{ciphers}{alpn}"
    for pair in tls.certificates:
        yield f"  certificate {pair.name}: {pair.chain.decode()!r} with key {pair.key.decode()!r}"
    verification = rules.verification
    if verification is not None:
        yield f"  clients {'must' if verification.required else 'may'} be of {verification.authorities.decode()!r}"
        if verification.revocations:
            yield f"  revoked: {verification.revocations.decode()!r}"
        for what, values in (
            ("names", verification.subject_alt_names),
            ("spki", [digest.hex() for digest in verification.spki]),
            ("hashes", [digest.hex() for digest in verification.hashes]),
        ):
            if values:
                yield f"  {what}: {', '.join(values)}"


def _host(host: VirtualHost) -> Iterator[str]:
    redirect = f" -> https, port {host.redirect_port}" if host.redirect_port is not None else ""
    yield f"host {host.domain}{redirect}"
    for route in host.routes:
        yield f"  {_http_route(route)}"


def _http_route(route: HTTPRoute) -> str:
    timeout = f" within {route.timeout:g} s" if route.timeout is not None else ""
    conditions = " or ".join(_match(match) for match in route.matches) or "always"
    return f"{route.name} ({route.origin}): {conditions} -> {_destinations(route.destinations)}{timeout}"


def _match(match: HTTPMatch) -> str:
    texts = [
        ("uri", match.uri),
        ("scheme", match.scheme),
        ("method", match.method),
        ("authority", match.authority),
        *match.headers,
        *((f"no {name}", text) for name, text in match.without_headers),
        *((f"?{name}", text) for name, text in match.query_params),
    ]
    conditions = [f"{name} {_text(text)}" for name, text in texts if text is not None]
    if match.port is not None:
        conditions.append(f"port {match.port}")
    return " and ".join(conditions)


def _text(match: StringMatch) -> str:
    case = " in any case" if match.ignore_case else ""
    return "present" if match.kind is Kind.PRESENT else f"{match.kind.value} {match.value!r}{case}"


def _tcp_route(route: TCPRoute) -> str:
    sni = f" SNI {' '.join(route.sni_hosts)}" if route.sni_hosts else ""
    subnets = f" to {' '.join(route.destination_subnets)}" if route.destination_subnets else ""
    return f"({route.origin}){sni}{subnets} -> {_destinations(route.destinations)}"


def _destinations(destinations: tuple[WeightedCluster, ...]) -> str:
    return ", ".join(f"{each.cluster} x {each.weight}" for each in destinations) or "nowhere"


def _cluster(cluster: Cluster) -> Iterator[str]:
    yield f"cluster {cluster.name} {cluster.discovery.value} ({cluster.origin})"
    for endpoint in cluster.endpoints:
        yield f"  {_endpoint(endpoint)}"


def _endpoint(endpoint: Endpoint) -> str:
    labels = "".join(f" {key}={value}" for key, value in endpoint.labels)
    locality = f" in {endpoint.locality}" if endpoint.locality else ""
    return f"{endpoint.address} x {endpoint.weight}{labels}{locality}"
