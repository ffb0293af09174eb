"""Tests of L{edgegate.istio.translate.guards.secret_sources}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.access.passwords.test_hashes import SHA512
from tests.istio.translate.compiling import compiled
from tests.istio.translate.guards.test_credentials import FILES, policy, secret


class SecretSourceTests(SynchronousTestCase):
    """Where policies have secrets from."""

    def problems(self, source: str, more: str = "", files: dict[str, bytes] | None = None) -> list[str]:
        """Return what is told of a policy with a source of users."""
        text = FILES + policy("BasicAuthPolicy", f"users: {{{source}}}") + more
        return compiled(text, files=files)[1]

    def test_namespaces(self) -> None:
        """A Secret is looked for beside the policy, then in istio-system; its name may say another namespace."""
        users = secret("auth", "ali:" + SHA512.decode())
        named = users.replace("name: s", "name: s, namespace: NAMESPACE")
        self.assertEqual(self.problems("secretName: s", users), [])
        self.assertEqual(self.problems("secretName: s", named.replace("NAMESPACE", "istio-system")), [])
        self.assertEqual(self.problems("secretName: other/s", named.replace("NAMESPACE", "other")), [])
        (told,) = self.problems("secretName: s", named.replace("NAMESPACE", "other"))
        self.assertIn('there is one in namespace "other"', told)

    def test_files(self) -> None:
        """What stands in place of a file's name is never repeated where it is a key."""
        (told,) = self.problems("file: '-----BEGIN PRIVATE KEY----- secret'")
        self.assertNotIn("secret", told)
        (told,) = self.problems("file: missing")
        self.assertIn("spec.users.file", told)
