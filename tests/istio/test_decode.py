"""Tests for L{edgegate.istio.decode}."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from edgegate.istio.decode import EXPORT_TO, SUPPRESS, decode
from edgegate.istio.kinds import KINDS, UNSERVED
from tests.config.reading import document, resources, told

GOOD = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: store, labels: {a: b}}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [shop.example.com]
    tls: {mode: MUTUAL, credentialName: shop, minProtocolVersion: TLSV1_2, cipherSuites: [AES128-SHA]}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [store/shop]
  http:
  - match:
    - uri: {prefix: /api}
      headers: {x-a: {regex: a+}}
    timeout: 1.5s
    fault: {delay: {fixed_delay: 100ms, percentage: {value: 0.1}}}
    route:
    - destination: {host: shop, port: {number: 80}}
      weight: 90
    - destination: {host: shop2, subset: v1}
      weight: 10
  tls:
  - match: [{sniHosts: [shop.example.com], port: 443}]
    route: [{destination: {host: shop}}]
  tcp:
  - match: [{port: 31400, destinationSubnets: [10.0.0.0/8]}]
    route: [{destination: {host: shop}}]
---
apiVersion: networking.istio.io/v1alpha3
kind: ServiceEntry
metadata: {name: shop}
spec:
  hosts: [shop.default.svc.cluster.local]
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: 8081}, weight: 3, labels: {a: b}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a}
spec:
  host: shop.example.com
  trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}, connectionPool: {tcp: {idleTimeout: 0s}}}
  subsets: [{name: v1, labels: {version: v1}}]
---
apiVersion: networking.istio.io/v1beta1
kind: WorkloadEntry
metadata: {name: a}
spec: {address: 127.0.0.1, labels: {app: shop}}
---
apiVersion: networking.istio.io/v1alpha3
kind: WorkloadGroup
metadata: {name: a}
spec: {template: {labels: {app: shop}}, probe: {tcpSocket: {port: 80}}}
---
{apiVersion: v1, kind: Secret, metadata: {name: shop}, type: Opaque, data: {cert: YQ==}, stringData: {key: b}}
---
{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80, targetPort: web}], clusterIP: None}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s-1, labels: {kubernetes.io/service-name: s}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
ports: [{name: web, port: 8080}]
---
{apiVersion: v1, kind: Endpoints, metadata: {name: s}, subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}
---
{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {name: t}, spec: {accessLogging: [{disabled: true}]}}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens}
spec: {jwtRules: [{issuer: "https://idp.example", timeout: 2s, fromHeaders: [{name: x-jwt, prefix: "T "}]}]}
---
{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: a}, spec: {rules: [{}]}}
---
apiVersion: edgegate.io/v1alpha1
kind: ConcurrencyPolicy
metadata: {name: few}
spec: {limits: [{requests: 5}]}
---
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: letsencrypt}
spec:
  acme: {server: "https://acme.example/directory", agreeToTerms: true, keyType: RSA-2048}
  storage: {directory: certificates}
---
apiVersion: edgegate.io/v1alpha1
kind: AddressListPolicy
metadata: {name: office}
spec: {allow: {addresses: [192.0.2.0/24]}}
---
{apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {name: e}, spec: {configPatches: []}}
---
{apiVersion: edgegate.io/v1alpha1, kind: BasicAuthPolicy, metadata: {name: b}, spec: {users: {file: a}}}
---
{apiVersion: edgegate.io/v1alpha1, kind: APIKeyPolicy, metadata: {name: k}, spec: {keysFrom: {file: a}}}
---
apiVersion: edgegate.io/v1alpha1
kind: RateLimitPolicy
metadata: {name: limits}
spec: {limits: [{requests: 10, period: 1m}]}
---
apiVersion: edgegate.io/v1alpha1
kind: OIDCPolicy
metadata: {name: o}
spec: {provider: {issuer: "https://a"}, clientId: a, cookieKeys: {file: a}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: istio}, data: {mesh: "accessLogFile: /dev/stdout"}}
"""
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "host", "port"]), inner, max_size=3)
    ),
    max_leaves=6,
)


