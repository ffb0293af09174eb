"""Events of the live stream, made by hand: a shop of which a backend is down, and as many hosts as somebody wants."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from edgegate.admin.live.events import FLAGS

Event = dict[str, Any]

NOW = "2026-03-01T12:00:00.000Z"
LISTENER = "0.0.0.0:8443"
PLAIN = "0.0.0.0:8080"


def traffic(rps: float = 0.0, share: float = 0.0, p95: float | None = None, **flags: float) -> Event:
    """Return what a row has of requests."""
    p95 = p95 if p95 is not None else 20.0
    return {
        "rps": rps,
        "error_share": share if rps else None,
        "errors": round(rps * share, 4),
        "client_share": 0.004 if rps else None,
        "flags": flags,
        "p50": round(p95 / 4, 1) if rps else None,
        "p95": p95 if rps else None,
        "p99": round(p95 * 2.2, 1) if rps else None,
        "backend_p95": round(p95 * 0.9, 1) if rps else None,
    }


def table(rows: list[Event], total: int | None = None) -> Event:
    """Return a table."""
    total = len(rows) if total is None else total
    return {"rows": rows, "total": total, "rest": total - len(rows)}


def cluster_id(service: str, port: int = 8080, subset: str = "") -> str:
    """Return a cluster's id."""
    return f"outbound|{port}|{subset}|{service}"


def route(host: str, place: int, match: str, to: list[str], file: str, listener: str = LISTENER, **more: Any) -> Event:
    """Return the row of a route."""
    server = f"{listener}|https.443|{host}"
    return {
        "id": f"{server}|{place}",
        "listener": listener,
        "host_id": server,
        "host": host,
        "place": place,
        "name": "",
        "match": match,
        "to": to,
        "clusters": to,
        "action": "forward" if to else "redirect",
        "resource": f"VirtualService default/{host.partition('.')[0]}",
        "file": file,
        "active": 1,
        **traffic(),
        **more,
    }


def host(name: str, listener: str = LISTENER, **more: Any) -> Event:
    """Return the row of a host."""
    row = {"id": f"{listener}|https.443|{name}", "listener": listener, "server": "https.443", "host": name}
    return {**row, "type": "HTTPS", "routes": 2, "file": "gateway.yaml:8", **traffic(), **more}


def cluster(name: str, file: str, endpoints: int = 2, healthy: int | None = None, **more: Any) -> Event:
    """Return the row of a cluster."""
    healthy = endpoints if healthy is None else healthy
    service = name.rsplit("|", 1)[1]
    return {
        "id": name,
        "service": service,
        "port": 8080,
        "subset": name.split("|")[2] or None,
        "resource": f"ServiceEntry default/{service}",
        "file": file,
        "rule_file": None,
        "endpoints": endpoints,
        "healthy": healthy,
        "ejected": endpoints - healthy,
        "active": 3,
        "connections": 8,
        "pending": 0,
        "full": [],
        **traffic(),
        **more,
    }


def endpoint(cluster: str, address: str, health: str = "healthy", **more: Any) -> Event:
    """Return the row of an endpoint."""
    return {
        "id": f"{cluster}|{address}",
        "cluster": cluster,
        "address": address,
        "health": health,
        "unfit_workers": 0,
        "ejections": 0,
        "active": 1,
        "connections": 4,
        "connect_failures": 0,
        "requests": 1234,
        "weight": 1,
        "locality": "",
        "file": "backends.yaml:3",
        **traffic(),
        **more,
    }


def example(path: str, status: int = 200, flags: tuple[str, ...] = (), **more: Any) -> Event:
    """Return a request that is told of."""
    return {
        "time": NOW,
        "method": "GET",
        "path": path,
        "host": "shop.example",
        "status": status,
        "flags": list(flags),
        "reason": None,
        "milliseconds": 12.5,
        "backend_milliseconds": None,
        "cluster": "",
        "endpoint": None,
        "attempts": 1,
        "request_id": "6d2c1f0e-8f5a-4a0e-9c57-2f0d3e1b7a11",
        "protocol": "HTTP/2",
        **more,
    }


