"""What is compared of an answer: the checks of each key of C{expect}."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from edgegate.config.document import Path
from edgegate.route_tests import answer_checks, destination_checks, request_checks
from edgegate.route_tests.check import Check, text
from edgegate.route_tests.kinds import Expectation, Expected


class BadExpectation(ValueError):
    """
    An expectation says what can't be.

    @ivar path: Of the key within C{expect}.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def checks_of(expected: Expected) -> tuple[Check, ...]:
    """
    Return what is to be compared.

    @raise BadExpectation: A value is none that could be there.
    """
    checks = list(_checks(expected, ()))
    if expected.none_of is not None:
        for each in _checks(expected.none_of, ("not",)):
            checks.append(replace(each, key=f"not.{each.key}", negative=True))
    return tuple(checks)


def _checks(expected: Expectation, path: Path) -> Iterator[Check]:
    for key, make in _KEYS.items():
        wanted = getattr(expected, key)
        if wanted is None:
            continue
        try:
            yield from make(key, wanted)
        except ValueError as error:
            raise BadExpectation((*path, key), str(error)) from None


_KEYS: dict[str, Callable[[str, Any], Iterator[Check]]] = {
    "route": text(lambda outcome: outcome.route_name, "no route"),
    "at": destination_checks.at,
    "domain": text(lambda outcome: outcome.domain, "no virtual host"),
    "to": destination_checks.to,
    "share": destination_checks.share,
    "mirrors": destination_checks.mirrors,
    "path": request_checks.of_sent(request_checks.path, ""),
    "authority": request_checks.of_sent(lambda sent, _: sent.authority.decode("latin-1"), ""),
    "sets": request_checks.sets,
    "removes": request_checks.removes,
    "timeout": request_checks.timeout,
    "retries": request_checks.retries,
    "delay": request_checks.delay,
    "abort": request_checks.abort,
    "status": answer_checks.status,
    "flag": text(lambda outcome: outcome.flag, "no flag"),
    "location": text(answer_checks.location, "no location"),
    "body": answer_checks.body,
    "answer": answer_checks.answer,
    "misdirected": answer_checks.misdirected,
    "tls": answer_checks.tls,
    "policy": answer_checks.policy,
}
"""What makes the checks of each key of C{expect}, by the key; in the order in which a miss is told."""