class DecodeTests(SynchronousTestCase):
    """Documents become resources."""

    def test_all_kinds(self) -> None:
        """Each kind that is served has its list, in any of its versions."""
        found, problems = resources(GOOD)
        self.assertEqual([line for line in problems if "error" in line], [])
        for kind in KINDS:
            self.assertEqual(len(getattr(found, kind.resources)), 1, kind.name)
        self.assertEqual(found.gateways[0].spec.servers[0].hosts, ("shop.example.com",))
        route = found.virtual_services[0].spec.http[0]
        self.assertEqual(route.timeout, 1.5)
        assert route.fault is not None
        assert route.fault.delay is not None
        self.assertEqual(route.fault.delay.fixed_delay, 0.1)
        self.assertEqual(found.secrets[0].spec.contents, {"cert": b"a", "key": b"b"})

    def test_all_problems(self) -> None:
        """Everything that is wrong in a document is told at once: types, names, rules."""
        text = document(
            "Gateway",
            """\
            servers:
            - port: {number: "80", name: a, protocol: HTPP}
              hots: ["a.*"]
            - port: {number: 443, name: a, protocol: HTTPS}
              hosts: []
            """,
        )
        self.assertEqual(
            told(text),
            [
                'f:6:12: error: spec.servers[0].port.number: expected integer, got string "80": without quotes',
                'f:6:35: error: spec.servers[0].port.protocol: unknown protocol "HTPP"; did you mean "HTTP"?',
                'f:7:5: error: spec.servers[0].hots: unknown field; did you mean "hosts"?',
                'f:7:12: error: spec.servers[0].hots[0]: "a.*" is no pattern: a wildcard stands in front,'
                " as in *.example.com",
                "f:8:5: error: spec.servers[1].tls: missing: a server of protocol HTTPS has TLS settings",
                'f:8:25: error: spec.servers[1].port.name: "a" is the name of servers[0]\'s port',
                "f:9:5: error: spec.servers[1].hosts: a server has at least one host, * for any",
            ],
        )

    def test_items_left_out(self) -> None:
        """Behind an item that is of no use, places are still right."""
        text = document(
            "Gateway",
            """\
            servers:
            - hosts: ["*"]
            - port: {number: 0, name: a, protocol: HTTP}
              hosts: ["*"]
            """,
        )
        self.assertEqual(
            told(text),
            [
                "f:6:5: error: spec.servers[0].port: missing",
                "f:7:12: error: spec.servers[1].port.number: 0 is no port: 1 to 65535",
            ],
        )

    def test_no_spec(self) -> None:
        """A document without a spec is judged like an empty one, and a misspelt spec is taken for one."""
        for spec in ("", "spec: null", "spec: {}"):
            text = f"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: a}}\n{spec}\n"
            self.assertIn("a Gateway has at least one server", told(text)[0])
        self.assertEqual(
            told(document("Gateway", "servers: []").replace("spec:", "sepc:"))[0],
            'f:4:1: error: sepc: unknown field; did you mean "spec"?',
        )

    def test_annotations(self) -> None:
        """Of a document's value only metadata is kept, and that only where it is asked for later."""
        text = "---\n{{apiVersion: v1, kind: Service, metadata: {{name: a, annotations: {{{}: b}}}}, spec: {{}}}}\n"
        problems = Problems()
        for name, kept in ((EXPORT_TO, True), (SUPPRESS, True), ("kubectl.kubernetes.io/last-applied", False)):
            (service,) = decode(read("f", text.format(name), problems), problems).services
            self.assertEqual(bool(service.document.value), kept, name)

    def test_metadata(self) -> None:
        """A misspelt field of metadata is found."""
        text = document("Gateway", "servers: []").replace("name: a", "name: a, namspace: b")
        self.assertIn('metadata.namspace: unknown field; did you mean "namespace"?', told(text)[0])

    def test_not_honoured(self) -> None:
        """What is given but not honoured is a warning with its place."""
        found = told(
            document(
                "VirtualService",
                """\
                hosts: [a.b]
                gateways: [g]
                http:
                - match: [{sourceNamespace: shop}]
                  route: [{destination: {host: a}}]
                """,
            )
        )
        self.assertEqual(
            found,
            [
                "f:8:14: warning: spec.http[0].match[0].sourceNamespace: never holds at an edge: only a client inside a"
                " mesh has it (where a match names gateways, it is not asked for)",
            ],
        )

    def test_order(self) -> None:
        """
        Gateways and VirtualServices that say when they were made come first, oldest first; the others in their order.
        """
        made = {"a": "", "b": ", creationTimestamp: 2026-01-02T00:00:00Z", "c": "", "d": "2025-01-02T00:00:00Z"}
        made["d"] = ", creationTimestamp: " + made["d"]
        text = "---\n".join(
            document(kind, "{}").replace("{name: a}", f"{{name: {name}{when}}}")
            for name, when in made.items()
            for kind in ("Gateway", "VirtualService")
        )
        found = resources(text)[0]
        self.assertEqual([each.name for each in found.virtual_services], ["d", "b", "a", "c"])
        self.assertEqual([each.name for each in found.gateways], ["d", "b", "a", "c"])

    def test_twice(self) -> None:
        """A name is defined once for each kind and namespace."""
        text = document("Gateway", "servers: []") + "---\n" + document("Gateway", "servers: []")
        self.assertIn("f:9:12: error: metadata.name: Gateway default/a is defined already, at f:1", told(text))
        other = text.replace("name: a}", "name: a, namespace: x}", 1)
        self.assertNotIn("defined already", " ".join(told(other)))

    def test_secret_is_not_shown(self) -> None:
        """Nothing that a Secret holds is repeated."""
        text = "{apiVersion: v1, kind: Secret, metadata: {name: a}, type: 5, data: {a: hunter2, b: 3141592}}"
        self.assertNotIn("hunter2", " ".join(told(text)))
        self.assertNotIn("3141592", " ".join(told(text)))
        self.assertNotIn("Zm9v", repr(resources(text.replace("hunter2", "Zm9v"))[0].secrets))


