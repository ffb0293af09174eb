"""Tests of L{edgegate.tls.choice}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.choice import choice, names_of
from edgegate.tls.secrets import BadKeyMaterial
from tests.tls.handshakes import AUTHORITY, RSA_KEY, RSA_SERVER, SERVER, pair, server_tls


class ChoiceTests(SynchronousTestCase):
    """What a server shows to whom."""

    def test_one_of_each_kind(self) -> None:
        """One certificate of each kind is all that OpenSSL needs: there is nothing to choose."""
        for tls in (server_tls(), server_tls(SERVER, RSA_SERVER)):
            found = choice(tls)
            self.assertEqual((found.usual, dict(found.named)), (tls, {}))

    def test_only_one(self) -> None:
        """The only certificate is shown to all, and not read here: with each reload that would take its time."""
        unread = type(pair(SERVER))("shop.crt", b"", b"")
        tls = type(server_tls())((unread,))
        self.assertEqual(choice(tls).usual, tls)

    def test_kinds_that_bear_a_name(self) -> None:
        """A name that certificates of two kinds bear has both, one that one bears has that alone."""
        first, second = AUTHORITY.server(["a.example"]), AUTHORITY.server(["b.example", "*.c.example"])
        rsa = AUTHORITY.server(["b.example"], key=RSA_KEY)
        tls = server_tls(first, second, rsa)
        found = choice(tls)
        self.assertEqual(found.usual.certificates, (pair(first), pair(rsa)))
        self.assertEqual(
            {name: each.certificates for name, each in found.named.items()},
            {
                "a.example": (pair(first),),
                "b.example": (pair(second), pair(rsa)),
                "*.c.example": (pair(second),),
            },
        )
        self.assertEqual(len(list(found.all())), 4)

    def test_kinds_for_different_names(self) -> None:
        """Where each of two kinds is for names of its own, a client is shown the one that it asks for."""
        first, rsa = AUTHORITY.server(["a.example"]), AUTHORITY.server(["b.example"], key=RSA_KEY)
        found = choice(server_tls(first, rsa))
        self.assertEqual(found.usual.certificates, (pair(first), pair(rsa)))
        self.assertEqual(
            {name: each.certificates for name, each in found.named.items()},
            {"a.example": (pair(first),), "b.example": (pair(rsa),)},
        )

    def test_names(self) -> None:
        """Names are lower case; those of addresses are as in hosts."""
        self.assertEqual(list(names_of(pair(AUTHORITY.server(["A.example"])))), ["a.example"])

    def test_useless(self) -> None:
        """A key that is another certificate's is told by the name that the user gave it."""
        broken = type(pair(SERVER))("shop.crt", SERVER.chain_pem, RSA_SERVER.key_pem)
        tls = type(server_tls())((pair(SERVER), broken))
        error = self.assertRaises(BadKeyMaterial, choice, tls)
        self.assertIn("shop.crt: the private key does not belong", str(error))