WEB, CART, SEARCH, IMAGES, PAY = (
    cluster_id(f"{name}.shop.svc.cluster.local") for name in ("web", "cart", "search", "images", "payment")
)


def well() -> Event:
    """Return a gateway of which nothing is wrong."""
    routes = [
        route("shop.example", 0, "/images*", [IMAGES], "shop.yaml:14", **traffic(420.0, 0.0, 6.1)),
        route("shop.example", 3, "/*", [WEB], "shop.yaml:41", **traffic(212.4, 0.0002, 38.0)),
        route("shop.example", 1, "/search*", [SEARCH], "shop.yaml:22", **traffic(64.2, 0.0, 190.0)),
        route("shop.example", 2, "/cart*", [CART], "shop.yaml:30", **traffic(31.8, 0.0, 24.0)),
        route("pay.example", 0, "/v1*", [PAY], "pay.yaml:12", **traffic(4.2, 0.0, 310.0)),
        route("shop.example", -1, "/*", [], "gateway.yaml:8", PLAIN, **traffic(8.9, 0.0, 0.4)),
    ]
    return {
        "schema": 1,
        "sequence": 1,
        "time": NOW,
        "window": 6.0,
        "sort": "errors",
        "top": 50,
        "filter": "",
        "gateway": {
            "version": "edgegate 0.1.0",
            "pid": 4711,
            "config": "/etc/edgegate",
            "state": "serving",
            "started": "2026-02-24T08:12:00.000Z",
            "uptime": 445680,
            "loop_lag_ms": 3,
            "connections": 1312,
            "active": 41,
            "memory_bytes": 151 << 20,
            "workers": 2,
            "generation_at": "2026-03-01T09:30:00.000Z",
            "last_reload": "installed",
        },
        "totals": traffic(741.5, 0.00006, 52.0),
        "flags": FLAGS,
        "listeners": table(
            [
                _listener(LISTENER, "HTTPS", ["shop.example", "pay.example"], **traffic(732.6, 0.00006, 53.0)),
                _listener(PLAIN, "HTTP", ["*"], **traffic(8.9, 0.0, 0.4)),
            ]
        ),
        "hosts": table(
            [
                host("shop.example", **traffic(728.4, 0.00006, 52.0)),
                host("shop.example", PLAIN, type="HTTP", **traffic(8.9, 0.0, 0.4)),
                host("pay.example", **traffic(4.2, 0.0, 310.0)),
            ]
        ),
        "routes": table(routes),
        "clusters": table(
            [
                cluster(IMAGES, "backends.yaml:31", **traffic(420.0, 0.0, 6.1)),
                cluster(WEB, "backends.yaml:3", 3, **traffic(212.4, 0.0002, 38.0)),
                cluster(SEARCH, "backends.yaml:22", 1, **traffic(64.2, 0.0, 190.0)),
                cluster(CART, "backends.yaml:12", **traffic(31.8, 0.0, 24.0)),
                cluster(PAY, "backends.yaml:40", 1, **traffic(4.2, 0.0, 310.0)),
            ]
        ),
        "endpoints": table(
            [
                endpoint(IMAGES, "10.1.4.1:8080", **traffic(211.0, 0.0, 6.0)),
                endpoint(IMAGES, "10.1.4.2:8080", **traffic(209.0, 0.0, 6.1)),
                *(endpoint(WEB, f"10.1.1.{each}:8080", **traffic(70.8, 0.0002, 38.0)) for each in (1, 2, 3)),
                endpoint(SEARCH, "10.1.3.1:8080", **traffic(64.2, 0.0, 190.0)),
                endpoint(CART, "10.1.2.1:8080", **traffic(15.9, 0.0, 24.0)),
                endpoint(CART, "10.1.2.2:8080", **traffic(15.9, 0.0, 24.0)),
                endpoint(PAY, "10.1.5.1:8080", **traffic(4.2, 0.0, 310.0)),
            ]
        ),
        "examples": {},
        "certificates": {"rows": [_certificate("shop.example", 61), _certificate("pay.example", 74)], "total": 2},
        "reloads": {"history": _history(), "refused": None},
        "limits": {
            "rows": [
                _limit("connections", 1312, 10000),
                _limit("requests", 41, 20000),
                _limit("handshakes", 2, 1000),
                _limit("buffer_bytes", 1 << 20, 1 << 30),
            ]
        },
        "workers": {"rows": [_worker(1, 4712), _worker(2, 4713)]},
    }


