"""Tests of L{edgegate.tls.secret_store}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import Credential, KeyPair, ServerTLS, UpstreamTLS
from edgegate.tls.secret_store import Secrets, SecretStore
from edgegate.tls.secrets import BadKeyMaterial

PAIR = KeyPair("shop.crt", b"chain", b"key", "shop.key")
RENEWED = replace(PAIR, chain=b"chain 2")
LATEST = replace(PAIR, chain=b"chain 3")
OTHER = KeyPair("secret default/other", b"chain", b"key")


class SecretsTests(SynchronousTestCase):
    """What credentials name."""

    def test_named(self) -> None:
        """Servers and backends get what they name; what nobody knows is said by its name."""
        secrets = Secrets([PAIR, OTHER])
        tls = secrets.resolve(ServerTLS((OTHER.credential, PAIR.credential), alpn=(b"h2",)))
        self.assertEqual((tls.certificates, tls.alpn), ((OTHER, PAIR), (b"h2",)))
        self.assertIs(secrets.shown_to(UpstreamTLS(credential=PAIR.credential)), PAIR)
        self.assertIsNone(secrets.shown_to(UpstreamTLS()))
        error = self.assertRaises(BadKeyMaterial, secrets.pair, Credential("shop.crt"))
        self.assertEqual(error.name, "shop.crt")
        self.assertEqual(list(secrets), [PAIR, OTHER])
        self.assertEqual(repr(secrets), "<Secrets shop.crt, secret default/other>")

    def test_renewed(self) -> None:
        """Another key pair of the same name is told; one that is new is not."""
        before = Secrets([PAIR])
        after = before.replaced(RENEWED).replaced(OTHER)
        self.assertEqual(after.renewed_since(before), {PAIR.credential})
        self.assertEqual(before.renewed_since(before), frozenset())
        self.assertIs(before.pair(PAIR.credential), PAIR)


class SecretStoreTests(SynchronousTestCase):
    """What is in force."""

    def setUp(self) -> None:
        """Take what files say."""
        self.renewed: list[Secrets] = []
        self.store = SecretStore(self.renew)
        self.reload(PAIR)

    def renew(self, secrets: Secrets) -> None:
        """Serve with others, unless they can't be served."""
        if secrets.pair(PAIR.credential).chain == b"":
            raise BadKeyMaterial("shop.crt", "it is empty")
        self.renewed.append(secrets)

    def reload(self, *pairs: KeyPair) -> None:
        """Take what files say now."""
        read = Secrets(pairs)
        self.store.take(read, self.store.planned(read))

    def current(self) -> KeyPair:
        """What is named now."""
        return self.store.secrets.pair(PAIR.credential)

    def test_put(self) -> None:
        """A secret that is put is in force, and stays over reloads until the files say something else of it."""
        self.store.put(RENEWED)
        self.assertIs(self.current(), RENEWED)
        self.assertIs(self.renewed[-1].pair(PAIR.credential), RENEWED)
        self.reload(replace(PAIR), OTHER)
        self.assertIs(self.current(), RENEWED)
        self.reload(LATEST)
        self.assertIs(self.current(), LATEST)
        self.assertRaises(BadKeyMaterial, self.store.secrets.pair, OTHER.credential)

    def test_of_no_file(self) -> None:
        """A secret that no document declares stays where it was put, until one does."""
        self.store.put(OTHER)
        self.reload(PAIR)
        self.assertIs(self.store.secrets.pair(OTHER.credential), OTHER)
        declared = replace(OTHER, chain=b"chain 2")
        self.reload(PAIR, declared)
        self.assertIs(self.store.secrets.pair(OTHER.credential), declared)

    def test_placeholder(self) -> None:
        """A placeholder is in force where there is nothing, and takes nothing's place."""
        shown = replace(PAIR, chain=b"placeholder", placeholder=True)
        self.reload(shown, replace(OTHER, placeholder=True))
        self.assertIs(self.current(), PAIR)
        self.assertEqual(self.store.secrets.pair(OTHER.credential), OTHER)
        # whether it is shown is what the documents say now
        withheld = replace(OTHER, chain=b"placeholder", placeholder=True, withheld=True)
        self.reload(replace(OTHER, placeholder=True))
        self.reload(withheld)
        self.assertEqual(self.store.secrets.pair(OTHER.credential), withheld)
        self.reload(RENEWED)
        self.assertIs(self.current(), RENEWED)

    def test_refused(self) -> None:
        """One that can't be served changes nothing."""
        self.assertRaises(BadKeyMaterial, self.store.put, replace(PAIR, chain=b""))
        self.assertIs(self.current(), PAIR)
