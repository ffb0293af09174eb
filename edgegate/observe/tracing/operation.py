# Hot path: names each span.
"""What spans are called: by their route, as Istio names it (C{GetRouteOperation}), and by their cluster."""

from __future__ import annotations

from edgegate.model.matching import HTTPMatch, Kind, text_condition
from edgegate.model.routes import HTTPRoute
from edgegate.model.tracing import TAG_LENGTH
from edgegate.observe.events import Ended


def operation(exchange: Ended) -> str:
    """Return the name of a request's span: what its route leads to and the path that it asks for."""
    route = exchange.route
    if not isinstance(route, HTTPRoute):
        return f"egress {exchange.head.authority[:TAG_LENGTH].decode('utf-8', 'replace')}"
    destinations = route.destinations
    where = ""
    if len(destinations) == 1:
        # outbound|80|v1|webapp.default.svc.cluster.local
        parts = destinations[0].cluster.split("|")
        if len(parts) == 4:
            where = f"{parts[3]}:{parts[1]}"
    if not where:
        where = f"{route.origin.resource.rpartition('/')[2]}:{exchange.port}"
    return where + _path(route.matches, exchange.head.target)


def upstream_operation(cluster: str) -> str:
    """Return the name of a try's span."""
    return f"router {cluster}; egress"


def _path(matches: tuple[HTTPMatch, ...], target: bytes) -> str:
    """Return the condition on the path that a request has met, where there is one."""
    path = target.partition(b"?")[0]
    for match in matches:
        uri = match.uri
        if uri is not None and (len(matches) == 1 or text_condition(uri)(path)):
            return f"{uri.value}*" if uri.kind is Kind.PREFIX else uri.value or "/*"
    return "/*"
