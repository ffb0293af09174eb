"""The socket by which a service manager is told how its service is (sd_notify(3))."""

from __future__ import annotations

import socket


class NotifySocket:
    """Tells what listens on it. Who does not listen is no matter: nothing that is served depends on it."""

    def __init__(self, address: str) -> None:
        """
        @param address: The path of a UNIX socket, or an abstract name behind C{@}: C{$NOTIFY_SOCKET}.
        """
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def tell(self, *assignments: str) -> bool:
        """
        Tell some variables, C{NAME=value}, at once; return whether they were taken.
        """
        try:
            self._socket.sendto("\n".join(assignments).encode(), self._address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close it."""
        self._socket.close()
