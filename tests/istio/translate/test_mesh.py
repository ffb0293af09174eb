"""Tests of L{edgegate.istio.translate.mesh}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.target import PathNormalisation
from edgegate.istio.kinds.mesh_config import Normalization
from tests.istio.translate.compiling import compiled

MESH = "apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nmetadata: {name: mesh}\nspec: {pathNormalization: %s}\n"


class PathTests(SynchronousTestCase):
    """In which form paths are sent on."""

    def paths(self, text: str) -> str:
        """Return what files say."""
        return compiled(text)[0].paths

    def test_each(self) -> None:
        """Each form is one that the gateway has; nothing said is nothing."""
        self.assertEqual(self.paths(""), "")
        self.assertEqual(self.paths(MESH % "{}"), "")
        self.assertEqual(self.paths(MESH % "{normalization: DEFAULT}"), "base")
        for each in set(Normalization) - {Normalization.DEFAULT}:
            PathNormalisation(self.paths(MESH % f"{{normalization: {each.value}}}"))
