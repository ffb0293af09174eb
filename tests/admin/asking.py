"""A client of the admin listener, without sockets."""

from __future__ import annotations

from twisted.internet.testing import StringTransport

from edgegate.admin.site import AdminSite


class Answer:
    """What came back."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        self.status = int(line.split()[1]) if line else 0
        self.fields = {name.lower(): value for name, _, value in (field.partition(b": ") for field in fields)}

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode()


def connected(site: AdminSite) -> tuple[StringTransport, object]:
    """Connect; return what is sent, and the protocol."""
    channel = site.buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    return transport, channel


def asked(site: AdminSite, request: str, *fields: str, host: str = "127.0.0.1:15000", body: bytes = b"") -> Answer:
    """Ask once."""
    transport, channel = connected(site)
    lines = [f"{request} HTTP/1.1", f"Host: {host}", *fields, "Connection: close"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    channel.dataReceived("\r\n".join([*lines, "", ""]).encode() + body)  # type: ignore[attr-defined]
    # what is made in turns
    site.reactor.advance(0)
    return Answer(transport.value())
