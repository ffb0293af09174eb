# Hot path: asked of each request where a log has a filter.
"""
Filters of access logs: expressions of CEL (L{edgegate.model.cel}) made into functions, once.

What CEL calls an error, such as an attribute that is not there, and what is no boolean, means that nothing is logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import random
from typing import Any

from edgegate.access_log.attributes import Evaluate, attribute
from edgegate.access_log.cel_values import FUNCTIONS, OPERATORS, EvaluationError, Headers, boolean, of_metadata, text_of
from edgegate.access_log.record import LogRecord
from edgegate.model.cel import (
    Attribute,
    Binary,
    Call,
    Conditional,
    Constant,
    Has,
    Item,
    Node,
    Not,
    found_in_any,
    parse,
)
from edgegate.model.expressions import compiled

Condition = Callable[[LogRecord], bool]


def condition(expression: str) -> Condition:
    """
    Return what tells whether something is logged.

    @raise edgegate.model.cel_tokens.BadExpression: It is no expression.
    """
    evaluate = evaluation(expression)

    def holds(record: LogRecord) -> bool:
        try:
            return evaluate(record) is True
        except EvaluationError:
            return False

    return holds


def evaluation(expression: str) -> Evaluate:
    """
    Return what gives the value of an expression.

    @raise edgegate.model.cel_tokens.BadExpression: It is none.
    """
    return _compiled(parse(expression))


def _compiled(node: Node) -> Evaluate:  # noqa: PLR0911 (a kind of node each)
    if isinstance(node, Constant):
        value = node.value
        return lambda record: value
    if isinstance(node, Attribute):
        return attribute(node)
    if isinstance(node, Item):
        return _item(node)
    if isinstance(node, Has):
        return _has(node)
    if isinstance(node, Not):
        return _not(_compiled(node.what))
    if isinstance(node, Binary):
        return _binary(node)
    if isinstance(node, Conditional):
        return _conditional(node)
    if isinstance(node, Call):
        return _call(node)
    items = [_compiled(each) for each in node.items]
    return lambda record: [each(record) for each in items]


def _not(what: Evaluate) -> Evaluate:
    return lambda record: not boolean(what(record))


def _conditional(node: Conditional) -> Evaluate:
    asked, then, otherwise = _compiled(node.condition), _compiled(node.then), _compiled(node.otherwise)
    return lambda record: then(record) if boolean(asked(record)) else otherwise(record)


def _has(node: Has) -> Evaluate:
    what = _compiled(node.what)

    def there(record: LogRecord) -> Any:
        try:
            what(record)
        except EvaluationError:
            return False
        return True

    return there


def _item(node: Item) -> Evaluate:
    of, key = _compiled(node.of), _compiled(node.key)

    def item(record: LogRecord) -> Any:
        container, wanted = of(record), key(record)
        found: Any = None
        if isinstance(container, Headers):
            found = container.find(wanted)
        elif isinstance(container, Mapping):
            if isinstance(wanted, str) and wanted in container:
                return of_metadata(container[wanted])
        elif isinstance(container, list) and type(wanted) is int and 0 <= wanted < len(container):
            return container[wanted]
        if found is None:
            raise EvaluationError
        return found

    return item


# Operators ------------------------------------------------------------------------------------------------------------


def _binary(node: Binary) -> Evaluate:
    left, right = _compiled(node.left), _compiled(node.right)
    if node.operator == "&&":
        return _forgiving(left, right, False)
    if node.operator == "||":
        return _forgiving(left, right, True)
    operate = OPERATORS[node.operator]
    return lambda record: operate(left(record), right(record))


def _forgiving(left: Evaluate, right: Evaluate, decisive: bool) -> Evaluate:
    """Of two sides one that decides does so, whatever is wrong with the other."""

    def both(record: LogRecord) -> Any:
        try:
            first = boolean(left(record))
        except EvaluationError:
            if boolean(right(record)) is decisive:
                return decisive
            raise
        return decisive if first is decisive else boolean(right(record))

    return both


def _call(node: Call) -> Evaluate:
    if node.function == "sample":
        (share,) = node.arguments
        assert isinstance(share, Constant) and isinstance(share.value, int | float)
        part = share.value / 100
        return lambda record: random() < part
    if node.function == "matches":
        expression = node.arguments[1]
        assert isinstance(expression, Constant)
        return _matches(_compiled(node.arguments[0]), expression.value)
    called = FUNCTIONS[node.function]
    arguments = [_compiled(each) for each in node.arguments]
    return lambda record: called(*[each(record) for each in arguments])


def _matches(what: Evaluate, expression: Any) -> Evaluate:
    """An expression of RE2 that finds something anywhere."""
    pattern = compiled(found_in_any(expression))

    def matches(record: LogRecord) -> Any:
        return pattern.fullmatch(text_of(what(record)).encode()) is not None

    return matches
