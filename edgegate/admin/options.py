"""What the admin listener is told by the command line."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from edgegate.model.addresses import Address, TCPAddress


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """
    What there is of it.

    @ivar token_file: The path of the file with the token that is asked for; L{None}: none is.
    @ivar may_quit: Whether the gateway can be told to end at once.
    @ivar redacted: Names of headers, in lower case, that a tap does not show the values of, besides the usual ones.
    @ivar keeps_requests: Whether the gateway keeps the last requests.
    """

    token_file: str | None = None
    may_quit: bool = False
    redacted: frozenset[bytes] = frozenset()
    keeps_requests: bool = False


def beyond_loopback(address: Address | None) -> bool:
    """Return whether other machines may reach an address."""
    return isinstance(address, TCPAddress) and not ip_address(address.host).is_loopback
