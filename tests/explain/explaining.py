"""Documents as text, and what becomes of questions by them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

from edgegate.explain.decision import Decider, Decision
from edgegate.explain.effects import Effects, EffectsFinder
from edgegate.explain.question import Question, question_of
from edgegate.istio.translate import CompileOptions
from edgegate.model.clusters import Endpoints
from edgegate.model.notes import Notes
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import Files, decoded


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Count the calls of functions of Python, by their names."""
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, value: object) -> None:
        if event == "call":
            calls[frame.f_code.co_name] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


@dataclass
class Explained:
    """A folder of one file, compiled with notes."""

    snapshot: Snapshot
    endpoints: Endpoints
    notes: Notes

    @classmethod
    def of(cls, text: str) -> Explained:
        """Compile; there must be no errors."""
        resources, problems = decoded(text)
        notes = Notes()
        compiled = compile_resources(resources, CompileOptions(read_file=Files({}), notes=notes), problems)
        assert not problems.errors, [str(each) for each in problems]
        return cls(compiled.snapshot, compiled.endpoints, notes)

    def decide(self, method: str, url: str, *headers: tuple[bytes, bytes], **more: object) -> Decision:
        """Decide a question."""
        question: Question = replace(question_of(method, url, headers), **more)  # type: ignore[arg-type]
        return Decider(self.snapshot).decide(question)

    def effects(self, method: str, url: str, *headers: tuple[bytes, bytes], **more: object) -> Effects:
        """Return what follows."""
        return self.finder().of(self.decide(method, url, *headers, **more))

    def finder(self) -> EffectsFinder:
        """Return what finds what follows."""
        return EffectsFinder(self.decider(), self.endpoints)

    def decider(self) -> Decider:
        """Return what decides questions."""
        return Decider(self.snapshot)
