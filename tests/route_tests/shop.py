"""A shop's files, and tests of them."""

from __future__ import annotations

from functools import cache
from textwrap import dedent

from edgegate.config.problems import Problems
from edgegate.explain.decision import Decider
from edgegate.explain.effects import EffectsFinder
from edgegate.explain.question import question_of
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Endpoint, Endpoints
from edgegate.route_tests.cases import Case
from edgegate.route_tests.outcome import Outcome
from edgegate.route_tests.reading import read_cases
from edgegate.routing.snapshot import Snapshot
from tests.istio.translate.compiling import compiled, gateway, secret, virtual_service

SIMPLE = "{mode: SIMPLE, credentialName: cert}"
MUTUAL = "{mode: MUTUAL, credentialName: mutual}"
FILES = (
    gateway(
        "gw",
        "80 HTTP shop.example,*.shop.example",
        "81 HTTP moved.example {httpsRedirect: true}",
        f"443 HTTPS shop.example {SIMPLE}",
        f"443 HTTPS locked.example {MUTUAL}",
        "5432 TCP *",
    )
    + """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example, locked.example]
  gateways: [gw]
  http:
  - name: cart
    match: [{uri: {prefix: /cart}, method: {exact: POST}}, {uri: {prefix: /basket}}]
    timeout: 5s
    route: [{destination: {host: cart, port: {number: 8080}, subset: v2}}]
  - name: beta
    match: [{uri: {prefix: /beta}, headers: {x-user: {exact: qa}}}]
    route:
    - {destination: {host: cart, port: {number: 8080}, subset: v1}, weight: 90}
    - {destination: {host: cart, port: {number: 8080}, subset: v2}, weight: 10}
    - {destination: {host: cart, port: {number: 9090}}, weight: 0}
  - {name: old, match: [{uri: {exact: /old}}], redirect: {uri: /new, redirectCode: 308}}
  - {name: pong, match: [{uri: {exact: /ping}}], directResponse: {status: 418, body: {string: pong}}}
  - name: api
    match: [{uri: {prefix: /api/}}]
    rewrite: {uri: /v2/, authority: api.internal}
    headers: {request: {set: {x-env: beta}, remove: [x-secret]}, response: {set: {x-served-by: shop}}}
    mirrors: [{destination: {host: cart, port: {number: 9090}}}]
    retries: {attempts: 3}
    fault: {delay: {fixedDelay: 2s, percentage: {value: 10}}, abort: {httpStatus: 503, percentage: {value: 5}}}
    route: [{destination: {host: cart, port: {number: 8080}}}]
  - name: broken
    match: [{uri: {exact: /broken}}]
    fault: {abort: {httpStatus: 500, percentage: {value: 100}}}
    route: [{destination: {host: cart, port: {number: 8080}}}]
---
"""
    + virtual_service("db", "db.example", "tcp: [{route: [{destination: {host: 127.0.0.1, port: {number: 5433}}}]}]")
    + """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cart}
spec:
  hosts: [cart.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: http, protocol: HTTP}, {number: 9090, name: http-more, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, labels: {version: v1}}, {address: 127.0.0.2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cart}
spec:
  host: cart
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
"""
    + secret("cert", "tls.crt", "tls.key")
    + secret("mutual", "tls.crt", "tls.key", "ca.crt")
)


@cache
def snapshot() -> Snapshot:
    """Compile the shop."""
    found, problems = compiled(FILES)
    assert not [each for each in problems if " error: " in each], problems
    return found


def endpoints() -> Endpoints:
    """Return some endpoint for each cluster: which it is makes no difference."""
    return dict.fromkeys(snapshot().clusters, (Endpoint(TCPAddress("127.0.0.1", 80)),))


def outcome(request: str, *headers: tuple[bytes, bytes]) -> Outcome:
    """Return what comes of a request."""
    method, _, url = request.rpartition(" ")
    found = snapshot()
    decider = Decider(found)
    decision = decider.decide(question_of(method, url, headers))
    return Outcome(decision, EffectsFinder(decider, endpoints()))


def cases(text: str) -> tuple[list[Case], list[str]]:
    """Return the cases of a text, and what is wrong with it."""
    problems = Problems()
    found = read_cases("t.yaml", dedent(text).encode(), problems)
    return found, [str(each) for each in problems]
