"""Where the admin listener is: C{--admin}, and how its answers say whose they are."""

from __future__ import annotations

from ipaddress import ip_address

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress

DEFAULT = "127.0.0.1:15000"
"""Envoy's and Istio's port."""

PID, CONFIG = b"edgegate-pid", b"edgegate-config"
"""Headers of each answer that say whose it is: the gateway's process, and the path of its files, percent-encoded."""


def parse_admin_address(text: str) -> Address | None:
    """
    Read HOST:PORT, the path of a UNIX socket (absolute, or behind C{unix:}), or C{none}.

    @raise ValueError: It is something else.
    """
    if text == "none":
        return None
    if text.startswith(("/", "unix:")):
        path = text.removeprefix("unix:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path.startswith("/"):
            raise ValueError(f"expected an absolute path behind unix:, got {text!r}")
        return UNIXAddress(path)
    host, colon, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        host = str(ip_address(host))
    except ValueError:
        colon = ""
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError(
            f"expected HOST:PORT such as {DEFAULT}, the absolute path of a UNIX socket, or none; got {text!r}"
        )
    return TCPAddress(host, int(port))
