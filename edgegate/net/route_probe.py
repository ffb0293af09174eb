"""Whether an address can be reached at all."""

from __future__ import annotations

import socket


def has_route(host: str) -> bool:
    """
    Whether the kernel knows a way to an IP address (as RFC 6724 section 6 asks, rule 1).

    Nothing is sent: connecting a datagram socket only looks the way up.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
    except OSError:
        return False
    return True
