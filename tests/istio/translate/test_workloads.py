"""Tests of L{edgegate.istio.translate.workloads}; what probes come to is in the golden pair C{workloads}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.members import Unusable
from edgegate.istio.translate.workloads import Workload, Workloads, has_labels
from edgegate.model.clusters import Probe
from tests.istio.translate.compiling import decoded

ISTIO = "apiVersion: networking.istio.io/v1"


def entry(spec: str, metadata: str = "name: a") -> str:
    """Return a WorkloadEntry."""
    return f"{ISTIO}\nkind: WorkloadEntry\nmetadata: {{{metadata}}}\nspec: {{{spec}}}\n"


def group(spec: str, name: str = "g", namespace: str = "default") -> str:
    """Return a WorkloadGroup."""
    return f"{ISTIO}\nkind: WorkloadGroup\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}}}\n"


def selected(labels: dict[str, str], *documents: str, namespace: str = "default") -> list[Workload]:
    """Return the workloads that labels choose."""
    return list(Workloads(decoded("---\n".join(documents))[0]).select(namespace, labels))


class WorkloadsTests(SynchronousTestCase):
    """Endpoints by labels."""

    def test_labels(self) -> None:
        """All labels must be there; those of the metadata count too."""
        self.assertTrue(has_labels({"a": "b", "c": "d"}, {"a": "b"}))
        self.assertFalse(has_labels({"a": "b"}, {"a": "b", "c": "d"}))
        text = entry("address: 10.0.0.1, labels: {a: b, c: d}", "name: a, labels: {c: e}")
        self.assertEqual(len(selected({"a": "b", "c": "e"}, text)), 1)
        self.assertEqual(selected({"c": "d"}, text), [])
        self.assertEqual(selected({}, text), [])
        self.assertEqual(selected({"a": "b"}, text, namespace="other"), [])

    def test_template(self) -> None:
        """What an entry does not say, its group says."""
        template = "labels: {a: b, c: d}, ports: {http: 1, other: 2}, locality: eu, weight: 3"
        text = group(f"template: {{{template}}}, probe: {{tcpSocket: {{port: 9}}}}")
        (found,) = selected({"a": "b"}, text, entry("address: 10.0.0.1, labels: {a: b, c: d}, ports: {http: 8}"))
        self.assertEqual((found.ports, found.locality, found.weight), ({"http": 8, "other": 2}, "eu", 3))
        self.assertEqual(found.probe, Probe(9, tcp=True))
        self.assertEqual(found.endpoint(8).locality, "eu")

    def test_probe_by_http2(self) -> None:
        """A probe over HTTP at a port that speaks HTTP/2 does too, and no other one; a UNIX socket is asked itself."""
        for probe, address, http2 in (
            ("httpGet: {port: 9}", "10.0.0.1", True),
            ("httpGet: {port: 8}", "10.0.0.1", False),
            ("httpGet: {port: 7}", "unix:///run/a", True),
            ("tcpSocket: {port: 9}", "10.0.0.1", False),
        ):
            text = group(f"template: {{labels: {{a: b}}}}, probe: {{{probe}}}")
            (found,) = selected({"a": "b"}, text, entry(f"address: '{address}', labels: {{a: b}}"))
            made = found.endpoint(9, {9}).probe
            assert made is not None
            self.assertIs(made.http2, http2, probe)

    def test_groups(self) -> None:
        """An entry is of the group that Istio wrote, or of the one with most of its labels, in its namespace."""
        wide = group("template: {labels: {a: b}, locality: wide}", "wide")
        narrow = group("template: {labels: {c: d}, locality: narrow}, metadata: {labels: {a: b}}", "narrow")
        elsewhere = group("template: {labels: {a: b}, locality: elsewhere}", "elsewhere", "other")
        nothing = group("template: {locality: nothing}", "nothing")
        for metadata, labels, locality in (
            ("name: a", "a: b", "wide"),
            ("name: a", "a: b, c: d", "narrow"),
            ("name: a, annotations: {istio.io/autoRegistrationGroup: narrow}", "a: b", "narrow"),
            ("name: a, annotations: {istio.io/autoRegistrationGroup: gone}", "a: b", ""),
            ("name: a, annotations: {other: b}", "a: b", "wide"),
            (
                "name: a, ownerReferences: [{kind: Pod, name: b}, {kind: WorkloadGroup, name: nothing}]",
                "a: b",
                "nothing",
            ),
        ):
            text = entry(f"address: 10.0.0.1, labels: {{{labels}}}", metadata)
            (found,) = selected({"a": "b"}, text, wide, narrow, elsewhere, nothing)
            self.assertEqual(found.locality, locality, metadata)

    def test_address(self) -> None:
        """An entry without an address is no endpoint; one with a bad one is named."""
        self.assertEqual(selected({"a": "b"}, entry("network: vms, labels: {a: b}")), [])
        (found,) = selected({"a": "b"}, entry("address: '*.example', labels: {a: b}"))
        error = self.assertRaises(Unusable, found.endpoint, 80)
        self.assertTrue(str(error).startswith("WorkloadEntry default/a at in.yaml:1: "), str(error))
