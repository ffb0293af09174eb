"""Claims, as routes ask for them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.claims import claim_at, claim_name, claim_path, claims_of, texts_of


class ClaimTests(SynchronousTestCase):
    """How claims are found."""

    def test_names(self) -> None:
        """One claim has one name, however it is written; its own letters keep their case."""
        for said, path in (
            ("@request.auth.claims.sub", ("sub",)),
            ("@Request.Auth.Claims.Sub", ("Sub",)),
            ("@request.auth.claims.a.b", ("a", "b")),
            ("@request.auth.claims[a][b]", ("a", "b")),
            ("@request.auth.claims[https://a.example/role]", ("https://a.example/role",)),
            ("@request.auth.claims[größe]", ("größe",)),
        ):
            name = claim_name(said)
            self.assertEqual(claim_path(name), path)
            self.assertEqual(claim_name(name) if name.isascii() else name, name)
            name.encode("latin-1")
        self.assertEqual(claim_name("@request.auth.claims.a.b"), claim_name("@REQUEST.auth.claims[a][b]"))

    def test_nested(self) -> None:
        """A path leads through objects, and through nothing else."""
        claims = {"a": {"b": {"c": 1}}, "d": [{"e": 1}], "f": None}
        for path, expected in (
            (("a", "b", "c"), 1),
            (("a", "b"), {"c": 1}),
            (("a", "x"), None),
            (("a", "b", "c", "d"), None),
            (("d", "e"), None),
            (("f",), None),
        ):
            self.assertEqual(claim_at(claims, path), expected, path)

    def test_texts(self) -> None:
        """Texts can be compared, and those in lists."""
        for claim, expected in (
            ("a", ["a"]),
            (["a", 1, "b", ["c"]], ["a", "b"]),
            (5, []),
            (True, []),
            ({"a": 1}, []),
            (None, []),
        ):
            self.assertEqual(list(texts_of(claim)), expected)

    def test_made_up(self) -> None:
        """Claims can be made up by their names."""
        fields = [(b"@request.auth.claims[a][b]", b"1"), (b"@request.auth.claims[a][b]", b"2")]
        found = claims_of([*fields, (b"@request.auth.claims[sub]", b"x")])
        self.assertEqual(found, {"a": {"b": ["1", "2"]}, "sub": ["x"]})
