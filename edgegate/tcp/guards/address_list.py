"""Refuses connections by their client's address."""

from __future__ import annotations

from dataclasses import replace

from edgegate.access.address_list import AddressListDecider
from edgegate.errors import CONNECTION_DENIED, Fault
from edgegate.model.addresses import client_text
from edgegate.model.guards.address_list import AddressList
from edgegate.net.addresses import ConnectionInfo
from edgegate.tcp.guards.interfaces import ConnectionEnvironment, ConnectionFilter, Decided


class AddressListConnectionFilter(ConnectionFilter):
    """Lets those pass whose address may enter. Of a connection no proxy says another one, but by a PROXY header."""

    __slots__ = ("_decider", "_fault")

    name = "address_list"

    def __init__(self, guard: AddressList, environment: ConnectionEnvironment) -> None:
        self._decider = AddressListDecider(guard)
        self._fault = replace(CONNECTION_DENIED, details=f"address_list_denied[{guard.name}]")

    def judge(self, connection: ConnectionInfo, decided: Decided) -> Fault | None:
        """See L{ConnectionFilter.judge}."""
        return None if self._decider.admits(client_text(connection.peer)) else self._fault
