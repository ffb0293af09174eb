"""Why a request went where it went: what C{edgegate explain} tells of it, for those that went another way."""

from __future__ import annotations

from collections.abc import Callable

from edgegate.explain.explanation import Explainer
from edgegate.explain.tree import lines, tree
from edgegate.route_tests.running import Result

Story = Callable[[Result], list[str]]
"""Returns the lines of a story."""


def story_of(explainer: Explainer) -> Story:
    """Return what tells the story of a case."""

    def tell(result: Result) -> list[str]:
        found = explainer.explain(result.outcome.decision.question)
        return [
            f"{before}{node.text}" + ("" if node.origin is None else f"  {node.origin}")
            for before, node in lines(tree(found))
        ]

    return tell


def no_story(result: Result) -> list[str]:
    """Tell nothing: a L{Story}."""
    return []
