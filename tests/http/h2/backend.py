"""A backend of HTTP/2 at the other end of a fake stream; what it says and understands is the package h2's."""

from __future__ import annotations

from typing import Any

import h2.config
import h2.connection
import h2.events
from h2.settings import SettingCodes, Settings

from tests.http.conversation import FakeStream

Fields = list[tuple[bytes, bytes]]


class Backend:
    """
    Reads requests and answers them.

    @ivar events: What the gateway said, settings and acknowledgements left out.
    """

    def __init__(self, stream: FakeStream, greets: bool = True, **settings: int) -> None:
        """
        @param greets: Whether its settings are said at once.
        @param settings: Names of C{SettingCodes} with values.
        """
        self.stream = stream
        config = h2.config.H2Configuration(client_side=False, header_encoding=None)
        # what a gateway has to stand may be wrong
        config.validate_outbound_headers = config.normalize_outbound_headers = False
        self.h2 = h2.connection.H2Connection(config)
        values: dict[Any, int] = {SettingCodes[name.upper()]: value for name, value in settings.items()}
        if values:
            self.h2.local_settings = Settings(client=False, initial_values=values)
        self.h2.initiate_connection()
        self.events: list[Any] = []
        if greets:
            self.greet()

    def greet(self) -> None:
        """Say the settings, and whatever else is to be said."""
        self.turn()

    def turn(self) -> list[Any]:
        """Say what there is to be said, and take what came until nothing does; return that."""
        found: list[Any] = []
        while True:
            data = self.h2.data_to_send()
            if data and not self.stream.over:
                self.stream.deliver(data)
            sent = self.stream.take()
            if sent:
                found += self.h2.receive_data(sent)
            elif not data:
                break
        told = (h2.events.RemoteSettingsChanged, h2.events.SettingsAcknowledged, h2.events.WindowUpdated)
        found = [event for event in found if not isinstance(event, told)]
        self.events += found
        return found

    @property
    def asked(self) -> list[int]:
        """The numbers of the requests so far."""
        self.turn()
        return [event.stream_id for event in self.events if isinstance(event, h2.events.RequestReceived)]

    def request(self, number: int) -> dict[bytes, bytes]:
        """Return the fields of a request."""
        self.turn()
        for event in self.events:
            if isinstance(event, h2.events.RequestReceived) and event.stream_id == number:
                return {bytes(name): bytes(value) for name, value in event.headers or ()}
        raise AssertionError(f"{number} was not asked for")

    def body(self, number: int) -> bytes:
        """Return the body of a request, which is taken."""
        self.turn()
        found = b""
        for event in self.events:
            if isinstance(event, h2.events.DataReceived) and event.stream_id == number:
                found += event.data or b""
        return found

    def has(self, kind: type, number: int) -> Any:
        """Return the last event of a kind of a stream, if there is one."""
        self.turn()
        found = [each for each in self.events if isinstance(each, kind) and getattr(each, "stream_id", 0) == number]
        return found[-1] if found else None

    def respond(
        self, number: int, body: bytes = b"", fields: Fields | None = None, trailers: Fields | None = None
    ) -> None:
        """Answer a request."""
        self.turn()
        head = [(b":status", b"200"), *(fields or [])]
        self.h2.send_headers(number, head, end_stream=not body and trailers is None)
        if body:
            for at in range(0, len(body), 16384):
                ends = trailers is None and at + 16384 >= len(body)
                self.h2.send_data(number, body[at : at + 16384], end_stream=ends)
        if trailers is not None:
            self.h2.send_headers(number, trailers, end_stream=True)
        self.turn()

    def head(self, number: int, fields: Fields | None = None) -> None:
        """Begin an answer."""
        self.turn()
        self.h2.send_headers(number, [(b":status", b"200"), *(fields or [])])
        self.turn()

    def reset(self, number: int, code: int) -> None:
        """End a stream."""
        self.turn()
        self.h2.reset_stream(number, code)
        self.turn()

    def leave(self, last: int, code: int = 0) -> None:
        """Say GOAWAY, and keep the connection."""
        frame = b"\0\0\x08\7\0\0\0\0\0" + last.to_bytes(4, "big") + code.to_bytes(4, "big")
        self.stream.deliver(frame)
        self.turn()
