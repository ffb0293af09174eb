"""
What a Snapshot says, as rows that are shown as text, JSON or YAML.

Each row names all that it shows: nothing is dumped as it stands, and so no
private key is ever in one. Each has C{file}, where in the files it is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType

from cryptography import x509

from edgegate.admin.cluster_settings import balancing, ejection, encryption, limits
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.certificates import ManagedCertificate
from edgegate.model.clusters import NO_ENDPOINTS, Cluster, Endpoint, Endpoints
from edgegate.model.guards.guard import Guards
from edgegate.model.match_parts import as_written
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, TCPRoute, WeightedCluster
from edgegate.model.tls import KeyPair, UpstreamTLS
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost
from edgegate.tls.acme.keys import is_placeholder
from edgegate.tls.acme.status import CertificateState, CertificateStatus
from edgegate.tls.secret_store import Secrets
from edgegate.tls.secrets import load_certificates
from edgegate.upstream.registry import ClusterState

Value = str | int | bool | None | list[str]
Row = dict[str, Value]

Managed = Mapping[ManagedCertificate, CertificateStatus]

NOT_MANAGED: Managed = MappingProxyType({})

TO_BE_ISSUED = "TO BE ISSUED"
"""The status of a certificate that the gateway has not issued yet."""

EXPLAIN = "explain"
"""The view that explains a request, in one row."""

REQUESTS = "requests"
"""The view of the last requests, whose rows have whatever JSON has."""


def listeners(snapshot: Snapshot, bound: Callable[[Listener], Address | None] = lambda _: None) -> list[Row]:
    """
    Return a row for each server: what is open, what begins there, and who is meant.

    @param bound: Tells which address is bound for a listener.
    """
    rows: list[Row] = []
    for listener in snapshot.listeners:
        local = bound(listener) or listener.bind
        for chain, names in chains(listener):
            rows.append(
                {
                    "address": local.host if isinstance(local, TCPAddress) else str(local),
                    "port": local.port if isinstance(local, TCPAddress) else 0,
                    "type": kind(listener, chain),
                    "match": f"SNI: {', '.join(names)}" if names else "plain",
                    "port_in_files": listener.port,
                    "hosts": list(chain.hosts),
                    "routes": chain.name,
                    **origin_row(chain.origin),
                }
            )
    return rows


def kind(listener: Listener, chain: FilterChain) -> str:
    """Return what a server serves: C{HTTP}, C{HTTPS}, C{TCP}, C{TLS} (ended here) or C{TLS passthrough}."""
    if chain.http is not None:
        return "HTTP" if chain is listener.plain else "HTTPS"
    if chain is listener.plain:
        return "TCP"
    return "TLS passthrough" if chain.tls is None else "TLS"


def routes(snapshot: Snapshot) -> list[Row]:
    """Return a row for each route, in the order in which they are tried."""
    rows: list[Row] = []
    for listener in snapshot.listeners:
        for chain, names in chains(listener):
            rows.extend(_http_routes(chain))
            rows.extend(_tcp_route(chain, names, route) for route in chain.tcp or ())
    return rows


def clusters(snapshot: Snapshot) -> list[Row]:
    """Return a row for each cluster."""
    rows: list[Row] = []
    for cluster in snapshot.clusters.values():
        direction, port, subset, service = parts_of(cluster.name)
        rows.append(
            {
                "service": service,
                "port": port,
                "subset": subset or None,
                "direction": direction,
                "type": cluster.discovery.value,
                "name": cluster.name,
                "connect_timeout": f"{cluster.connect_timeout:g}s",
                "balancing": balancing(cluster.balancer),
                "tls": encryption(cluster.tls),
                "limits": limits(cluster.limits),
                "ejection": ejection(cluster.outliers),
                "proxy_protocol": cluster.proxy_header.name if cluster.proxy_header is not None else None,
                "destination_rule": _short(cluster.rule) if cluster.rule is not None else None,
                "rule_file": str(cluster.rule) if cluster.rule is not None else None,
                **origin_row(cluster.origin),
            }
        )
    return rows


def endpoints(snapshot: Snapshot, states: Iterable[ClusterState] = (), said: Endpoints = NO_ENDPOINTS) -> list[Row]:
    """
    Return a row for each endpoint.

    @param states: Of a gateway that runs: what is known of them now.
    @param said: Where none runs: what the files say.
    """
    running = {state.name: state for state in states}
    rows: list[Row] = []
    for cluster in snapshot.clusters.values():
        state = running.get(cluster.name)
        rows.extend(_configured(cluster, said.get(cluster.name, ())) if state is None else _known(cluster, state))
    return rows


def endpoint_health(rows: Iterable[Row]) -> dict[tuple[str, str], str]:
    """Return what rows of L{endpoints} say of their health, in words, by cluster and address."""
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        ejected = ", ejected by outlier detection" if row.get("outlier_check") == "FAILED" else ""
        found[str(row["cluster"]), str(row["endpoint"])] = f"{row.get('status') or 'unknown'}{ejected}"
    return found


def secrets(snapshot: Snapshot, known: Secrets, now: datetime, managed: Managed = NOT_MANAGED) -> list[Row]:
    """
    Return a row for each certificate that servers show or check clients by, and likewise for backends.

    @param known: The key material that the Snapshot names.
    @param now: An aware time.
    @param managed: What is known of those that the gateway has issued itself.
    """
    return list(each_secret(snapshot, known, now, managed))


def each_secret(snapshot: Snapshot, known: Secrets, now: datetime, managed: Managed = NOT_MANAGED) -> Iterator[Row]:
    """Yield the rows of L{secrets}, one by one: each has a certificate read."""
    issued = {each.credential: each for each in snapshot.certificates}
    for listener in snapshot.listeners:
        for chain, names in chains(listener):
            tls = chain.tls
            if tls is None:
                continue
            for pair in map(known.pair, tls.credentials):
                row = _certificate(pair.name, "Cert Chain", pair.chain, names, chain.origin, now)
                certificate = issued.get(pair.credential)
                yield row if certificate is None else {**row, **_issued(pair, certificate, managed, now)}
            if tls.rules.verification is not None:
                authorities = tls.rules.verification.authorities
                yield _certificate(f"{chain.name} CA", "CA", authorities, names, chain.origin, now)
    for cluster in snapshot.clusters.values():
        if cluster.tls is not None:
            yield from _backend_certificates(cluster, cluster.tls, known, now)


def _backend_certificates(cluster: Cluster, tls: UpstreamTLS, known: Secrets, now: datetime) -> Iterator[Row]:
    origin, hosts = cluster.rule or cluster.origin, [cluster.name]
    pair = known.shown_to(tls)
    if pair is not None:
        yield _certificate(pair.name, "Client Cert", pair.chain, hosts, origin, now)
    if tls.authorities is not None:
        yield _certificate(f"{cluster.name} CA", "CA", tls.authorities, hosts, origin, now)


def chains(listener: Listener) -> Iterator[tuple[FilterChain, list[str]]]:
    """Yield each filter chain once, with the SNI names that find it."""
    if listener.plain is not None:
        yield listener.plain, []
    names: dict[int, list[str]] = {}
    chains: dict[int, FilterChain] = {}
    for pattern, chain in listener.secure.items():
        chains[id(chain)] = chain
        names.setdefault(id(chain), []).append(pattern)
    for key, chain in chains.items():
        yield chain, names[key]


def _http_routes(chain: FilterChain) -> Iterator[Row]:
    if chain.http is None:
        return
    hosts = [host for _, host in chain.http.items()]
    if not hosts:
        # Nobody serves these hosts, as in istioctl's table.
        hosts = [VirtualHost(name, guards=chain.guards) for name in chain.hosts]
    for host in hosts:
        base: Row = {"name": chain.name, "domains": host.domain, **_policies(host.guards)}
        if host.redirect_port is not None:
            target = f"redirect to https port {host.redirect_port}"
            yield {**base, "match": "/*", "virtual_service": None, "to": [target], **origin_row(chain.origin)}
            continue
        if not host.routes:
            yield {**base, "match": "/*", "virtual_service": "404", "to": [], **origin_row(chain.origin)}
        for route in host.routes:
            own = _policies((*host.guards, *route.guards))
            said = _route(route.origin, route.destinations)
            yield {**base, **own, "match": matches(route), **said, "route": route.name}


def _tcp_route(chain: FilterChain, names: list[str], route: TCPRoute) -> Row:
    return {
        "name": chain.name,
        "domains": ", ".join(route.sni_hosts or names or chain.hosts),
        "match": tcp_match(route),
        **_policies(chain.guards),
        **_route(route.origin, route.destinations),
    }


def _policies(guards: Guards) -> Row:
    """Return the policies that are met, in their order; nothing where there are none."""
    return {"policies": [guard.origin.resource for guard in guards]} if guards else {}


def tcp_match(route: TCPRoute) -> str:
    """Return which connections a route takes, in words."""
    ends = (("from", route.source_subnets), ("to", route.destination_subnets))
    return " ".join(f"{end} {', '.join(subnets)}" for end, subnets in ends if subnets) or "*"


def _route(origin: Origin, destinations: tuple[WeightedCluster, ...]) -> Row:
    service = _short(origin) if origin.resource.startswith("VirtualService ") else origin.resource
    to = [each.cluster if len(destinations) == 1 else f"{each.cluster} ({each.weight})" for each in destinations]
    return {"virtual_service": service, "to": list(to), **origin_row(origin)}


def _short(origin: Origin) -> str:
    """Return a resource as C{istioctl} names it: C{webapp.default}."""
    namespace, _, name = origin.resource.partition(" ")[2].rpartition("/")
    return f"{name}.{namespace}"


def matches(route: HTTPRoute) -> str:
    """Return which requests a route takes, in words."""
    return " or ".join(_match(match) for match in route.matches) or "/*"


def _match(match: HTTPMatch) -> str:
    uri = match.uri
    parts = ["/*" if uri is None else _path(uri)]
    named = (("scheme", match.scheme), ("method", match.method), ("authority", match.authority))
    parts += [f"{name} {as_written(text)}" for name, text in (*named, *match.headers) if text is not None]
    parts += [f"no {name} {as_written(text)}" for name, text in match.without_headers]
    parts += [f"?{name} {as_written(text)}" for name, text in match.query_params]
    return " and ".join(parts)


def _path(uri: StringMatch) -> str:
    case = " in any case" if uri.ignore_case else ""
    if uri.kind is Kind.PREFIX:
        return f"{uri.value}*{case}"
    return f"regex {uri.value}" if uri.kind is Kind.REGEX else f"{uri.value or '/*'}{case}"


def parts_of(name: str) -> tuple[str, int, str, str]:
    """Return direction, port, subset and service of C{outbound|80||webapp.default.svc.cluster.local}."""
    direction, port, subset, service = name.split("|", 3)
    return direction, int(port), subset, service


def _configured(cluster: Cluster, said: tuple[Endpoint, ...]) -> Iterator[Row]:
    for endpoint in said:
        yield {
            "endpoint": str(endpoint.address),
            "status": None,
            "outlier_check": None,
            "cluster": cluster.name,
            "weight": endpoint.weight or 1,
            "locality": endpoint.locality or None,
            **origin_row(cluster.origin),
        }


def _known(cluster: Cluster, state: ClusterState) -> Iterator[Row]:
    named = state.hosts.endpoints() if state.hosts is not None else ()
    for endpoint in (*state.endpoints, *named):
        yield {
            "endpoint": str(endpoint.address),
            "status": "UNHEALTHY" if endpoint.unhealthy else "HEALTHY",
            "outlier_check": "FAILED" if endpoint.ejected else "OK",
            "cluster": cluster.name,
            "weight": endpoint.weight,
            "locality": endpoint.locality or None,
            "ejections": endpoint.record.ejections,
            "active": endpoint.active,
            "requests": endpoint.requests,
            "connections": endpoint.connections,
            "connect_failures": endpoint.connect_failures,
            **origin_row(cluster.origin),
        }


def _certificate(name: str, type_: str, pem: bytes, hosts: list[str], origin: Origin, now: datetime) -> Row:
    """Return the row of the certificate that ends first."""
    certificate = min(load_certificates(pem, name), key=lambda each: each.not_valid_after_utc)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    status = "NOT YET VALID" if now < begins else "EXPIRED" if now > ends else "ACTIVE"
    return {
        "name": name,
        "type": type_,
        "status": status,
        "valid": status == "ACTIVE",
        "hosts": list(hosts),
        "names": _names(certificate),
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "not_after": _time(ends),
        "not_before": _time(begins),
        "days_left": (ends - now).days,
        **origin_row(origin),
    }


def _issued(pair: KeyPair, certificate: ManagedCertificate, managed: Managed, now: datetime) -> Row:
    """Return what there is to say besides of one that the gateway has issued itself."""
    found, missing = managed.get(certificate), is_placeholder(pair)
    if found is None:
        state = CertificateState.PENDING if missing else CertificateState.ISSUED
    else:
        state = found.state(now.timestamp())
    row: Row = {
        "issued_by": certificate.issuer.name,
        "state": state.value,
        "next": None
        if found is None
        else _time(datetime.fromtimestamp(found.next, timezone.utc))
        if found.next
        else "now",
        "last_error": None if found is None else found.error or None,
        **origin_row(certificate.origin),
    }
    if missing:
        # nobody is to take what stands in for it for valid
        row |= {"status": TO_BE_ISSUED, "valid": False, "not_after": None, "not_before": None, "days_left": None}
    return row


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses: list[IPv4Address | IPv6Address] = [
        each for each in found.get_values_for_type(x509.IPAddress) if isinstance(each, IPv4Address | IPv6Address)
    ]
    return [*found.get_values_for_type(x509.DNSName), *map(str, addresses)]


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def origin_row(origin: Origin) -> Row:
    """Return what and where it is that says something."""
    return {"resource": origin.resource, "file": str(origin)}
