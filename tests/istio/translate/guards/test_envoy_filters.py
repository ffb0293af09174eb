"""
Tests of L{edgegate.istio.translate.guards.envoy_filters}, L{edgegate.istio.translate.guards.envoy_matches} and
L{edgegate.istio.translate.guards.added_clusters}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.guards.envoy_matches import named_port
from edgegate.model.guards.envoy_rate_limits import LocalRateLimit, RateLimitService
from edgegate.model.guards.guard import Guards
from edgegate.routing.snapshot import Snapshot
from tests.istio.translate.compiling import compiled

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: 81, name: other, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec: {hosts: ["*"], gateways: [gw], http: [{name: api, route: [{destination: {host: 127.0.0.1, port: {number: 1}}}]}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: limits}
spec:
  hosts: [limits.example]
  ports: [{number: 8081, name: grpc, protocol: GRPC}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1}]
"""

MANAGER = "envoy.filters.network.http_connection_manager"
FULL = "{default_value: {numerator: 100}}"
LOCAL = (
    "{name: envoy.filters.http.local_ratelimit, typed_config: {'@type':"
    " type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: p,"
    f" token_bucket: {{max_tokens: 1, fill_interval: 1s}}, filter_enabled: {FULL}, filter_enforced: {FULL}}}}}"
)
SERVICE = (
    "{{name: envoy.filters.http.ratelimit, typed_config: {{'@type':"
    " type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit, domain: d,"
    " rate_limit_service: {{grpc_service: {{envoy_grpc: {{cluster_name: '{}'}}}}}}}}}}"
)


def envoy_filter(*patches: str, more: str = "", name: str = "ef", namespace: str = "istio-system") -> str:
    """Write an EnvoyFilter."""
    written = ", ".join(patches)
    return (
        f"---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {{name: {name}, namespace:"
        f" {namespace}}}\nspec: {{{more}configPatches: [{written}]}}\n"
    )


def http_filter(value: str, listener: str = "", operation: str = "INSERT_BEFORE", context: str = "GATEWAY") -> str:
    """Write a patch that inserts a filter."""
    match = f"{{context: {context}, listener: {{{listener}}}}}"
    return f"{{applyTo: HTTP_FILTER, match: {match}, patch: {{operation: {operation}, value: {value}}}}}"


def chain(sub_filter: str) -> str:
    """Write where a filter is inserted."""
    return f"filterChain: {{filter: {{name: {MANAGER}, subFilter: {{name: {sub_filter}}}}}}}"