def outage() -> Event:
    """Return the same while a backend is down, a certificate ends, files were refused and a limit is met."""
    event = deepcopy(well())
    down = traffic(31.8, 0.97, 4.0, UH=29.6, UF=1.2)
    for row in event["routes"]["rows"]:
        if CART in row["clusters"]:
            row.update(down)
        if PAY in row["clusters"]:
            row.update(traffic(4.2, 0.09, 2400.0, UT=0.38))
    event["routes"]["rows"].sort(key=lambda row: -row["errors"])
    _change(event["clusters"], CART, healthy=0, ejected=2, **down)
    _change(event["clusters"], PAY, **traffic(4.2, 0.09, 2400.0, UT=0.38))
    for address in ("10.1.2.1:8080", "10.1.2.2:8080"):
        _change(event["endpoints"], f"{CART}|{address}", health="ejected", unfit_workers=2, **traffic())
    _change(event["endpoints"], f"{WEB}|10.1.1.3:8080", health="unhealthy", unfit_workers=2, **traffic())
    _change(event["clusters"], WEB, healthy=2)
    _change(event["hosts"], f"{LISTENER}|https.443|shop.example", **traffic(728.4, 0.0425, 52.0, UH=29.6, UF=1.2))
    _change(event["hosts"], f"{LISTENER}|https.443|pay.example", **traffic(4.2, 0.09, 2400.0, UT=0.38))
    event["totals"] = traffic(741.5, 0.0422, 61.0, UH=29.6, UF=1.2, UT=0.38)
    event["listeners"]["rows"][0].update(traffic(732.6, 0.0427, 61.0))
    event["examples"] = _examples(event)
    event["certificates"]["rows"] = [_certificate("pay.example", 6), _certificate("shop.example", 61)]
    refused = _refused()
    event["reloads"] = {"history": [refused, *_history()], "refused": {**refused, "current": True}}
    event["gateway"]["last_reload"] = "refused"
    event["limits"]["rows"][0].update(value=9970, reached=212, reached_rate=4.2)
    return event


def many(hosts: int, shown: int = 50) -> Event:
    """Return a gateway with many hosts, of which some are told."""
    event = deepcopy(well())
    names = [f"h{number}.example" for number in range(shown)]
    rows = [
        route(name, 0, "/*", [WEB], f"hosts.yaml:{9 * number}", **traffic(100.0 / (number + 1), 0.0, 12.0))
        for number, name in enumerate(names)
    ]
    event["routes"] = table(rows, hosts)
    event["hosts"] = table([host(name, **traffic(100.0 / (at + 1), 0.0, 12.0)) for at, name in enumerate(names)], hosts)
    return event


