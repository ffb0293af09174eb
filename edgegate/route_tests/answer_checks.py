"""Checks of what a client is answered."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.route_tests.check import Check, Found, field_of
from edgegate.route_tests.outcome import BACKEND, Outcome


def status(key: str, wanted: int) -> Iterator[Check]:
    """The status that the gateway answers with."""

    def look(outcome: Outcome) -> Found:
        there = outcome.status
        if there is None:
            return Found(False, f"no answer: {outcome.ending}")
        return Found(there == wanted, _status_shown(there) if there == BACKEND else f"{there}: {outcome.reason}")

    yield Check(key, _status_shown(wanted), look)


def _status_shown(status: int) -> str:
    return "the backend's" if status == BACKEND else str(status)


def body(key: str, wanted: str) -> Iterator[Check]:
    """The body of the gateway's own answer."""

    def look(outcome: Outcome) -> Found:
        there = outcome.body
        return Found(there == wanted, f"none of the gateway's: {outcome.ending}" if there is None else repr(there))

    yield Check(key, repr(wanted), look)


def misdirected(key: str, wanted: bool) -> Iterator[Check]:
    """Whether the answer is 421."""

    def look(outcome: Outcome) -> Found:
        there = outcome.misdirected
        return Found(there is wanted, "421" if there else outcome.ending)

    yield Check(key, "421" if wanted else "not 421", look)


def tls(key: str, wanted: str) -> Iterator[Check]:
    """Whether TLS was refused."""
    if wanted not in ("refused", "accepted"):
        raise ValueError("it is either refused or accepted")

    def look(outcome: Outcome) -> Found:
        there = outcome.tls
        return Found(there == wanted, f"{there or 'no TLS'}: {outcome.ending}")

    yield Check(key, wanted, look)


def policy(key: str, wanted: str) -> Iterator[Check]:
    """Whether a policy refuses it, and which."""

    def look(outcome: Outcome) -> Found:
        there = outcome.denied_by
        if wanted == "allowed":
            return Found(not there, f"denied by {there}")
        if wanted == "denied":
            return Found(bool(there), f"allowed: {outcome.ending}")
        kind, _, name = there.rpartition(" ")
        called = (there, name, name.rpartition("/")[2]) if kind else ()
        return Found(wanted in called, f"denied by {there}" if there else f"allowed: {outcome.ending}")

    yield Check(key, wanted, look)


def answer(key: str, wanted: dict[str, str]) -> Iterator[Check]:
    """Headers of the response."""
    for name, value in wanted.items():

        def look(outcome: Outcome, name: str = name, value: str = value) -> Found:
            there = field_of(outcome.response_fields, name)
            return Found(there == value, f"not there: {outcome.ending}" if there is None else there)

        yield Check(f"{key}.{name}", value, look)


def location(outcome: Outcome) -> str:
    """Return where the gateway's answer leads to, or nothing."""
    answer = outcome.effects.answer
    return "" if answer is None else field_of(answer.fields, "location") or ""