class KindTests(SynchronousTestCase):
    """Kinds that are not served, and those that do not exist."""

    def told_of(self, api_version: str, kind: str) -> str:
        """Return what is told of the first line of a document."""
        lines = told(f"{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: a}}}}")
        return next((line for line in lines if "spec" not in line), "")

    def test_misspelt(self) -> None:
        """A misspelt kind, and what was meant."""
        self.assertIn('has no "Gatway"; did you mean "Gateway"?', self.told_of("networking.istio.io/v1", "Gatway"))
        self.assertIn('"v1" has no "Servce"; did you mean "Service"?', self.told_of("v1", "Servce"))

    def test_misspelt_is_judged(self) -> None:
        """A document of a misspelt kind is judged as the one that was meant."""
        found, _ = resources(document("Gatway", "servers: []"))
        self.assertEqual(len(found.gateways), 1)

    def test_version(self) -> None:
        """Unknown versions and misplaced kinds are errors."""
        self.assertIn('"networking.istio.io/v3" is unknown', self.told_of("networking.istio.io/v3", "Gateway"))
        for wrong in ("v1", "networking.istio.io", "networking.istoi.io/v1", "security.istio.io/v1"):
            self.assertIn('did you mean "networking.istio.io/v1"?', self.told_of(wrong, "Gateway"), wrong)
        self.assertIn('did you mean "security.istio.io/v1"?', self.told_of("v1", "PeerAuthentication"))
        for wrong in ("edgegate/v1alpha1", "policy.edgegate.io/v1", "edgegate.dev/v1alpha1"):
            self.assertIn('did you mean "edgegate.io/v1alpha1"?', self.told_of(wrong, "AddressListPolicy"), wrong)

    def test_not_served(self) -> None:
        """Istio's other kinds are warned of."""
        for group, kind in UNSERVED:
            line = self.told_of(f"{group}/v1", kind)
            self.assertIn(f"f:1:1: warning: {kind} default/a: not honoured", line)

    def test_other_people(self) -> None:
        """Other kinds get one line of information."""
        for api_version, kind in (
            ("apps/v1", "Deployment"),
            ("v1", "ConfigMap"),
            ("gateway.networking.k8s.io/v1", "Gateway"),
            ("serving.knative.dev/v1", "Service"),
        ):
            self.assertIn(f"f:1:1: info: {kind} default/a", self.told_of(api_version, kind))

    def test_one_name(self) -> None:
        """Kinds are told apart by group and name: a Gateway of another API is none, and in nobody's way."""
        spec = "spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example]}]}"
        text = "".join(
            f"---\napiVersion: {version}\nkind: Gateway\nmetadata: {{name: a}}\n{rest}\n"
            for version, rest in (
                ("gateway.networking.k8s.io/v1", "spec: {gatewayClassName: edge}"),
                ("networking.istio.io/v1", spec),
            )
        )
        problems = Problems()
        found = decode(read("f", text, problems), problems)
        self.assertEqual([gateway.document.line for gateway in found.gateways], [7])
        self.assertEqual([str(problem).split(": ")[1] for problem in problems], ["info"])


class HostileTests(SynchronousTestCase):
    """Whatever stands in a document, it is told and nothing is raised."""

    DOCUMENTS = list(yaml.safe_load_all(GOOD))

    def places(self, value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the paths of everything in a value."""
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return [path, *(inner for key, each in items for inner in self.places(each, (*path, key)))]

    def decode(self, value: object) -> None:
        """Decode a value as YAML."""
        problems = Problems()
        decode(read("f", yaml.safe_dump(value), problems), problems)
        for problem in problems:
            str(problem).encode()

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_any_value_anywhere(self, data: st.DataObject) -> None:
        """Anything in place of any part of a good document."""
        index = data.draw(st.integers(0, len(self.DOCUMENTS) - 1))
        value = yaml.safe_load(yaml.safe_dump(self.DOCUMENTS[index]))
        path = data.draw(st.sampled_from(self.places(value)[1:]))
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = data.draw(ANYTHING)
        self.decode(value)

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_any_key_anywhere(self, data: st.DataObject) -> None:
        """Any key misspelt, or repeated elsewhere."""
        index = data.draw(st.integers(0, len(self.DOCUMENTS) - 1))
        value = yaml.safe_load(yaml.safe_dump(self.DOCUMENTS[index]))
        path = data.draw(st.sampled_from([path for path in self.places(value)[1:] if isinstance(path[-1], str)]))
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        item = parent.pop(path[-1])
        parent[data.draw(st.sampled_from([path[-1][1:], path[-1].upper(), "host", "spec", "exact"]))] = item
        self.decode(value)

    @settings(max_examples=200, deadline=None)
    @given(st.integers(0, len(GOOD)), st.text(max_size=3))
    def test_cut_and_filled(self, at: int, text: str) -> None:
        """A file that is cut off anywhere, or has something put in."""
        for hostile in (GOOD[:at], GOOD[:at] + text + GOOD[at:]):
            problems = Problems()
            decode(read("f", hostile.encode("utf-8", "surrogatepass"), problems), problems)
            for problem in problems:
                str(problem).encode()
