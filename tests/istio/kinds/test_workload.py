"""Tests of L{edgegate.istio.kinds.workload}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.config.reading import document, resources, told_of


class WorkloadTests(SynchronousTestCase):
    """Workloads as they are written."""

    def test_fields(self) -> None:
        """A group has metadata, a template and a probe."""
        spec = "metadata: {labels: {a: b}}\ntemplate: {ports: {http: 80}}\nprobe: {httpGet: {port: 80, path: /}}\n"
        found, told = resources(document("WorkloadGroup", spec))
        self.assertEqual(told, [])
        group = found.workload_groups[0].spec
        assert group.metadata is not None and group.template is not None and group.probe is not None
        assert group.probe.http_get is not None
        self.assertEqual((group.metadata.labels, group.template.ports), ({"a": "b"}, {"http": 80}))
        self.assertEqual((group.probe.http_get.port, group.probe.http_get.path), (80, "/"))

    def test_mesh_only(self) -> None:
        """Networks and identities are a mesh's."""
        found = told_of("WorkloadEntry", "address: 10.0.0.1\nnetwork: a\nserviceAccount: b\n")
        self.assertEqual(sorted(line.split(": ")[2] for line in found), ["spec.network", "spec.serviceAccount"])

    def test_one_probe(self) -> None:
        """A probe asks in one way."""
        spec = "template: {}\nprobe: {tcpSocket: {port: 80}, grpc: {port: 80}}\n"
        (told,) = told_of("WorkloadGroup", spec)
        self.assertIn("only one of tcpSocket and grpc may be given", told)
