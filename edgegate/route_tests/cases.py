"""Cases: each is one request, and what is expected of its answer."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.explain.question import Question
from edgegate.route_tests.check import Check
from edgegate.route_tests.placement import Unplaced


@dataclass(frozen=True, slots=True)
class Case:
    """
    A request, and what is expected of its answer.

    @ivar name: Of the test, with C{[n]} behind it where the test has several requests.
    @ivar request: As people write it: C{GET https://shop.example.com/cart}.
    @ivar file: As the user named it.
    @ivar line: Of the request, or of the test where it has one alone.
    """

    name: str
    request: str
    file: str
    line: int
    question: Question | Unplaced
    checks: tuple[Check, ...]
