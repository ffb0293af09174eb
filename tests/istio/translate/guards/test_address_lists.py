"""Tests for L{edgegate.istio.translate.guards.address_lists}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.address_list import AddressList
from tests.access.test_address_list import addresses
from tests.istio.translate.compiling import compiled, gateway

GATEWAY = gateway("gw", "80 HTTP a.example")
FILE = b"""\
# those that nobody wants
198.51.100.0/24   # a network
\t2001:db8::/32 ; another one

203.0.113.7\r
"""


class AddressListsTests(SynchronousTestCase):
    """Lists in files."""

    def guard(self, spec: str, **files: bytes) -> AddressList:
        """Compile one policy."""
        document = (
            f"apiVersion: edgegate.io/v1alpha1\nkind: AddressListPolicy\nmetadata: {{name: p}}\nspec: {{{spec}}}\n"
        )
        contents = {f"{name}.txt": content for name, content in files.items()}
        snapshot, self.problems = compiled(GATEWAY + document, files=contents)
        assert snapshot.listeners[0].plain is not None
        (found,) = snapshot.listeners[0].plain.guards
        assert isinstance(found, AddressList)
        return found

    def errors(self) -> list[str]:
        """Return the errors."""
        return [each for each in self.problems if "error" in each]

    def test_lists(self) -> None:
        """Addresses stand in the document and in files."""
        found = self.guard("deny: {addresses: [192.0.2.1], files: [bad.txt]}", bad=FILE)
        wanted = addresses("192.0.2.1", "198.51.100.0/24", "2001:db8::/32", "203.0.113.7")
        self.assertEqual((found.allow, found.deny, found.of_peer), (None, wanted, False))
        self.assertEqual(self.errors(), [])
        self.assertTrue(self.guard("source: Peer, allow: {addresses: [192.0.2.1]}").of_peer)

    def test_wrong(self) -> None:
        """What is no address is told with its place, that of a file with its line; a list never becomes empty by it."""
        self.guard("allow: {addresses: [192.0.2.300]}")
        (told,) = self.errors()
        self.assertIn('expected an IP address or a CIDR such as 192.0.2.0/24, got "192.0.2.300"', told)
        self.guard("allow: {files: [bad.txt, gone.txt]}", bad=b"192.0.2.1\n192.0.2.256\n" + b"root:x:0\n" * 9)
        told, gone = self.errors()
        self.assertIn('no IP address or CIDR: bad.txt:2: "192.0.2.256", bad.txt:3, bad.txt:4', told)
        self.assertNotIn("root", told)
        self.assertIn("and 5 more", told)
        self.assertIn("gone.txt can't be read: No such file", gone)

    def test_nothing_said(self) -> None:
        """A policy without lists, or with a list that says nothing, is an error."""
        for spec, words in (("", "neither allow nor deny"), ("allow: {}", "neither addresses nor files")):
            self.guard(spec)
            self.assertIn(words, self.errors()[0])

    def test_empty_file(self) -> None:
        """A file without an address lets nobody in by allow, and is told."""
        found = self.guard("allow: {files: [bad.txt]}", bad=b"# none\n")
        self.assertEqual(found.allow, addresses())
        self.assertTrue(any("holds no address" in each for each in self.problems), self.problems)
