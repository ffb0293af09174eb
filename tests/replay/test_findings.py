"""Tests of L{edgegate.replay.findings}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.replay.findings import EXAMPLES, MOST_GROUPS, Example, Finding, Tally, Told, Verdict

SAME, OTHER = Finding(Verdict.SAME), Finding(Verdict.OTHERWISE, Told("a"), Told("b"))


def counted(*found: tuple[Finding | str, int, int]) -> Tally:
    """Return a tally of findings, each with its count and the piece that its examples are from."""
    tally = Tally()
    for finding, count, piece in found:
        group = tally.group(finding)
        group.count += count
        for line in range(count):
            group.show(Example(0, piece, line, f"{piece}/{line}"))
        tally.lines[0, piece] = count
    return tally


class TallyTests(SynchronousTestCase):
    """What is counted."""

    def test_together(self) -> None:
        """What two processes found is added; the examples are the first lines, whoever has read them."""
        first, second = counted((OTHER, 2, 1), ("why", 1, 3)), counted((OTHER, 5, 0), (SAME, 4, 2))
        first.add(second)
        self.assertEqual(first.count(Verdict.OTHERWISE), 7)
        self.assertEqual(first.count(*Verdict), 11)
        ((finding, group),) = first.found(Verdict.OTHERWISE)
        self.assertEqual(finding, OTHER)
        self.assertEqual([each.text for each in group.examples], ["0/0", "0/1", "0/2"])
        self.assertEqual([why for why, _ in first.unread()], ["why"])

    def test_line_numbers(self) -> None:
        """Lines are numbered through the pieces of their log."""
        tally = counted((OTHER, 5, 0), (SAME, 4, 1))
        self.assertEqual(tally.line_number(Example(0, 1, 2, "")), 8)
        self.assertEqual(tally.line_number(Example(1, 0, 0, "")), 1)

    def test_examples(self) -> None:
        """Few are kept, none twice."""
        group = Tally().group(OTHER)
        for line in range(10):
            group.show(Example(0, 0, line, f"{line // 2}"))
        self.assertEqual([each.text for each in group.examples], ["0", "1", "2"][:EXAMPLES])

    def test_order(self) -> None:
        """The largest group comes first."""
        tally = counted((OTHER, 1, 0), (OTHER._replace(new=Told("c")), 2, 1))
        self.assertEqual([finding.new.summary for finding, _ in tally.found(Verdict.OTHERWISE)], ["c", "b"])

    def test_bounded(self) -> None:
        """A log can't make more groups than there is room for; all are counted all the same."""
        tally = Tally()
        for number in range(MOST_GROUPS + 10):
            tally.group(OTHER._replace(old=Told(str(number)))).count += 1
            tally.group(f"why {number}").count += 1
        self.assertLessEqual(len(tally.groups), MOST_GROUPS + 2)
        self.assertEqual(tally.count(Verdict.OTHERWISE), MOST_GROUPS + 10)
        self.assertEqual(sum(group.count for _, group in tally.unread()), MOST_GROUPS + 10)
