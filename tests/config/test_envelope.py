"""Tests for L{edgegate.config.envelope}."""

from __future__ import annotations

from datetime import datetime, timezone

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from tests.config.reading import documents, read_all


class EnvelopeTests(SynchronousTestCase):
    """apiVersion, kind and metadata."""

    def test_metadata(self) -> None:
        """Name, namespace, labels and time are read."""
        text = """\
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata:
              name: a
              namespace: shop
              labels: {app: web}
              creationTimestamp: 2026-01-31T12:00:00Z
            """
        found = documents(text)[0]
        self.assertEqual((found.api_version, found.kind), ("networking.istio.io/v1", "Gateway"))
        self.assertEqual((found.name, found.namespace, found.labels), ("a", "shop", {"app": "web"}))
        self.assertEqual(found.creation_timestamp, datetime(2026, 1, 31, 12, tzinfo=timezone.utc))

    def test_defaults(self) -> None:
        """The namespace is default, and nulls are as if they were not there."""
        text = "{apiVersion: v1, kind: X, metadata: {name: a, namespace: null, labels: ~, creationTimestamp: null}}"
        found = documents(text)[0]
        self.assertEqual((found.namespace, found.labels, found.creation_timestamp), ("default", {}, None))

    def test_missing(self) -> None:
        """What is missing is said in one line."""
        self.assertEqual(read_all("a: 1")[1], ["f:1:1: error: apiVersion and kind and metadata.name are missing"])
        self.assertEqual(
            read_all("\nkind: X\napiVersion: v1\nmetadata: {}\n")[1], ["f:2:1: error: metadata.name is missing"]
        )

    def test_no_mapping(self) -> None:
        """A document that is a list or a word is none."""
        self.assertIn("not array", read_all("[1]")[1][0])
        self.assertIn("follow each other with --- between them", read_all("[1]")[1][0])
        # a private key that lies among the documents is not shown
        key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n"
        for text in ("hello", key):
            (told,) = read_all(text)[1]
            self.assertTrue(told.endswith("a mapping with apiVersion, kind and metadata, not string"), told)

    def test_probable_kind(self) -> None:
        """A kind that is missing is asked for by name, where the spec tells which it is."""
        head = "apiVersion: networking.istio.io/v1\nmetadata: {name: a}\nspec: "
        for spec, kind in (("{servers: []}", "Gateway"), ("{hosts: [], http: []}", "VirtualService")):
            self.assertEqual(
                read_all(head + spec)[1], [f"f:1:1: error: kind is missing: write kind: {kind}, if one is meant"]
            )
        self.assertEqual(read_all(head + "{hosts: []}")[1], ["f:1:1: error: kind is missing"])

    def test_kustomization(self) -> None:
        """What kustomize reads lies beside the files, and is none of them."""
        text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n"
        self.assertEqual(read_all(text)[1], ["f:1:1: info: a Kustomization is passed over: write out what it makes"])
        problems = Problems()
        self.assertEqual(read("overlay/kustomization.yaml", "resources: [a.yaml]\n", problems), [])
        self.assertEqual(problems.errors, 0)

    def test_tests(self) -> None:
        """A document of tests is left alone; what says what it is, or has no list of them, is not one."""
        for key in ("tests", "testCases"):
            self.assertEqual(read_all(f"{key}: [{{request: http://a.example}}]\n"), ([], []))
        self.assertIn("metadata.name is missing", read_all("apiVersion: v1\nkind: A\ntests: []\n")[1][0])
        self.assertIn("apiVersion and kind", read_all("tests: 1\n")[1][0])

    def test_wrong_types(self) -> None:
        """Everything that is of a wrong type is told."""
        text = """\
            apiVersion: 1
            kind: yes
            metadata:
              name: 80
              namespace: ""
              labels: {a: 1}
              creationTimestamp: yesterday
            """
        self.assertEqual(
            read_all(text)[1],
            [
                "f:1:1: error: apiVersion: expected string, got integer 1: quote it",
                "f:2:1: error: kind: expected string, got boolean true: quote it",
                "f:4:3: error: metadata.name: expected string, got integer 80: quote it",
                "f:5:3: error: metadata.namespace: empty",
                "f:6:12: error: metadata.labels.a: expected string, got integer 1: quote it",
                "f:7:3: error: metadata.creationTimestamp: expected a time such as 2026-01-31T12:00:00Z,"
                ' got string "yesterday"',
            ],
        )
        for metadata in ("5", "[a]"):
            self.assertIn("expected object", read_all(f"{{apiVersion: v1, kind: X, metadata: {metadata}}}")[1][0])
        self.assertIn("expected object", read_all("{apiVersion: v1, kind: X, metadata: {name: a, labels: x}}")[1][0])
        told = read_all("{apiVersion: v1, kind: X, metadata: {name: a, creationTimestamp: '2026-99-31T12:00:00Z'}}")[1]
        self.assertIn("expected a time", told[0])

    def test_list(self) -> None:
        """What kubectl get prints, a List, is its items, each with its own place."""
        text = """\
            apiVersion: v1
            kind: List
            items:
            - apiVersion: v1
              kind: X
              metadata: {name: a}
            - apiVersion: v1
              kind: XList
              items:
              - {apiVersion: v1, kind: X, metadata: {name: b}}
              - 5
            """
        found, told = read_all(text)
        self.assertEqual([(each.name, each.line) for each in found], [("a", 4), ("b", 10)])
        self.assertEqual(found[0].place(("metadata", "name")), (6, 14))
        self.assertEqual(len(told), 1)
        self.assertTrue(told[0].startswith("f:11:"))
