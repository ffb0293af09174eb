"""Refuses requests by their client's address."""

from __future__ import annotations

from edgegate.access.address_list import AddressListDecider
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.gates import AddressListGate
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.model.guards.address_list import AddressList


class AddressListFilter(HTTPFilter):
    """Lets those pass whose address may enter."""

    __slots__ = ("_decider", "_guard", "_refusal", "gate")

    name = "address_list"

    def __init__(self, guard: AddressList, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self._decider = AddressListDecider(guard)
        self._refusal = address_list_refusal(guard)
        self.gate = AddressListGate(self._decider)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        if self._decider.admits(judged_address(self._guard, exchange)):
            return FilterStatus.CONTINUE
        return refuse(exchange, self._guard, self._refusal)


def judged_address(guard: AddressList, exchange: Exchange) -> bytes:
    """Return the address that counts."""
    return exchange.client.address if guard.of_peer else exchange.client_address


def address_list_refusal(guard: AddressList) -> Refusal:
    """Return what those get who may not enter."""
    return Refusal(403, b"access denied", f"address_list_denied[{guard.name}]")
