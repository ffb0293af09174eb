"""Documents as text to the two sides of a comparison."""

from __future__ import annotations

from functools import lru_cache

from edgegate.config.problems import Severity
from edgegate.diff.comparison import compare
from edgegate.diff.findings import Change, Findings
from edgegate.diff.report import title
from edgegate.diff.sides import Side
from edgegate.istio.translate import CompileOptions
from edgegate.sources.compilation import compile_resources
from edgegate.tls.secret_store import Secrets
from tests.istio.translate.compiling import Collected, decoded


@lru_cache(maxsize=8)
def side(text: str, name: str = "in.yaml") -> Side:
    """Compile documents, in which nothing may be wrong."""
    resources, problems = decoded(text)
    collected = Collected()
    options = CompileOptions(inspect=collected.servers, inspect_upstream=collected.upstream)
    found = compile_resources(resources, options, problems)
    errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        raise ValueError("\n".join(errors))
    return Side(name, found.snapshot, found.endpoints, Secrets(collected.pairs.values()))


def compared(old: str, new: str) -> Findings:
    """Compare documents."""
    return compare(side(old), side(new))


def told(change: Change) -> str:
    """Return a change in a line."""
    first = change.first
    fields = "; ".join(str(each) for each in first.fields if (each.old, each.new) != (first.old, first.new))
    names = change.hosts or [each.place for each in change.differences]
    parts = (first.section.value, title(change), fields, ", ".join(names))
    return " | ".join(part for part in parts if part)
