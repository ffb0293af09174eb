"""Tests of L{edgegate.istio.translate.guards.credentials}."""

from __future__ import annotations

from hashlib import sha256

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.credentials import APIKeys, BasicAuth, KeyLocation, KeyPlace
from edgegate.routing.snapshot import Snapshot, guards_in
from tests.access.passwords.test_hashes import SHA512
from tests.istio.translate.compiling import compiled, gateway, route, virtual_service

FILES = gateway("gw", "80 HTTP a.example") + virtual_service("web", "a.example", f"http: [{route()}]")


def policy(kind: str, spec: str) -> str:
    """Return a policy for the Gateway."""
    refs = "targetRefs: [{group: networking.istio.io, kind: Gateway, name: gw}]"
    return f"apiVersion: edgegate.io/v1alpha1\nkind: {kind}\nmetadata: {{name: p}}\nspec: {{{refs}, {spec}}}\n---\n"


def secret(key: str, value: str) -> str:
    """Return a Secret with one entry."""
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{{key}: '{value}'}}\n---\n"


def guards(snapshot: Snapshot) -> set[object]:
    """Return all guards."""
    return set(guards_in(snapshot))


class CredentialTests(SynchronousTestCase):
    """From policies to guards."""

    def test_users(self) -> None:
        """Users come from a file, or from a Secret by any of the names that others give its entry."""
        for key in (".htpasswd", "htpasswd", "auth"):
            found, problems = compiled(
                FILES + policy("BasicAuthPolicy", "users: {secretName: s}") + secret(key, "ali:" + SHA512.decode())
            )
            (guard,) = guards(found)
            assert isinstance(guard, BasicAuth)
            self.assertEqual((guard.users, guard.realm, guard.forward), (((b"ali", SHA512),), b"p", False))
            self.assertEqual(problems, [])
        spec = "users: {file: a.txt}, realm: Staff, userHeader: X-User, forward: true"
        found, problems = compiled(FILES + policy("BasicAuthPolicy", spec), files={"a.txt": b"ali:" + SHA512})
        (guard,) = guards(found)
        assert isinstance(guard, BasicAuth)
        self.assertEqual((guard.realm, guard.user_header, guard.forward), (b"Staff", b"x-user", True))
        self.assertNotIn(SHA512.decode()[-20:], repr(guard))

    def test_bad_users(self) -> None:
        """What is missing or can't be read is told with its place; hashes that are quick to guess are warned of."""
        weak = b"ali:$2y$05$" + b"a" * 53
        for spec, files, words in (
            ("users: {file: b.txt}", {}, "b.txt"),
            ("users: {secretName: s2}", {}, "no document declares Secret"),
            ("users: {secretName: s}", {}, "has no .htpasswd or htpasswd or auth"),
            ("users: {file: a.txt}", {"a.txt": b"#\nali:x\n"}, "error: spec.users: a.txt:2: this is no hash"),
            ("users: {file: a.txt}", {"a.txt": b""}, "a.txt:1: no user stands in it"),
            ("users: {file: a.txt}", {"a.txt": b"x" * (5 << 20)}, "more than 4 MiB"),
            ("users: {file: a.txt}", {"a.txt": b"a\n" * 9}, "; and 4 more"),
            ("users: {file: a.txt}", {"a.txt": weak}, "warning: spec.users: a.txt:1: bcrypt of cost 5"),
        ):
            _, problems = compiled(FILES + policy("BasicAuthPolicy", spec) + secret("x", "y"), files=files)
            self.assertEqual(len(problems), 1, problems)
            self.assertIn(words, problems[0])

    def test_keys(self) -> None:
        """Keys of both places count; without a place they stand in a header."""
        one, two = (sha256(key).digest() for key in (b"1", b"2"))
        inline = f"keys: [{{client: b, sha256: {two.hex()}}}]"
        found, problems = compiled(
            FILES + policy("APIKeyPolicy", f"keysFrom: {{secretName: s}}, {inline}") + secret("keys", "a:" + one.hex())
        )
        self.assertEqual(problems, [])
        (guard,) = guards(found)
        assert isinstance(guard, APIKeys)
        self.assertEqual(guard.keys, ((one, "a"), (two, "b")))
        self.assertEqual(guard.places, (KeyPlace(KeyLocation.HEADER, b"x-api-key"),))
        places = "extractFrom: [{header: A, prefix: 'k '}, {queryParameter: b}, {cookie: c}]"
        found, _ = compiled(FILES + policy("APIKeyPolicy", f"{inline}, {places}, clientHeader: X-C"))
        (guard,) = guards(found)
        assert isinstance(guard, APIKeys)
        self.assertEqual(guard.client_header, b"x-c")
        self.assertEqual(
            guard.places,
            (
                KeyPlace(KeyLocation.HEADER, b"a", b"k "),
                KeyPlace(KeyLocation.QUERY, b"b"),
                KeyPlace(KeyLocation.COOKIE, b"c"),
            ),
        )

    def test_bad_keys(self) -> None:
        """A key that two clients would have, and lines that are none, are told."""
        digest = sha256(b"1").hexdigest()
        both = f"keysFrom: {{file: a}}, keys: [{{client: b, sha256: {digest}}}]"
        for spec, content, words in (
            (both, f"a:{digest}".encode(), "this key is given twice"),
            ("keysFrom: {file: a}", b"a:secret", "a:1: expected the SHA-256 hash"),
        ):
            _, problems = compiled(FILES + policy("APIKeyPolicy", spec), files={"a": content})
            self.assertEqual(len(problems), 1, problems)
            self.assertIn(words, problems[0])
            self.assertNotIn("secret", problems[0])
