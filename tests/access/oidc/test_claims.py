"""Tests of L{edgegate.access.oidc.claims}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.claims import claim_fields, may_pass
from edgegate.model.guards.jwt import ClaimHeader
from edgegate.model.guards.oidc import AllowedClaim

CLAIMS = {"sub": "ali", "groups": ["a", "b"], "realm_access": {"roles": ["admin"]}, "n": 7, "verified": True, "odd": {}}


class ClaimTests(SynchronousTestCase):
    """What users must be."""

    def test_may_pass(self) -> None:
        """Every claim counts, with one of its values; where nothing is asked, everybody passes."""

        def allowed(*path: str, values: tuple[str, ...]) -> AllowedClaim:
            return AllowedClaim(path, values)

        self.assertTrue(may_pass(CLAIMS, ()))
        for path, values in (
            (("sub",), ("bob", "ali")),
            (("groups",), ("b",)),
            (("realm_access", "roles"), ("admin",)),
        ):
            self.assertTrue(may_pass(CLAIMS, [allowed(*path, values=values)]))
        self.assertTrue(may_pass(CLAIMS, [allowed("n", values=("7",)), allowed("verified", values=("true",))]))
        for path, values in (
            (("sub",), ("Ali",)),
            (("sub",), ("al",)),
            (("groups",), ("a,b",)),
            (("odd",), ("{}",)),
            (("missing",), ("",)),
            (("sub", "x"), ("ali",)),
        ):
            self.assertFalse(may_pass(CLAIMS, [allowed("n", values=("7",)), allowed(*path, values=values)]))

    def test_fields(self) -> None:
        """Backends get texts and numbers as they are, and lists with commas."""
        headers = [ClaimHeader(name.encode(), path) for name, path in (("x-user", ("sub",)), ("x-groups", ("groups",)))]
        self.assertEqual(claim_fields(CLAIMS, headers), [(b"x-user", b"ali"), (b"x-groups", b"a,b")])

    def test_no_field(self) -> None:
        """A claim that could be read as two fields, or a list in which a comma would make two of one, is not told."""
        headers = [ClaimHeader(b"x-a", ("a",))]
        for value in (None, "a\r\nb: c", ["a,b"], ["a", 1], "x" * 9000):
            self.assertEqual(claim_fields({"a": value}, headers), [], value)