class EnvoyFilterTests(SynchronousTestCase):
    """EnvoyFilters become guards."""

    def guards(self, *documents: str) -> tuple[dict[int, Guards], list[str]]:
        """Return what stands on each port, and what is told."""
        snapshot, problems = compiled(FILES + "".join(documents))
        return self.by_port(snapshot), problems

    def by_port(self, snapshot: Snapshot) -> dict[int, Guards]:
        """Return what stands on each port."""
        return {each.port: chain.guards for each in snapshot.listeners for chain in each.chains()}

    def told(self, *documents: str) -> str:
        """Return what is told."""
        return "\n".join(self.guards(*documents)[1])

    def test_local(self) -> None:
        """A local limit comes first where it names no filter, else where the limits of edgegate's own do."""
        found, problems = self.guards(envoy_filter(http_filter(LOCAL)))
        self.assertEqual(problems, [])
        for guards in found.values():
            (guard,) = guards
            assert isinstance(guard, LocalRateLimit)
            self.assertEqual((guard.name, guard.first, guard.limit.prefix), ("istio-system/ef", True, "p"))
        found, problems = self.guards(envoy_filter(http_filter(LOCAL, chain("envoy.filters.http.router"))))
        (guard,) = found[80]
        assert isinstance(guard, LocalRateLimit)
        self.assertEqual((guard.first, problems), (False, []))

    def test_listeners(self) -> None:
        """A patch may name a port, by its number or by a listener's name; the number that is bound fits as well."""
        for listener, ports in (
            ("portNumber: 80", [80]),
            ("name: 0.0.0.0_81", [81]),
            ("portNumber: 80, name: 0.0.0.0_81", []),
            ("filterChain: {sni: a.example}", []),
            ("filterChain: {filter: {name: envoy.filters.network.tcp_proxy}}", []),
            ("filterChain: {transportProtocol: tls}", []),
            ("filterChain: {transportProtocol: raw_buffer}", [80, 81]),
        ):
            found, problems = self.guards(envoy_filter(http_filter(LOCAL, listener)))
            self.assertEqual([port for port, guards in found.items() if guards], ports, listener)
            self.assertEqual(len(problems), 0 if ports else 1, problems)
            self.assertEqual([port for port, guards in found.items() if not guards] == [], len(ports) == 2)

    def test_contexts(self) -> None:
        """What is for sidecars, or for proxies with metadata, is not for this gateway."""
        for context, fits in {"ANY": True, "GATEWAY": True, "SIDECAR_INBOUND": False, "WAYPOINT": False}.items():
            found, problems = self.guards(envoy_filter(http_filter(LOCAL, context=context)))
            self.assertEqual((bool(found[80]), problems), (fits, []))
        match = "{proxy: {metadata: {a: b}}}"
        patch = f"{{applyTo: HTTP_FILTER, match: {match}, patch: {{operation: ADD, value: {LOCAL}}}}}"
        found, problems = self.guards(envoy_filter(patch))
        self.assertEqual(found[80], ())
        self.assertIn("match.proxy.metadata: passed over: this gateway has no metadata", "".join(problems))

    def test_workloads(self) -> None:
        """One that chooses other workloads guards nothing, which is told."""
        for more, namespace in (("workloadSelector: {labels: {istio: egressgateway}}, ", "istio-system"), ("", "shop")):
            found, problems = self.guards(envoy_filter(http_filter(LOCAL), more=more, namespace=namespace))
            self.assertEqual(found[80], ())
            self.assertIn("guards nothing here", "\n".join(problems))

    def test_service(self) -> None:
        """The service may be one of the files, or a cluster that an EnvoyFilter adds."""
        at = chain("envoy.filters.http.router")
        found, problems = self.guards(envoy_filter(http_filter(SERVICE.format("outbound|8081||limits.example"), at)))
        (guard,) = found[80]
        assert isinstance(guard, RateLimitService)
        self.assertEqual((guard.limit.cluster, problems), ("outbound|8081||limits.example", []))
        added = (
            "{applyTo: CLUSTER, patch: {operation: ADD, value: {name: rate_limit_cluster, type: STATIC,"
            " load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address:"
            " {address: 127.0.0.1, port_value: 9}}}}]}]}}}}"
        )
        snapshot, problems = compiled(
            FILES + envoy_filter(http_filter(SERVICE.format("rate_limit_cluster"), at), added)
        )
        (guard,) = self.by_port(snapshot)[80]
        assert isinstance(guard, RateLimitService)
        self.assertEqual(problems, [])
        self.assertIn(guard.limit.cluster, snapshot.clusters)

    def test_scopes(self) -> None:
        """Virtual hosts and routes have settings, which all limits of the server see."""
        rules = "rate_limits: [{actions: [{remote_address: {}}]}]"
        merge = "match: {{routeConfiguration: {{{}}}}}, patch: {{operation: MERGE, value: {{{}}}}}}}"
        host, route = "{{applyTo: VIRTUAL_HOST, " + merge, "{{applyTo: HTTP_ROUTE, " + merge
        inner = FILES.split("---\n")[1].replace("name: shop", "name: inner").replace('"*"', "a.example")
        inner = f"---\n{inner}"
        for where, key in (
            ("", ""),
            ("portNumber: 80", ":80"),
            ("name: http.80", ":80"),
            ("vhost: {name: 'A.example:81'}", "a.example:81"),
            ("vhost: {name: '*:80'}", "*:80"),
            ("vhost: {domainName: a.example}", "a.example:*"),
            ("portNumber: 81, vhost: {domainName: a.example}", "a.example:81"),
        ):
            found, problems = self.guards(inner, envoy_filter(http_filter(LOCAL), host.format(where, rules)))
            (guard,) = found[80]
            assert isinstance(guard, LocalRateLimit)
            self.assertEqual(([name for name, _ in guard.scopes.hosts], problems), ([key], []), where)
        where = "vhost: {name: 'a.example:80', route: {name: api}}"
        found, problems = self.guards(
            inner, envoy_filter(http_filter(LOCAL), route.format(where, f"route: {{{rules}}}"))
        )
        (guard,) = found[80]
        assert isinstance(guard, LocalRateLimit)
        ((name, route_name, settings),) = guard.scopes.routes
        self.assertEqual((name, route_name, settings.with_host, problems), ("a.example:80", "api", False, []))
        self.assertEqual(len(settings.rules or ()), 1)

    def test_settings(self) -> None:
        """A route may have a local limit of its own; it needs a bucket."""
        config = LOCAL[LOCAL.index("typed_config: ") + len("typed_config: ") : -1]
        patch = (
            "{{applyTo: HTTP_ROUTE, patch: {{operation: MERGE, value: {{typed_per_filter_config:"
            " {{envoy.filters.http.local_ratelimit: {}}}}}}}}}"
        )
        found, problems = self.guards(envoy_filter(http_filter(LOCAL), patch.format(config)))
        (guard,) = found[80]
        assert isinstance(guard, LocalRateLimit)
        ((_, _, settings),) = guard.scopes.routes
        assert settings.local is not None
        self.assertEqual((settings.local.prefix, problems), ("p", []))
        bare = config.replace("token_bucket: {max_tokens: 1, fill_interval: 1s}, ", "")
        self.assertIn("token_bucket is needed on a route", self.told(envoy_filter(patch.format(bare))))

    def test_refusing(self) -> None:
        """What may refuse requests is an error where it is not honoured; what does not is passed over, and told."""
        for name, wanted in {
            "envoy.filters.http.jwt_authn": "error: ",
            "envoy.filters.http.lua": "error: ",
            "envoy.filters.http.wasm": "error: ",
            "envoy.filters.http.compressor": "warning: ",
        }.items():
            told = self.told(envoy_filter(http_filter(f"{{name: {name}}}")))
            self.assertIn("not honoured", told)
            self.assertIn(wanted, told)
        script = "{{name: envoy.filters.http.lua, typed_config: {{'@type': a/envoy.L, inlineCode: '{}'}}}}"
        self.assertIn("warning: ", self.told(envoy_filter(http_filter(script.format("handle:headers():add(1)")))))
        self.assertIn("error: ", self.told(envoy_filter(http_filter(script.format("handle:respond({})")))))
        connections = (
            "{{applyTo: NETWORK_FILTER, patch: {{operation: INSERT_FIRST, value: {{name: envoy.filters.network.{}}}}}}}"
        )
        self.assertIn("--max-connections", self.told(envoy_filter(connections.format("connection_limit"))))
        self.assertIn("warning: ", self.told(envoy_filter(connections.format("http_connection_manager"))))
        removed = http_filter("{name: envoy.filters.http.lua}", operation="REMOVE")
        self.assertNotIn("error", self.told(envoy_filter(removed)))

    def test_refusing_elsewhere(self) -> None:
        """So it is wherever it stands: as a network filter, in what is merged into another filter, or within it."""
        rbac = "{name: mine, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC}}"
        settings = "{typed_per_filter_config: {envoy.filters.http.rbac: {}}}"
        for apply_to, operation, value, wanted in (
            ("NETWORK_FILTER", "INSERT_FIRST", "{name: envoy.filters.network.rbac}", "error: "),
            ("NETWORK_FILTER", "MERGE", f"{{typed_config: {{http_filters: [{rbac}]}}}}", "error: "),
            ("HTTP_FILTER", "ADD", f"{{name: a, typed_config: {{extension_config: {rbac}}}}}", "error: "),
            ("ROUTE_CONFIGURATION", "MERGE", settings, "error: "),
            ("VIRTUAL_HOST", "ADD", settings, "error: "),
            ("EXTENSION_CONFIG", "ADD", rbac, "error: "),
            ("HTTP_ROUTE", "INSERT_FIRST", "{match: {prefix: /a}, direct_response: {status: 403}}", "error: "),
            ("HTTP_ROUTE", "MERGE", "{directResponse: {status: 404}}", "error: "),
            ("HTTP_ROUTE", "INSERT_FIRST", "{match: {prefix: /a}, direct_response: {status: 200}}", "warning: "),
            ("NETWORK_FILTER", "MERGE", "{typed_config: {server_name: shop.lua.example}}", "warning: "),
            ("VIRTUAL_HOST", "ADD", "{name: 'shop.rbac.example:80'}", "warning: "),
        ):
            with self.subTest(apply_to=apply_to, value=value):
                patch = f"{{applyTo: {apply_to}, patch: {{operation: {operation}, value: {value}}}}}"
                told = self.told(envoy_filter(patch))
                self.assertIn(wanted, told)
                self.assertIn("not honoured", told)

    def test_mistakes(self) -> None:
        """What can't be is told, with its place."""
        for patch, wanted in {
            http_filter(LOCAL, chain("envoy.filters.http.none")): 'there is no filter "envoy.filters.http.none"',
            http_filter(LOCAL, operation="REPLACE"): "insert envoy.filters.http.local_ratelimit",
            http_filter(SERVICE.format("nowhere")): 'no cluster "nowhere"',
            http_filter(SERVICE.format("outbound|²||limits.example")): "no cluster",
            http_filter(SERVICE.format("outbound|8081||other.example")): "other.example",
            "{applyTo: CLUSTER, patch: {operation: MERGE, value: {}}}": "CLUSTER is not patched here",
            "{applyTo: VIRTUAL_HOST, patch: {operation: REMOVE}}": "only merged here",
            "{applyTo: VIRTUAL_HOST, match: {routeConfiguration: {vhost: {name: 'a b:80'}}}, patch: {operation: MERGE,"
            " value: {}}}": "no HTTP server of this gateway is what it matches",
            "{applyTo: HTTP_ROUTE, match: {routeConfiguration: {vhost: {route: {action: REDIRECT}}}}, patch:"
            " {operation: MERGE, value: {}}}": "no HTTP server of this gateway is what it matches",
            "{applyTo: VIRTUAL_HOST, patch: {operation: MERGE, value: {cors: {}}}}": 'the field "cors"',
            **{
                f"{{applyTo: HTTP_ROUTE, match: {{routeConfiguration: {{vhost: {{{vhost}}}}}}}, patch:"
                " {operation: MERGE, value: {}}}": "no HTTP server of this gateway is what it matches"
                for vhost in (
                    "name: 'a:²'",
                    f"name: 'a:{'9' * 5000}'",
                    "name: 'other.example:80'",
                    "name: '*:82'",
                    "name: '*:80', route: {name: other}",
                )
            },
        }.items():
            self.assertIn(wanted, self.told(envoy_filter(patch)), patch)

    def test_order(self) -> None:
        """By priority, then those of the root namespace, then by name: rules are appended in that order."""
        rule = "rate_limits: [{{actions: [{{generic_key: {{descriptor_value: {}}}}}]}}]"
        host = "{{applyTo: VIRTUAL_HOST, patch: {{operation: MERGE, value: {{{}}}}}}}"
        documents = [
            envoy_filter(host.format(rule.format(name)), more=f"priority: {priority}, ", name=name)
            for name, priority in (("b", 0), ("c", -5), ("a", 0))
        ]
        found, _ = self.guards(*documents, envoy_filter(http_filter(LOCAL), name="z"))
        (guard,) = found[80]
        assert isinstance(guard, LocalRateLimit)
        said = [settings.rules[0].actions[0].value for _, settings in guard.scopes.hosts if settings.rules]
        self.assertEqual(said, ["c", "a", "b"])

    def test_names(self) -> None:
        """Ports in the names of listeners and route configurations."""
        for name, port in {
            "0.0.0.0_8080": 8080,
            "http.80": 80,
            "https.443.https.gw.ns": 443,
            "[::]_80": 80,
            "x": 0,
        }.items():
            self.assertEqual(named_port(name), port, name)
