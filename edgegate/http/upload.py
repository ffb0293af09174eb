# Hot path: takes each piece of each request's body.
"""Who takes the body of a request."""

from __future__ import annotations

from typing import Protocol

from edgegate.http.fields import Field
from edgegate.net.stream import Stream


class Upload(Protocol):
    """The resource's side of one exchange: takes the request's body, and hears of the client."""

    def upload(self, data: bytes) -> None:
        """Take a piece of the body."""

    def upload_end(self, trailers: list[Field]) -> None:
        """The request is whole."""

    def flush(self) -> None:
        """Send on what was taken: no more comes in this turn."""

    def run_sink(self) -> Stream | None:
        """Return where the rest of a sized body may go without being looked at; L{None}: nowhere."""

    def pause(self) -> None:
        """The client does not read its response: bring no more of it."""

    def resume(self) -> None:
        """The client reads again."""

    def cancel(self) -> None:
        """The client is gone, or nobody wants the response any more; nothing is told afterwards."""
