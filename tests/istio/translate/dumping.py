"""A Snapshot as lines that a reader can check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

from edgegate.model.actions import NewPath, Redirect, Substitution
from edgegate.model.clusters import Cluster, Endpoint, Endpoints, LoadBalancer, PoolLimits
from edgegate.model.headers import HeaderChanges, Operator
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.policies import DEFAULT_RETRIES, CORSPolicy, RetryPolicy
from edgegate.model.routes import HTTPRoute, TCPRoute, WeightedCluster
from edgegate.model.tls import Credential, KeyPair, ServerTLS, UpstreamTLS
from edgegate.routing.snapshot import FilterChain, Snapshot, VirtualHost

Pairs = Mapping[Credential, KeyPair]


def dump(snapshot: Snapshot, endpoints: Endpoints, pairs: Pairs) -> str:
    """Return a Snapshot, with the endpoints that go with it and the key material that it names, as indented lines."""
    return "".join(f"{line}\n" for line in _snapshot(snapshot, endpoints, pairs))


def _snapshot(snapshot: Snapshot, endpoints: Endpoints, pairs: Pairs) -> Iterator[str]:
    for listener in snapshot.listeners:
        yield f"listener {listener.name} binds {listener.bind} ({listener.origin})"
        if listener.plain is not None:
            yield from _indented(_chain("plain", listener.plain, pairs))
        for pattern, chain in listener.secure.items():
            yield from _indented(_chain(f"SNI {pattern}", chain, pairs))
    for cluster in snapshot.clusters.values():
        yield from _cluster(cluster, endpoints.get(cluster.name, ()), pairs)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}"


def _chain(title: str, chain: FilterChain, pairs: Pairs) -> Iterator[str]:
    yield f"{title}: {chain.name} of {', '.join(chain.hosts)} ({chain.origin})"
    if chain.tls is not None:
        yield from _indented(_tls(chain.tls, pairs))
    if chain.http is not None:
        for _, host in chain.http.items():
            yield from _indented(_host(host))
    for route in chain.tcp or ():
        yield f"  {_tcp_route(route)}"


def _tls(tls: ServerTLS, pairs: Pairs) -> Iterator[str]:
    rules = tls.rules
    ciphers = f" {':'.join(rules.ciphers)}" if rules.ciphers else ""
    alpn = f" ALPN {b' '.join(tls.alpn).decode()}" if tls.alpn else ""
    yield f"TLS {rules.minimum.name} to {rules.maximum.name}{ciphers}{alpn}"
    for pair in (pairs[credential] for credential in tls.credentials):
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
    conditions = " or ".join(_match(match) for match in route.matches) or "always"
    if route.redirect is not None:
        does = _redirect(route.redirect)
    elif route.direct is not None:
        does = f"answers {route.direct.status} {route.direct.body!r}"
    else:
        does = _destinations(route.destinations)
    return f"{route.name} ({route.origin}): {conditions} -> {does}{''.join(_policies(route))}"


def _redirect(redirect: Redirect) -> str:
    parts = [("scheme", redirect.scheme), ("authority", redirect.authority), ("port", redirect.port)]
    path = [_new_path(redirect.path)] if redirect.path is not None else []
    return " ".join(
        [f"redirects {redirect.code}", *(f"{name} {value!r}" for name, value in parts if value is not None), *path]
    )


def _new_path(path: NewPath | Substitution) -> str:
    if isinstance(path, Substitution):
        return f"path {path.expression!r} by {path.replacement!r}"
    return f"path {path.text!r}" if path.prefix is None else f"path {path.prefix!r}* by {path.text!r}"


def _policies(route: HTTPRoute) -> Iterator[str]:
    if route.timeout is not None:
        yield f" within {route.timeout:g} s"
    if route.response is not None and (route.redirect or route.direct):
        yield f"; answer {_changes(route.response)}"
    if route.retries is None:
        yield "; no retries"
    elif route.retries != DEFAULT_RETRIES:
        yield f"; {_retries(route.retries)}"
    if route.faults is not None and route.faults.delay is not None:
        yield f"; delays {route.faults.delay.share:.0%} by {route.faults.delay.seconds:g} s"
    if route.faults is not None and route.faults.abort is not None:
        abort = route.faults.abort
        grpc = f" grpc {abort.grpc_status}" if abort.grpc_status is not None else ""
        yield f"; aborts {abort.share:.0%} with {abort.status}{grpc}"
    for mirror in route.mirrors:
        yield f"; mirrors {mirror.share:.0%} to {mirror.cluster}"
    if route.cors is not None:
        yield f"; {_cors(route.cors)}"


def _retries(policy: RetryPolicy) -> str:
    conditions = [*sorted(policy.conditions), *map(str, sorted(policy.statuses))]
    limit = f" within {policy.per_try_timeout:g} s each" if policy.per_try_timeout is not None else ""
    where = "" if policy.elsewhere else " anywhere"
    return f"retries {policy.attempts}{where} on {','.join(conditions)} after {policy.backoff:g} s{limit}"


def _cors(policy: CORSPolicy) -> str:
    values = [
        ("methods", policy.methods),
        ("headers", policy.headers),
        ("expose", policy.expose),
        ("max-age", policy.max_age),
    ]
    texts = [f"{name} {value.decode()}" for name, value in values if value]
    flags = [*(["credentials"] * policy.credentials), *([] if policy.forward_unmatched else ["others ignored"])]
    return " ".join(["cors", ",".join(_text(origin) for origin in policy.origins), *texts, *flags])


def _changes(changes: HeaderChanges) -> str:
    parts = [f"-{name.decode()}" for name in changes.remove]
    for sign, values in (("=", changes.set), ("+", changes.add)):
        parts += [f"{sign}{name.decode()}:{''.join(map(_part, value.parts))}" for name, value in values]
    return " ".join(parts)


def _part(part: bytes | Operator) -> str:
    if isinstance(part, bytes):
        return part.decode()
    argument = f"({part.argument})" if part.argument is not None else ""
    return f"<{part.name}{argument}{'' if part.longest is None else f':{part.longest}'}>"


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
    if match.stat_prefix:
        conditions.append(f"counted as {match.stat_prefix}")
    return " and ".join(conditions)


def _text(match: StringMatch) -> str:
    case = " in any case" if match.ignore_case else ""
    return "present" if match.kind is Kind.PRESENT else f"{match.kind.value} {match.value!r}{case}"


def _tcp_route(route: TCPRoute) -> str:
    sni = f" SNI {' '.join(route.sni_hosts)}" if route.sni_hosts else ""
    subnets = f" to {' '.join(route.destination_subnets)}" if route.destination_subnets else ""
    subnets += f" from {' '.join(route.source_subnets)}" if route.source_subnets else ""
    return f"({route.origin}){sni}{subnets} -> {_destinations(route.destinations)}"


def _destinations(destinations: tuple[WeightedCluster, ...]) -> str:
    return ", ".join(map(_destination, destinations)) or "nowhere"


def _destination(each: WeightedCluster) -> str:
    told = []
    if each.request is not None:
        if each.request.path is not None:
            told.append(_new_path(each.request.path))
        if each.request.authority is not None:
            told.append(f"authority {each.request.authority!r}")
        told += [f"request {_changes(changes)}" for changes in each.request.headers]
    told += [f"answer {_changes(changes)}" for changes in each.response]
    return f"{each.cluster} x {each.weight}" + (f" [{'; '.join(told)}]" if told else "")


def _cluster(cluster: Cluster, endpoints: tuple[Endpoint, ...], pairs: Pairs) -> Iterator[str]:
    rule = f" by {cluster.rule.resource}" if cluster.rule is not None else ""
    yield f"cluster {cluster.name} {cluster.discovery.value} ({cluster.origin}){rule}"
    for text in _settings(cluster, pairs):
        yield f"  {text}"
    for endpoint in endpoints:
        yield f"  {_endpoint(endpoint)}"


def _settings(cluster: Cluster, pairs: Pairs) -> Iterator[str]:
    """Yield what a cluster has that is not the default."""
    if cluster.connect_timeout != 10:
        yield f"connects within {cluster.connect_timeout:g} s"
    if cluster.balancer != LoadBalancer():
        yield f"balances {_given(cluster.balancer)}"
    if cluster.limits != PoolLimits():
        yield f"limits {_given(cluster.limits)}"
    if cluster.outliers is not None:
        yield f"ejects {_given(cluster.outliers)}"
    if cluster.retry_share is not None:
        yield f"retries {_given(cluster.retry_share)}"
    if cluster.tls is not None:
        yield f"TLS {_upstream_tls(cluster.tls, pairs)}"
    if cluster.proxy_header is not None:
        yield f"PROXY {cluster.proxy_header.name}"


def _given(value: Any) -> str:
    """Return the fields of a value that are not the default."""
    parts = []
    for each in fields(value):
        found = getattr(value, each.name)
        if each.default is not MISSING and found == each.default:
            continue
        if isinstance(found, Enum):
            found = found.value
        elif isinstance(found, frozenset):
            found = sorted(found)
        elif is_dataclass(found):
            found = f"({_given(found)})"
        parts.append(f"{each.name}={found}")
    return " ".join(parts) or "as by default"


def _upstream_tls(tls: UpstreamTLS, pairs: Pairs) -> str:
    """Return terms with what they name in its place."""
    given = _given(tls)
    if tls.credential is None:
        return given
    pair = pairs[tls.credential]
    named = _given(tls.credential)
    return given.replace(f"credential=({named})", f"certificate={pair.name} {pair.chain!r} {pair.key!r}")


def _endpoint(endpoint: Endpoint) -> str:
    labels = "".join(f" {key}={value}" for key, value in endpoint.labels)
    locality = f" in {endpoint.locality}" if endpoint.locality else ""
    probe = f" probed ({_given(endpoint.probe)})" if endpoint.probe is not None else ""
    return f"{endpoint.address} x {endpoint.weight}{labels}{locality}{probe}"
