# Compiled: values that hot modules read.
"""Where something is on the network."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from edgegate.model.picklable import Picklable


@dataclass(frozen=True, slots=True, order=True)
class TCPAddress(Picklable):
    """An address to bind or to connect to. C{host} is an IP literal, or for DNS clusters a name."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, order=True)
class UNIXAddress(Picklable):
    """The path of a UNIX stream socket; a leading C{@} means the abstract namespace."""

    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


Address = TCPAddress | UNIXAddress


def client_text(peer: Address) -> bytes:
    """Return a client's address without its port; that of a UNIX socket is C{unknown} (RFC 7239 section 6.2)."""
    return peer.host.encode("ascii") if isinstance(peer, TCPAddress) else b"unknown"


def is_ip_address(text: str) -> bool:
    """Whether a text is an IP address, which stands for itself: no name server is asked for it, nor is it for SNI."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