def hostile(markup: str) -> Event:
    """Return an outage in which all texts that come from files or clients have markup in them."""

    def marked(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: marked(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [marked(each, key) for each in value]
        return f"{value}{markup}" if isinstance(value, str) and key in _FROM_OUTSIDE else value

    found: Event = marked(outage())
    return found


_FROM_OUTSIDE = frozenset(
    (
        "address",
        "changes",
        "config",
        "endpoint",
        "file",
        "host",
        "match",
        "message",
        "method",
        "name",
        "names",
        "path",
        "protocol",
        "reason",
        "request_id",
        "resource",
    )
)


def _change(table: Event, row_id: str, **more: Any) -> None:
    next(row for row in table["rows"] if row["id"] == row_id).update(more)


def _listener(address: str, kind: str, hosts: list[str], **more: Any) -> Event:
    server = {"name": "https.443", "type": kind, "hosts": hosts, "tls": kind == "HTTPS", "file": "gateway.yaml:8"}
    port = int(address.rpartition(":")[2])
    row = {"id": address, "address": address, "port": port, "servers": [server], "servers_total": 1, "connections": 656}
    return {**row, "file": "gateway.yaml:8", **more}


def _certificate(name: str, days: int) -> Event:
    status = "ACTIVE" if days >= 0 else "EXPIRED"
    row = {"id": name, "name": f"certs/{name}.crt", "type": "Cert Chain", "status": status, "names": [name]}
    day = 1 + days % 28
    ends = f"2026-{3 + days // 28:02}-{day:02}T12:00:00Z"
    return {**row, "hosts": [name], "days_left": days, "not_after": ends, "file": "gateway.yaml:16"}


def issued() -> list[Event]:
    """Return certificates that a CertificateIssuer is to issue: one fails, one is not renewed, one is still to come."""
    missing = {"status": "TO BE ISSUED", "days_left": None, "not_after": None, "next": "now", "last_error": None}
    rows = [
        {**_certificate("a.example.com", 0), **missing, "state": "failing"},
        {**_certificate("b.example.com", 40), "state": "renewal fails", "next": "2026-03-01T13:00:00Z"},
        {**_certificate("c.example.com", 0), **missing, "state": "to be issued"},
    ]
    rows[0]["last_error"] = "urn:ietf:params:acme:error:dns: no A record"
    rows[1]["last_error"] = "the authority can't be reached"
    return [{**row, "issued_by": "default/letsencrypt"} for row in rows]


def _limit(name: str, value: int, limit: int) -> Event:
    return {"name": name, "value": value, "limit": limit, "reached": 0, "reached_rate": 0.0}


def _worker(number: int, pid: int) -> Event:
    row = {"worker": number, "pid": pid, "connections": 656, "active": 20, "rps": 370.7, "loop_lag_ms": number}
    return {**row, "memory_bytes": 75 << 20, "files": "current"}


def _reload(at: str, changes: list[str], **more: Any) -> Event:
    count = len(changes)
    row = {"at": at, "outcome": "installed", "seconds": 0.12, "changes": changes, "changes_total": count}
    return {**row, "added": count, "removed": 0, "changed": 0, "problems": [], "problems_total": 0, **more}


def _history() -> list[Event]:
    return [
        _reload("2026-03-01T09:30:00.000Z", ["route /search* of shop.example added (shop.yaml:22)"]),
        _reload("2026-02-24T08:12:00.000Z", [], seconds=0.31),
    ]


def _refused() -> Event:
    problems = [
        _problem(34, 15, "spec.http[2].route[0].destination.host", "no service is called cart-v2.shop"),
        _problem(37, 9, "spec.http[2].retries.attempts", "expected a number, got 'three'"),
    ]
    more = {"outcome": "refused", "seconds": 0.09, "problems": problems, "problems_total": 2, "added": 0}
    return _reload("2026-03-01T11:57:40.000Z", [], **more)


def _problem(line: int, column: int, path: str, message: str) -> Event:
    row = {"file": "shop.yaml", "line": line, "column": column, "severity": "error"}
    return {**row, "path": path, "message": message}


def _examples(event: Event) -> Event:
    cart = next(row["id"] for row in event["routes"]["rows"] if CART in row["clusters"])
    unhealthy = {"reason": "no healthy upstream", "cluster": CART, "milliseconds": 0.4}
    refused = {"reason": "connect refused", "cluster": CART, "endpoint": "10.1.2.1:8080", "attempts": 2}
    errors = [
        example("/cart", 503, ("UH",), request_id="0e1b7a11-8f5a-4a0e-9c57-2f0d3e1b7a12", **unhealthy),
        example("/cart/items", 503, ("UH",), **unhealthy, method="POST"),
        example("/cart/checkout", 503, ("UF", "URX"), **refused, time="2026-03-01T11:59:58.200Z"),
    ]
    slowest = [
        example("/cart/items", 200, milliseconds=812.0, backend_milliseconds=809, endpoint="10.1.2.2:8080"),
        example("/cart", 200, milliseconds=430.0, backend_milliseconds=428, endpoint="10.1.2.1:8080"),
    ]
    return {cart: {"errors": errors, "slowest": slowest}}
