"""The EnvoyFilters of Istio's task "Enabling Rate Limits using Envoy", with a rate limit service by grpcio."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent import futures
from typing import Any, cast

import grpc

from edgegate.protobuf.reading import all_of, bytes_of, read
from edgegate.protobuf.writing import bytes_field, number_field
from tests.acceptance.manifests import EVERY_HOST, GATEWAY
from tests.acceptance.served import ServedTestCase

ROUTES = """\
  - name: api
    match: [{uri: {prefix: /api}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - name: moved
    match: [{uri: {prefix: /moved}}]
    redirect: {uri: /new}
  - name: all
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

GLOBAL = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: filter-ratelimit, namespace: istio-system}
spec:
  workloadSelector: {labels: {istio: ingressgateway}}
  configPatches:
  - applyTo: CLUSTER
    match: {cluster: {service: ratelimit.default.svc.cluster.local}}
    patch:
      operation: ADD
      value:
        name: rate_limit_cluster
        type: STRICT_DNS
        connect_timeout: 10s
        lb_policy: ROUND_ROBIN
        http2_protocol_options: {}
        load_assignment:
          cluster_name: rate_limit_cluster
          endpoints:
          - lb_endpoints:
            - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $limits}}}
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener:
        filterChain:
          filter:
            name: "envoy.filters.network.http_connection_manager"
            subFilter: {name: "envoy.filters.http.router"}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.ratelimit
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
          domain: productpage-ratelimit
          failure_mode_deny: true
          timeout: 10s
          rate_limit_service:
            grpc_service:
              envoy_grpc: {cluster_name: rate_limit_cluster}
            transport_api_version: V3
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: filter-ratelimit-svc, namespace: istio-system}
spec:
  workloadSelector: {labels: {istio: ingressgateway}}
  configPatches:
  - applyTo: VIRTUAL_HOST
    match: {context: GATEWAY, routeConfiguration: {vhost: {name: "", route: {action: ANY}}}}
    patch:
      operation: MERGE
      value:
        rate_limits:
        - actions:
          - request_headers: {header_name: ":path", descriptor_key: PATH}
  - applyTo: HTTP_ROUTE
    match: {context: GATEWAY, routeConfiguration: {vhost: {name: "*:$http", route: {name: api}}}}
    patch:
      operation: MERGE
      value:
        route:
          rate_limits:
          - actions:
            - header_value_match:
                descriptor_key: PATH
                descriptor_value: api
                headers:
                - name: ":path"
                  safe_regex_match: {google_re2: {}, regex: "/api/v1/products/[1-9].*"}
"""

LOCAL = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: filter-local-ratelimit-svc, namespace: istio-system}
spec:
  workloadSelector: {labels: {istio: ingressgateway}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener: {filterChain: {filter: {name: "envoy.filters.network.http_connection_manager"}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.local_ratelimit
        typed_config:
          "@type": type.googleapis.com/udpa.type.v1.TypedStruct
          type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
          value: {stat_prefix: http_local_rate_limiter}
  - applyTo: HTTP_ROUTE
    match: {context: GATEWAY, routeConfiguration: {vhost: {name: "*:$http", route: {action: ANY, name: all}}}}
    patch:
      operation: MERGE
      value:
        typed_per_filter_config:
          envoy.filters.http.local_ratelimit:
            "@type": type.googleapis.com/udpa.type.v1.TypedStruct
            type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
            value:
              stat_prefix: http_local_rate_limiter
              token_bucket: {max_tokens: 4, tokens_per_fill: 4, fill_interval: 3600s}
              filter_enabled: {runtime_key: a, default_value: {numerator: 100, denominator: HUNDRED}}
              filter_enforced: {runtime_key: b, default_value: {numerator: 100, denominator: HUNDRED}}
              response_headers_to_add:
              - {append: false, header: {key: x-local-rate-limit, value: "true"}}
"""


class Service(grpc.GenericRpcHandler):
    """
    A rate limit service: of each descriptor so many requests as L{most} says.

    @ivar asked: How often for which descriptor.
    """

    most = 2

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, ...]] = Counter()
        self.lock = threading.Lock()

    def service(self, details: Any) -> Any:
        """Answer C{ShouldRateLimit}."""
        if details.method != "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit":
            return None
        return grpc.unary_unary_rpc_method_handler(self.answer)

    def answer(self, message: bytes, context: Any) -> bytes:
        """Count, and say whether it is too often."""
        fields = read(message)
        assert bytes_of(fields, 1) == b"productpage-ratelimit"
        over = False
        for each in all_of(fields, 2):
            entries = [read(entry) for entry in all_of(read(each), 1)]
            key = tuple(f"{bytes_of(entry, 1).decode()}={bytes_of(entry, 2).decode()}" for entry in entries)
            with self.lock:
                self.asked[key] += 1
                over = over or self.asked[key] > self.most
        header = bytes_field(1, b"x-asked") + bytes_field(2, b"yes")
        return number_field(1, 2 if over else 1) + bytes_field(3, header)


class GlobalTests(ServedTestCase):
    """Limits that a service counts."""

    opened = {"one": ""}
    dead = ("limits",)
    files = {"gateway.yaml": GATEWAY + EVERY_HOST + ROUTES, "filters.yaml": GLOBAL}

    def test_task(self) -> None:
        """As in Istio's task: each path has its limit, and one route has its own descriptors."""
        client = self.client()
        self.assertEqual(client.ask("GET", "/productpage", "shop.example").status, 500, "the service is not there yet")
        service = Service()
        server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[service])
        server.add_insecure_port(f"127.0.0.1:{self.served.ports['limits']}")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())

        def asked(path: str) -> list[str]:
            return [client.ask("GET", path, "shop.example").where for _ in range(3)]

        self.assertEqual(asked("/productpage"), ["one", "one", "429"])
        self.assertEqual(asked("/other"), ["one", "one", "429"])
        self.assertEqual(asked("/api/v1/products/3"), ["one", "one", "429"])
        self.assertEqual(asked("/api/v1/products/4"), ["429"] * 3, "one descriptor for all products")
        self.assertEqual(asked("/api/none"), ["one"] * 3, "no descriptor")
        self.assertEqual(asked("/moved"), ["301"] * 3)
        over = client.ask("GET", "/productpage", "shop.example")
        self.assertEqual((over.one("x-envoy-ratelimited"), over.one("x-asked"), over.body), ("true", "yes", b""))
        self.assertEqual(dict(service.asked), {("PATH=/productpage",): 4, ("PATH=/other",): 3, ("PATH=api",): 6})


class LocalTests(ServedTestCase):
    """Limits that the gateway counts."""

    opened = {"one": ""}
    files = {"gateway.yaml": GATEWAY + EVERY_HOST + ROUTES, "filters.yaml": LOCAL}

    def test_task(self) -> None:
        """As in Istio's task: one route has a bucket of four, and the others none."""
        client = self.client()
        answers = [client.ask("GET", "/productpage", "shop.example") for _ in range(6)]
        self.assertEqual([each.where for each in answers], ["one"] * 4 + ["429"] * 2)
        self.assertEqual((answers[-1].one("x-local-rate-limit"), answers[-1].body), ("true", b"local_rate_limited"))
        self.assertEqual([client.ask("GET", "/api", "shop.example").where for _ in range(5)], ["one"] * 5)
