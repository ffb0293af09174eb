# Hot path: asked of each request where files give metrics further labels.
"""
The values of labels that C{Telemetry.metrics} gives to the metrics of requests, by expressions of CEL.

Clients can make such values: of each expression so many are told apart, and all others are one.
"""

from __future__ import annotations

from time import monotonic
from typing import Final

from edgegate.access_log.attributes import Evaluate
from edgegate.access_log.cel_values import EvaluationError
from edgegate.access_log.conditions import evaluation
from edgegate.access_log.record import LogRecord
from edgegate.model.metrics import DeclaredMetrics
from edgegate.observe.events import Ended
from edgegate.observe.metrics.label_bounds import OTHER, UNKNOWN

MOST_VALUES: Final = 100
"""Values of an expression that are told apart, in a process."""

LONGEST: Final = 128
"""Characters of a value."""


class MetricTags:
    """
    Says of each request what its labels are.

    @ivar expressions: What is asked.
    """

    __slots__ = ("_asked", "expressions")

    def __init__(self, expressions: tuple[str, ...]) -> None:
        """
        @raise edgegate.model.cel_tokens.BadExpression: One is none.
        """
        self.expressions: Final = expressions
        self._asked: list[tuple[str, Evaluate, set[str]]] = [(each, evaluation(each), set()) for each in expressions]

    def of(self, exchange: Ended) -> tuple[str, ...]:
        """Return expressions and values by turns, for a request that has ended."""
        record = LogRecord(exchange, monotonic(), 0.0)
        found: list[str] = []
        for expression, evaluate, seen in self._asked:
            value = _text(evaluate, record)
            if value not in seen and value != UNKNOWN:
                if len(seen) < MOST_VALUES:
                    seen.add(value)
                else:
                    value = OTHER
            found.append(expression)
            found.append(value)
        return tuple(found)


def metric_tags(declared: DeclaredMetrics | None, before: MetricTags | None) -> MetricTags | None:
    """
    Return what says which labels requests have; L{None}: they have none of their own.

    @param before: What has said so: it goes on, with the values that it tells apart, where the same is asked.
    """
    expressions = () if declared is None else declared.expressions
    if not expressions:
        return None
    return before if before is not None and before.expressions == expressions else MetricTags(expressions)


def _text(evaluate: Evaluate, record: LogRecord) -> str:
    """Return a value as text; what CEL calls an error, and what is no scalar, is not known, as in Istio."""
    try:
        value = evaluate(record)
    except (EvaluationError, RecursionError):
        return UNKNOWN
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        # what no UTF-8 can say must not break the page
        return value[:LONGEST].encode("utf-8", "backslashreplace").decode("utf-8")
    return str(value)[:LONGEST] if isinstance(value, int | float) else UNKNOWN
