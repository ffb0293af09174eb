"""What conditions ask of a header whose fields are one value, such as C{cookie}."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgegate.analysis.axes import Kept, Numbers, TextAxis
from edgegate.analysis.boxes import NO, YES, Box
from edgegate.analysis.limits import TooMuch
from edgegate.analysis.wire import FIELD, FIELD_VALUE, PLAIN_VALUE, is_value
from edgegate.model.matching import Kind, StringMatch, text_condition

_KEPT = Kept(FIELD, FIELD_VALUE, PLAIN_VALUE, is_value, optional=True)


class JoinedAxes:
    """
    The value of a header, and what its fields satisfy each alone, which counts where conditions must not hold.

    @ivar text: The value as a whole.
    @ivar some: For each condition that must not hold the axis that says whether the value or a part of it satisfies it.
    """

    def __init__(
        self, name: str, conditions: Iterable[StringMatch], without: Iterable[StringMatch], numbers: Numbers
    ) -> None:
        """
        @raise TooMuch: See L{TextAxis}.
        """
        parts = [each for each in dict.fromkeys(without) if each.kind is not Kind.PRESENT]
        self.text = TextAxis(f"header {name}", [*conditions, *parts], _KEPT, numbers)
        self.some = {each: numbers.axis() for each in parts}
        numbers.constraints.extend(self._constraints())

    def _constraints(self) -> Iterator[Box]:
        text = self.text
        for match, number in self.some.items():
            yield {text.number: text.absent, number: YES}
            if match.kind is Kind.REGEX:
                yield {text.expressions[match.value]: YES, number: NO}
            elif text.where(match):
                yield {text.number: text.where(match), number: NO}

    def add(self, box: dict[int, int], match: StringMatch, holds: bool) -> None:
        """Narrow a box to where a condition holds, or must not hold and does not."""
        text = self.text
        if holds:
            text.add(box, match, holds)
            return
        mask = text.full
        if match.kind is Kind.PRESENT:
            mask = text.absent
        else:
            number = self.some[match]
            box[number] = box.get(number, YES | NO) & NO
            if text_condition(match)(b""):
                # to such a condition a header that is not there is empty
                mask = text.present
        box[text.number] = box.get(text.number, text.full) & mask

    def value(self, box: Box) -> bytes | None:
        """
        Return a value of a single field that is in a box; L{None}: there is none in it.

        @raise TooMuch: It is not decided.
        """
        narrow = dict(box)
        for match, number in self.some.items():
            values = box.get(number, YES | NO)
            if values != YES | NO:
                self.text.add(narrow, match, values == YES)
        value = self.text.value(narrow)
        if isinstance(value, dict):
            raise TooMuch(f"several fields of {self.text.what} may be needed")
        return value
