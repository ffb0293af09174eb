"""Lines of text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import Escapes
from edgegate.replay.formats.raw_quotes import RawQuotesReader
from edgegate.replay.formats.reading import NO_LINE, UNSURE, LineReader, Values
from edgegate.replay.formats.templates import Template, TemplateReader


@dataclass(frozen=True, slots=True)
class TextLines:
    """
    A format of text.

    @ivar raw_quotes: Whether clients may have put quotes into it that are not escaped, and it is Istio's or Envoy's
        default.
    """

    name: str
    template: Template
    raw_quotes: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """What its lines say."""
        return self.template.columns

    @property
    def escapes(self) -> Escapes:
        """How what clients sent is written."""
        return self.template.escapes

    def reader(self, wanted: Collection[str]) -> LineReader:
        """Return what reads these columns of its lines."""
        reader = TemplateReader(self.template, wanted)
        return _RawReader(reader, columns.CLUSTER in self.columns) if self.raw_quotes else reader


class _RawReader:
    """
    Reads what it can as other lines, and the rest from both ends.

    @ivar columns: What of each line is returned.
    """

    def __init__(self, reader: TemplateReader, istio: bool) -> None:
        self.columns = reader.columns
        self._reader = reader
        self._raw = RawQuotesReader(reader.columns, istio)

    def read(self, line: bytes) -> Values | str:
        """Return the values of the columns, or why there are none."""
        values = self._reader.read(line)
        if values != NO_LINE:
            return values
        found = self._raw.read(line)
        if found is None:
            return NO_LINE
        values, unsure = found
        return UNSURE if unsure else values
