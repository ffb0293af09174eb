"""Tests of L{edgegate.model.path_template}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.path_template import is_template, template_fault, template_pattern


class TemplateTests(SynchronousTestCase):
    """Templates of paths."""

    def test_faults(self) -> None:
        """What no template is."""
        for path in ("/a/{*}", "/{**}", "/{*}/{**}", "/a/{**}/b/c", "/{*}/{*}/"):
            self.assertTrue(is_template(path))
            self.assertEqual(template_fault(path), "", path)
        for path in ("{*}", "/{*}a", "/a{**}", "/{a=*}/{*}", "/{}/{*}", "/*/{*}", "/**/{*}", "/{**}/{**}", "/{**}/{*}"):
            self.assertNotEqual(template_fault(path), "", path)
        self.assertFalse(is_template("/a/*"))

    def test_matches(self) -> None:
        """Whole paths are matched."""
        for template, yes, no in (
            ("/foo/{*}", [b"/foo/bar", b"/foo/%2F"], [b"/foo/", b"/foo/bar/", b"/foo/bar/baz", b"/foo", b"x/foo/bar"]),
            ("/foo/{**}", [b"/foo/", b"/foo/a/b"], [b"/foo"]),
            ("/foo/{**}/", [b"/foo/bar/", b"/foo//"], [b"/foo/bar", b"/foo/"]),
            ("/a.b/{*}", [b"/a.b/c"], [b"/axb/c"]),
        ):
            for lenient in (True, False):
                full = template_pattern(template, lenient).fullmatch
                self.assertEqual([path for path in yes if not full(path)], [])
                self.assertEqual([path for path in no if full(path)], [])
        self.assertIsNone(template_pattern("/a/{*}", lenient=False).fullmatch(b"/a/|"))
        self.assertIsNotNone(template_pattern("/a/{*}", lenient=True).fullmatch(b"/a/|\n"))
        self.assertIsNotNone(template_pattern("/a/{**}", lenient=True).fullmatch(b"/a/\n/|"))

    @given(
        some.lists(some.sampled_from(["a", "{*}", "b.c", ""]), max_size=5),
        some.lists(some.sampled_from([b"a", b"", b"b.c", b"~x", b"|"]), max_size=5),
    )
    def test_lenient_matches_more(self, segments: list[str], path: list[bytes]) -> None:
        """What the strict one matches, the lenient one does."""
        template, text = "/" + "/".join(segments), b"/" + b"/".join(path)
        if template_pattern(template, lenient=False).fullmatch(text):
            self.assertIsNotNone(template_pattern(template, lenient=True).fullmatch(text))
