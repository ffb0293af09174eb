"""What the tests of HTTP listen with."""

from __future__ import annotations

from edgegate.errors import Fault
from edgegate.http.fields import Field
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.h1.request_reader import RequestReader
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead


class RecordingSink:
    """Keeps what a L{RequestReader} tells; reads on after each request unless told to wait."""

    def __init__(self, limits: Limits | None = None, *, wait: bool = False) -> None:
        self.heads: list[RequestHead] = []
        self.bodies: list[bytes] = []
        self.trailers: list[list[Field]] = []
        self.faults: list[Fault] = []
        self.prefaces: list[bytes] = []
        self.wait = wait
        self.reader = RequestReader(self, limits or Limits(), HeadParser(limits or Limits()))

    def request_head(self, head: RequestHead) -> None:
        self.heads.append(head)
        self.bodies.append(b"")

    def request_body(self, data: bytes) -> None:
        self.bodies[-1] += data

    def request_end(self, trailers: list[Field]) -> None:
        self.trailers.append(trailers)
        if not self.wait:
            self.reader.resume()

    def request_refused(self, fault: Fault) -> None:
        self.faults.append(fault)

    def preface_came(self, data: bytes) -> bool:
        self.prefaces.append(data)
        return False

    @property
    def seen(self) -> list[tuple[bytes, bytes, bytes]]:
        """Method, target and body of each whole request."""
        whole = zip(self.heads, self.bodies, self.trailers, strict=False)
        return [(head.method, head.target, body) for head, body, _ in whole]


def read(data: bytes, limits: Limits | None = None) -> RecordingSink:
    """Read some bytes in one piece."""
    sink = RecordingSink(limits)
    sink.reader.receive(data)
    return sink
