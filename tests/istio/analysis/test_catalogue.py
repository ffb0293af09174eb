"""
Tests of L{edgegate.istio.analysis.catalogue}: each code's example is told of with that code, and once mended it is not.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.analysis.catalogue import catalogue, explanations
from edgegate.model import codes
from tests.cli.checking import check
from tests.istio.analysis.telling import told

ELSEWHERE = {
    codes.FILE_NOT_READ,
    codes.NO_PORT_OPENED,
    codes.CERTIFICATE_NOT_FOR_HOST,
    codes.CERTIFICATE_TIME,
    codes.CONDITIONS_EXCLUDE_EACH_OTHER,
}
"""Codes of which no text alone is an example: tests of what tells of them have one."""

BY_THE_COMMAND = {codes.UNREADABLE_FILE, codes.UNUSED_SUPPRESSION, codes.REDIRECT_LOOP}


class CatalogueTests(SynchronousTestCase):
    """A method is made for each example."""

    def told(self, text: str, code: str, options: tuple[str, ...]) -> set[str]:
        """Return the codes that are told of documents; by the command where it takes part."""
        text = catalogue().documents(text)
        if not options and code not in BY_THE_COMMAND:
            return {problem.code for problem in told(text)}
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "shop.yaml").write_text(text)
        return {problem["code"] for problem in check(folder, *options)}

    def test_codes(self) -> None:
        """Every code that is told of somewhere is explained, and no other."""
        known = {value for name, value in vars(codes).items() if name.isupper()}
        self.assertEqual(set(explanations()), known)
        names = [each.name for each in explanations().values()]
        self.assertEqual(sorted(names), sorted(set(names)))

    def test_texts(self) -> None:
        """Each has all that a reader needs; those without an example are those that can't have one."""
        without = {code for code, each in explanations().items() if not each.example}
        self.assertEqual({code for code in without if not explanations()[code].without_example}, set())
        self.assertEqual(without, ELSEWHERE)
        for each in explanations().values():
            self.assertIn(each.level, ("error", "warning", "info"))
            self.assertTrue(each.says.endswith(".") and each.mend.endswith("."), each.name)

    def check(self, code: str) -> None:
        """Check an example and its mend."""
        explanation = explanations()[code]
        self.assertIn(code, self.told(explanation.example, code, explanation.options))
        if explanation.instead:
            for old, _ in explanation.instead:
                self.assertIn(old, explanation.example)
            self.assertNotIn(code, self.told(explanation.mended, code, explanation.options))


def _add(code: str) -> None:
    def test(self: CatalogueTests) -> None:
        self.check(code)

    test.__doc__ = f"The example of {code} is told of, and once mended it is not."
    setattr(CatalogueTests, f"test_{code.lower()}", test)


for _code, _explanation in explanations().items():
    if _explanation.example:
        _add(_code)
