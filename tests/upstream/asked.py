"""Endpoints whose answers to probes are the test's."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from edgegate.model.addresses import Address
from edgegate.model.clusters import Probe


class FakeAsk:
    """
    Asks nobody.

    @ivar questions: The questions that are not answered yet, by whom is asked.
    @ivar asked: How many there were.
    """

    def __init__(self) -> None:
        self.questions: dict[str, Deferred[None]] = {}
        self.asked = 0
        self.cancelled = 0

    def __call__(self, address: Address, probe: Probe) -> Deferred[None]:
        self.asked += 1

        def cancel(_: Deferred[None]) -> None:
            self.cancelled += 1
            self.questions.pop(str(address), None)

        question = self.questions[str(address)] = Deferred(cancel)
        return question

    def well(self, address: object) -> None:
        """Somebody answers well."""
        self.questions.pop(str(address)).callback(None)

    def unwell(self, address: object) -> None:
        """Somebody answers badly."""
        self.questions.pop(str(address)).errback(OSError("it is on fire"))
