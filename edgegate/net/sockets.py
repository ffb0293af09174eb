"""The type of a socket, for those above C{net} who own one and hand it on without touching it."""

from socket import socket as Socket  # noqa: N812

__all__ = ["Socket"]
