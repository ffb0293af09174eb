# Hot path: asked for each new connection on a port where lists of addresses stand.
"""
Who is told to go before anything is done for it: by its address, where the lists of a port or of a server hold for all
that could be asked for over the connection.
"""

from __future__ import annotations

from edgegate.access.address_list import AddressListDecider
from edgegate.model.addresses import Address, client_text
from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.guard import Guard, Guards


class AddressLists:
    """Decides by guards that stand on a listener or on a filter chain as a whole."""

    __slots__ = ("_kept", "_trusts")

    def __init__(self, trusted_hops: int = 0) -> None:
        """
        @param trusted_hops: How many proxies in front say who the client is: where there are some, what a list says of
            the client can only be told for a request.
        """
        self._trusts = trusted_hops > 0
        # guards are known by the identity of their tuple, which is its own as long as it is kept here
        self._kept: dict[int, tuple[Guards, tuple[AddressListDecider, ...]]] = {}

    def refusal(self, guards: Guards, peer: Address, relayed: bool = False) -> str:
        """
        Return why a connection is told to go, in a short phrase; empty: it is not.

        @param relayed: Whether no requests come over it, so that nobody says another address than the connection's.
        """
        found = self._kept.get(id(guards))
        if found is None:
            if len(self._kept) > _MOST:
                self._kept.clear()
            found = self._kept[id(guards)] = guards, tuple(AddressListDecider(each) for each in _lists(guards))
        address = client_text(peer)
        for decider in found[1]:
            if (relayed or not self._trusts or decider.list.of_peer) and not decider.admits(address):
                return f"address_list_denied[{decider.list.name}]"
        return ""

    def forget(self) -> None:
        """The files have changed."""
        self._kept.clear()


_MOST = 1024


def _lists(guards: Guards) -> list[AddressList]:
    found: list[AddressList] = []
    guard: Guard
    for guard in guards:
        if isinstance(guard, AddressList):
            found.append(guard)
    return found
