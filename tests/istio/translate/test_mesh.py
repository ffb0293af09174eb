"""Tests of L{edgegate.istio.translate.mesh}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.target import PathNormalisation
from edgegate.istio.kinds.mesh_config import Normalization
from edgegate.model.proxy import ProxySettings
from tests.istio.translate.compiling import compiled

MESH = "apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nmetadata: {name: mesh}\nspec: {pathNormalization: %s}\n"


class PathTests(SynchronousTestCase):
    """In which form paths are sent on."""

    def paths(self, text: str) -> str:
        """Return what files say."""
        return compiled(text)[0].proxy.paths

    def test_each(self) -> None:
        """Each form is one that the gateway has; nothing said is nothing."""
        self.assertEqual(self.paths(""), "")
        self.assertEqual(self.paths(MESH % "{}"), "")
        self.assertEqual(self.paths(MESH % "{normalization: DEFAULT}"), "base")
        for each in set(Normalization) - {Normalization.DEFAULT}:
            PathNormalisation(self.paths(MESH % f"{{normalization: {each.value}}}"))


CONFIG = "apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nmetadata: {name: mesh}\nspec: {defaultConfig: %s}\n"


class ProxyTests(SynchronousTestCase):
    """What counts for the gateway as a whole."""

    def settings(self, said: str) -> ProxySettings:
        """Return what C{defaultConfig} comes to."""
        snapshot, self.problems = compiled(CONFIG % said)
        return snapshot.proxy

    def test_topology(self) -> None:
        """How many proxies are trusted; what is not honoured of the rest is told."""
        self.assertEqual(self.settings("{gatewayTopology: {}}"), ProxySettings())
        said = "{gatewayTopology: {numTrustedProxies: 2, forwardClientCertDetails: SANITIZE_SET}}"
        self.assertEqual(self.settings(said), ProxySettings(2))
        self.assertEqual(self.problems, [])
        self.settings("{gatewayTopology: {forwardClientCertDetails: FORWARD_ONLY, proxyProtocol: {}}}")
        self.assertIn("forwardClientCertDetails: not honoured: x-forwarded-client-cert", self.problems[0])
        self.assertIn("proxyProtocol: not honoured: --proxy-protocol", self.problems[1])

    def test_edge(self) -> None:
        """The profile of edges is what it says, unless a field says otherwise; another profile is nothing."""
        edge = "{connectionSettings: {profile: EDGE%s}}"
        self.assertEqual(self.settings(edge % ""), ProxySettings(None, "reject", "decode-and-merge-slashes"))
        for more, expected in (
            (", httpHeadersWithUnderscoresAction: DROP_HEADER", ("drop", "decode-and-merge-slashes")),
            (", httpPathWithEscapedSlashesAction: KEEP_UNCHANGED", ("reject", "merge-slashes")),
            (", httpPathWithEscapedSlashesAction: KEEP_UNCHANGED, httpMergeSlashes: false", ("reject", "")),
        ):
            found = self.settings(edge % more)
            self.assertEqual((found.underscores, found.paths), expected)
        self.assertEqual(self.settings("{connectionSettings: {profile: SIDECAR}}"), ProxySettings())
        self.assertEqual(self.settings("{connectionSettings: {httpMergeSlashes: true}}").paths, "merge-slashes")
        self.settings(edge % ", httpIdleTimeout: 60s, httpMaxConcurrentStreams: 200")
        self.assertEqual(sum("the gateway has limits of its own" in each for each in self.problems), 2)

    def test_path_normalization_wins(self) -> None:
        """What MeshConfig says of paths itself wins over connectionSettings."""
        said = CONFIG % "{connectionSettings: {profile: EDGE}}, pathNormalization: {normalization: NONE}"
        self.assertEqual(compiled(said)[0].proxy.paths, "none")
