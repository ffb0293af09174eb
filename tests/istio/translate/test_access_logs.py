"""Tests of L{edgegate.istio.translate.access_logs}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import DefaultFormat, text_format
from tests.istio.translate.compiling import compiled

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: infra}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
"""

MESH = """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh}
spec:
  accessLogFile: /dev/stdout
  accessLogFormat: "%PROTOCOL%"
  extensionProviders:
  - {name: a, envoyFileAccessLog: {path: a.log, logFormat: {text: "%DURATION%"}}}
  - {name: b, envoyFileAccessLog: {path: b.log, logFormat: {labels: {}}}}
  - {name: c, envoyFileAccessLog: {path: c.log}}
  - {name: als, envoyHttpAls: {service: als.example, port: 15000}}
  - name: otel
    envoyOtelAls: {service: otel.example, port: 4318, logFormat: {text: "%PROTOCOL%", labels: {a: "%DURATION%"}}}
"""

DEFAULT = MESH + "  defaultProviders: {accessLogging: [c]}\n"


def telemetry(entries: str, namespace: str = "istio-system", name: str = "t", more: str = "") -> str:
    """Return a document."""
    return f"""\
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  {more}
  accessLogging: {entries}
"""


class AccessLogTests(SynchronousTestCase):
    """Which logs are written."""

    def logs(self, text: str) -> tuple[AccessLogFile, ...] | None:
        """Return the logs that files ask for."""
        snapshot, self.problems = compiled(GATEWAY + text)
        return snapshot.access_logs

    def names(self, text: str) -> list[tuple[str, str]] | None:
        """Return their names and filters."""
        logs = self.logs(text)
        return None if logs is None else [(log.name, log.filter) for log in logs]

    def told(self) -> list[str]:
        """Return what was said, but for what is not honoured of providers."""
        return [each for each in self.problems if "envoyHttpAls" not in each and "no http route" not in each]

    def test_nothing(self) -> None:
        """Files that say nothing of logs leave it to options; an empty accessLogFile is none."""
        self.assertIsNone(self.logs(""))
        self.assertIsNone(self.logs(MESH.partition("spec:")[0] + "spec: {rootNamespace: mesh}\n"))
        self.assertEqual(self.logs(MESH.replace("/dev/stdout", '""')), ())

    def test_mesh(self) -> None:
        """Without Telemetry and default providers the mesh's file and format count."""
        (log,) = self.logs(MESH) or ()
        self.assertEqual(log, AccessLogFile("/dev/stdout", text_format("%PROTOCOL%")))
        self.assertEqual(str(log.origin), "in.yaml:12")
        encoded = MESH.replace('accessLogFormat: "%PROTOCOL%"', "accessLogEncoding: JSON")
        (log,) = self.logs(encoded) or ()
        self.assertIs(log.format, DefaultFormat.JSON)

    def test_default_providers(self) -> None:
        """Default providers count in place of the mesh's file."""
        self.assertEqual(self.logs(DEFAULT), (AccessLogFile("c.log", DefaultFormat.TEXT, "c"),))

    def test_providers(self) -> None:
        """Telemetry names providers, several at once, each with its own format."""
        logs = self.logs(MESH + telemetry("[{providers: [{name: a}, {name: B}, {name: envoy}]}]")) or ()
        self.assertEqual(
            logs,
            (
                AccessLogFile("a.log", text_format("%DURATION%"), "a"),
                AccessLogFile("b.log", DefaultFormat.JSON, "b"),
                AccessLogFile("/dev/stdout", text_format("%PROTOCOL%"), "envoy"),
            ),
        )
        self.assertEqual(str(logs[0].origin), "in.yaml:27")
        self.assertEqual(self.told(), [])

    def test_levels(self) -> None:
        """The last level that names providers wins: root namespace, the gateway's, then who selects it."""
        root = telemetry("[{providers: [{name: a}]}]")
        own = telemetry("[{providers: [{name: b}], filter: {expression: response.code >= 400}}]", "infra")
        selecting = telemetry(
            "[{providers: [{name: c}]}]", "infra", "s", "selector: {matchLabels: {istio: ingressgateway}}"
        )
        self.assertEqual(self.names(MESH + root), [("a", "")])
        self.assertEqual(self.names(MESH + own + root), [("b", "response.code >= 400")])
        self.assertEqual(self.names(MESH + selecting + own + root), [("c", "")])

    def test_elsewhere(self) -> None:
        """What is for others is told, and changes nothing."""
        for more, namespace, why in (
            ("", "shop", 'no Gateway that is served is in the namespace "shop"'),
            ("selector: {matchLabels: {app: web}}", "infra", "no gateway here has the labels app=web"),
            ("targetRefs: [{kind: Gateway, name: gw}]", "infra", "targetRefs name gateways of the Gateway API"),
        ):
            other = telemetry("[{providers: [{name: b}]}]", namespace, more=more)
            self.assertEqual(self.names(DEFAULT + other), [("c", "")])
            self.assertIn(why, "\n".join(self.told()))
        server = telemetry("[{match: {mode: SERVER}, providers: [{name: b}]}]")
        self.assertEqual(self.names(DEFAULT + server), [("c", "")])

    def test_disabled(self) -> None:
        """What is disabled is not written, until a later entry has it written again."""
        self.assertEqual(self.names(DEFAULT + telemetry("[{disabled: true}]")), [])
        again = telemetry("[{}]", "infra", "again")
        self.assertEqual(self.names(DEFAULT + telemetry("[{disabled: true}]") + again), [("c", "")])
        entries = "[{providers: [{name: a}, {name: b}]}, {disabled: true, providers: [{name: a}]}]"
        self.assertEqual(self.names(MESH + telemetry(entries)), [("b", "")])

    def test_about_the_item_before(self) -> None:
        """An item that names no provider is about those of the item before it, of a level before as well."""
        self.assertEqual(self.names(MESH + telemetry("[{providers: [{name: a}]}, {disabled: true}]")), [])
        named = MESH + telemetry("[{providers: [{name: a}]}]")
        self.assertEqual(self.names(named + telemetry("[{disabled: true}]", "infra", "later")), [])
        self.assertNotIn("nothing is logged", "\n".join(self.told()))
        filtered = telemetry('[{filter: {expression: "response.code >= 400"}}]', "infra", "later")
        self.assertEqual(self.names(named + filtered), [("a", "response.code >= 400")])
        self.assertNotIn("nothing is logged", "\n".join(self.told()))

    def test_filter_of_default(self) -> None:
        """A filter counts as well where the default provider is relied on."""
        self.assertEqual(
            self.names(DEFAULT + telemetry('[{filter: {expression: "response.code >= 400"}}]')),
            [("c", "response.code >= 400")],
        )

    def test_warnings(self) -> None:
        """What does nothing is told: an unknown provider, one that is no file, an entry without any."""
        for entries, why in (
            ("[{providers: [{name: aa}]}]", '"aa" is no provider of MeshConfig: left out'),
            ("[{providers: [{name: als}]}]", 'not honoured: "als" is no log in a file, nor one for a collector'),
            ("[{}]", "no provider is named, and MeshConfig has no defaultProviders: nothing is logged"),
        ):
            self.assertEqual(self.names(MESH + telemetry(entries)), [])
            self.assertIn(why, "\n".join(self.told()))

    def test_unknown_default(self) -> None:
        """A default provider that is none is told too."""
        self.assertEqual(self.logs(DEFAULT.replace("[c]", "[cc]")), ())
        self.assertIn('in.yaml:21:38: warning: spec.defaultProviders.accessLogging[0]: "cc"', "\n".join(self.told()))

    def test_several(self) -> None:
        """Of a namespace's without a selector the oldest counts; of those that select the gateway all do."""
        first, second = (telemetry(f"[{{providers: [{{name: {name}}}]}}]", name=name) for name in "ab")
        self.assertEqual(self.names(MESH + first + second), [("a", "")])
        self.assertIn("a namespace has one Telemetry without a selector", "\n".join(self.told()))
        old = second.replace("name: b, namespace", 'creationTimestamp: "2020-01-01T00:00:00Z", name: b, namespace')
        self.assertEqual(self.names(MESH + first + old), [("b", "")])
        labels = "selector: {matchLabels: {istio: ingressgateway}}"
        both = "".join(telemetry(f"[{{providers: [{{name: {name}}}]}}]", "infra", name, labels) for name in "ab")
        self.assertEqual(self.names(MESH + both), [("b", "")])
        self.assertIn("this gateway is chosen by", "\n".join(self.told()))

    def test_two_meshes(self) -> None:
        """A mesh has one MeshConfig."""
        self.logs(MESH + "---\n" + MESH.replace("name: mesh", "name: other"))
        self.assertIn("a mesh has one MeshConfig", "\n".join(self.told()))

    def test_listener_log(self) -> None:
        """Connections that match no server are left out where MeshConfig says so."""
        (log,) = self.logs(MESH + "  disableEnvoyListenerLog: true\n") or ()
        self.assertFalse(log.unmatched)
        (log,) = self.logs(MESH) or ()
        self.assertTrue(log.unmatched)

    def test_config_map(self) -> None:
        """The ConfigMap of a cluster is read as well, with its lines."""
        text = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
data:
  mesh: |-
    accessLogFile: /dev/stdout
    accessLogFormat: "%NOPE%"
  meshNetworks: "networks: {}"
"""
        (log,) = self.logs(text) or ()
        self.assertEqual((log.path, str(log.origin)), ("/dev/stdout", "in.yaml:15"))
        self.assertIn("in.yaml:16:5: error", "\n".join(self.told()))
