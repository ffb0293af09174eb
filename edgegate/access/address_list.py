# Hot path: each request meets it where there are lists of addresses.
"""Whether an address may enter by a list."""

from __future__ import annotations

from typing import Final

from edgegate.access.numbers import number_of
from edgegate.model.guards.address_list import AddressList

KEPT: Final = 4096
"""Addresses of which the last verdict is known."""


class AddressListDecider:
    """
    Decides by one list, and knows what it has decided of late: one client sends many requests.

    @ivar list: By which it does.
    """

    __slots__ = ("_known", "list")

    def __init__(self, list_: AddressList) -> None:
        self.list = list_
        self._known: dict[bytes, bool] = {}

    def admits(self, address: bytes) -> bool:
        """
        Whether an address may enter.

        @param address: In its text form; what is none, as that of a UNIX socket, is on no list.
        """
        known = self._known
        found = known.get(address)
        if found is None:
            if len(known) >= KEPT:
                known.clear()
            found = known[address] = admits(self.list, address)
        return found


def admits(list_: AddressList, address: bytes) -> bool:
    """Whether an address may enter by a list; see L{AddressListDecider.admits}."""
    version, number = number_of(address.decode("ascii", "replace"))
    if not version:
        return list_.allow is None
    if list_.deny is not None and list_.deny.holds(number, version):
        return False
    return list_.allow is None or list_.allow.holds(number, version)
