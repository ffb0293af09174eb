"""Tests of L{edgegate.istio.translate.key_sources}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.key_sources import KeySources, Unreadable, title
from edgegate.istio.translate.suggestions import Suggestions
from tests.istio.translate.compiling import Files, decoded

SECRETS = """\
{apiVersion: v1, kind: Secret, metadata: {name: own, namespace: shop}}
---
{apiVersion: v1, kind: Secret, metadata: {name: root, namespace: istio-system}}
---
{apiVersion: v1, kind: Secret, metadata: {name: own, namespace: istio-system}}
"""


class KeySourcesTests(SynchronousTestCase):
    """Where key material comes from."""

    def setUp(self) -> None:
        """Have three Secrets and a file."""
        self.files = Files({"a.crt": b"chain"})
        self.sources = KeySources(decoded(SECRETS)[0].secrets, self.files, Suggestions())

    def test_secrets(self) -> None:
        """A name is looked for beside the document, then in Istio's namespace; with a namespace, just there."""
        for name, namespace, found in (
            ("own", "shop", "secret shop/own"),
            ("own", "other", "secret istio-system/own"),
            ("root", "shop", "secret istio-system/root"),
            ("shop/own", "other", "secret shop/own"),
            ("kubernetes://own", "shop", "secret shop/own"),
            ("kubernetes-gateway://shop/own", "other", "secret shop/own"),
            ("none", "shop", None),
            ("other/own", "shop", None),
        ):
            secret = self.sources.secret(name, namespace)
            self.assertEqual(None if secret is None else title(secret), found, name)

    def test_undeclared(self) -> None:
        """The message says where was looked, and what may have been meant."""
        self.assertEqual(
            self.sources.undeclared("owm", "shop"),
            'no document declares Secret "owm" in namespace "shop" or "istio-system"; did you mean "own"?',
        )
        elsewhere = decoded("{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: shop}}")[0].secrets
        told = KeySources(elsewhere, self.files, Suggestions()).undeclared("a", "other")
        self.assertTrue(told.endswith('; there is one in namespace "shop"'), told)

    def test_files(self) -> None:
        """A file is read once, and one that can't be read is named."""
        self.assertEqual([self.sources.read("a.crt"), self.sources.read("a.crt")], [b"chain", b"chain"])
        for _ in range(2):
            error = self.assertRaises(Unreadable, self.sources.read, "b.crt")
            self.assertEqual(str(error), '"b.crt" can\'t be read: No such file or directory')
        self.assertEqual(self.files.read, ["a.crt", "b.crt"])

    def test_key_in_place_of_a_name(self) -> None:
        """A key where the name of a file should be is not repeated, and nothing is read."""
        error = self.assertRaises(Unreadable, self.sources.read, "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n")
        self.assertIn("this is key material itself", str(error))
        self.assertNotIn("MIGH", str(error))
        self.assertEqual(self.files.read, [])
