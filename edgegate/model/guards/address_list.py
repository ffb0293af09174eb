# Compiled: values that hot modules read.
"""Lists of addresses that may enter, or may not."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.model.address_sets import AddressSet
from edgegate.model.guards.guard import Guard, Stage


@dataclass(frozen=True, slots=True)
class AddressList(Guard):
    """
    C{AddressListPolicy}: who is on C{deny} is refused, and where there is C{allow}, everyone else who is not on that.

    @ivar of_peer: Whether it is the address of the connection that counts, whatever trusted proxies say.
    """

    allow: AddressSet | None = None
    deny: AddressSet | None = None
    of_peer: bool = False

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.ADDRESSES
