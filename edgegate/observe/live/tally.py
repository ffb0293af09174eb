# Hot path: told of each request, while somebody looks.
"""Requests and relays that ended within some seconds, added up."""

from __future__ import annotations

from typing import Final

from edgegate.errors import NO_ROUTE, Fault, Source
from edgegate.observe.live.latencies import slot_of

CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500

Told = tuple[int, int, int, dict[str, int], dict[int, int], dict[int, int], int, int, int]
"""
The numbers of a L{Tally}: requests, failures, those of clients, flags, slots of both times, relays, and the bytes that
relays have carried from clients and to them.
"""


def is_failure(status: int, fault: Fault | None) -> bool:
    """
    Whether a request came to nothing for the backend's or the gateway's fault, be it after the response's head.

    A route that there is not is no such fault, and neither is whatever a client does.

    @param status: 0: there was no response.
    """
    if status >= SERVER_ERROR:
        return True
    if fault is None or fault.source is Source.DOWNSTREAM or fault is NO_ROUTE:
        return False
    return not CLIENT_ERROR <= status < SERVER_ERROR


def is_client_failure(status: int, fault: Fault | None) -> bool:
    """Whether it is the client's: a status from 400 to 499, or that it left."""
    if CLIENT_ERROR <= status < SERVER_ERROR:
        return True
    return fault is not None and fault.source is Source.DOWNSTREAM


class Tally:
    """
    Numbers of requests and relays that have something in common.

    @ivar failures: Of both; see L{is_failure}; C{client_failures} likewise.
    @ivar flags: How many had each response flag.
    @ivar slots: How long they took, by the slots of L{edgegate.observe.live.latencies}.
    @ivar backend_slots: How long their backends took to begin a response.
    @ivar relays: That ended.
    @ivar received: Bytes that relays, those under way too, have carried from clients; C{sent} likewise to them.
    """

    __slots__ = (
        "backend_slots",
        "client_failures",
        "failures",
        "flags",
        "received",
        "relays",
        "requests",
        "sent",
        "slots",
    )

    def __init__(self) -> None:
        self.requests = self.failures = self.client_failures = 0
        self.flags: dict[str, int] = {}
        self.slots: dict[int, int] = {}
        self.backend_slots: dict[int, int] = {}
        self.relays = self.received = self.sent = 0

    def count(self, microseconds: int, backend_milliseconds: int, status: int, fault: Fault | None) -> None:
        """
        Count a request.

        @param microseconds: How long it took; negative: that is no matter.
        @param backend_milliseconds: Until its backend's response began; negative: none did.
        """
        self.requests += 1
        if microseconds >= 0:
            slot = slot_of(microseconds)
            self.slots[slot] = self.slots.get(slot, 0) + 1
        if backend_milliseconds >= 0:
            slot = slot_of(backend_milliseconds * 1000)
            self.backend_slots[slot] = self.backend_slots.get(slot, 0) + 1
        if status >= CLIENT_ERROR or fault is not None:
            if is_failure(status, fault):
                self.failures += 1
            elif is_client_failure(status, fault):
                self.client_failures += 1

    def count_relay(self, fault: Fault | None) -> None:
        """Count a relay that ended."""
        self.relays += 1
        if is_failure(0, fault):
            self.failures += 1
        elif is_client_failure(0, fault):
            self.client_failures += 1

    def count_bytes(self, received: int, sent: int) -> None:
        """Count what a relay has carried."""
        self.received += received
        self.sent += sent

    def count_flags(self, flags: list[str]) -> None:
        """Count the response flags of a request or a relay."""
        for flag in flags:
            self.flags[flag] = self.flags.get(flag, 0) + 1

    def add(self, other: Tally) -> None:
        """Add the numbers of another one."""
        self.add_told(other.told())

    def told(self) -> Told:
        """Return its numbers as another process is told them."""
        return (
            self.requests,
            self.failures,
            self.client_failures,
            self.flags,
            self.slots,
            self.backend_slots,
            self.relays,
            self.received,
            self.sent,
        )

    def add_told(self, told: Told) -> None:
        """Add what another process has told."""
        requests, failures, client_failures, flags, slots, backend_slots, relays, received, sent = told
        self.requests += requests
        self.failures += failures
        self.client_failures += client_failures
        _add(self.flags, flags)
        _add_slots(self.slots, slots)
        _add_slots(self.backend_slots, backend_slots)
        self.relays += relays
        self.received += received
        self.sent += sent


def _add(own: dict[str, int], others: dict[str, int]) -> None:
    for name, number in others.items():
        own[name] = own.get(name, 0) + number


def _add_slots(own: dict[int, int], others: dict[int, int]) -> None:
    for slot, number in others.items():
        own[slot] = own.get(slot, 0) + number
