"""
Istio's own cases of its analyzers: the same verdicts.

C{cases/NAME.yaml} begins with the codes that its case is about, and the messages that Istio expects: each a code and
the resource that carries it, as often as it is told.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import told

CASES = Path(__file__).parent / "cases"


class CaseTests(SynchronousTestCase):
    """A method is made for each case."""

    maxDiff = None

    def check(self, path: Path) -> None:
        """Compare what is told of a case's codes with what Istio tells."""
        text = path.read_text()
        first, *lines = [line[2:] for line in text.splitlines() if line.startswith("# ")]
        about = first.removeprefix("codes: ").split()
        found = Counter(f"{each.code} {each.resource}" for each in told(text, portable=True) if each.code in about)
        self.assertEqual(found, Counter(lines))


def _add(path: Path) -> None:
    def test(self: CaseTests) -> None:
        self.check(path)

    test.__doc__ = f"Istio's {path.name} gets Istio's messages."
    setattr(CaseTests, f"test_{path.stem.replace('-', '_')}", test)


for _path in sorted(CASES.glob("*.yaml")):
    _add(_path)
