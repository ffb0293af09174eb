"""Tests of L{edgegate.istio.mesh_config_map}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.mesh_config_map import mesh_config_in
from tests.config.reading import documents

MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: %s, namespace: istio-system}
data:
  %s: |-
    accessLogFile: /dev/stdout

    rootNamespace: [a
"""


class MeshConfigMapTests(SynchronousTestCase):
    """The ConfigMap of a cluster."""

    def test_read(self) -> None:
        """What is in it stands at the lines of the file."""
        (document,) = documents(MAP.replace("[a", "infra") % ("istio", "mesh"))
        problems = Problems()
        found = mesh_config_in(document, problems)
        assert found is not None
        self.assertEqual(
            (found.kind, found.namespace, found.value["spec"]["rootNamespace"]), ("MeshConfig", "istio-system", "infra")
        )
        self.assertEqual(found.place(("spec", "rootNamespace")), (8, 5))
        self.assertEqual(list(problems), [])

    def test_broken(self) -> None:
        """What is no YAML is told, at its line."""
        (document,) = documents(MAP % ("istio", "mesh"))
        problems = Problems()
        mesh_config_in(document, problems)
        self.assertEqual({problem.line for problem in problems} <= {8, 9}, True, [str(each) for each in problems])

    def test_others(self) -> None:
        """Other ConfigMaps are none, nor is one without that key; an empty one says nothing."""
        for name, key in (("other", "mesh"), ("istio", "other")):
            (document,) = documents(MAP % (name, key))
            self.assertIsNone(mesh_config_in(document, Problems()))
        (document,) = documents("{apiVersion: v1, kind: ConfigMap, metadata: {name: istio}, data: {mesh: ''}}")
        found = mesh_config_in(document, Problems())
        assert found is not None
        self.assertEqual(found.value["spec"], {})
