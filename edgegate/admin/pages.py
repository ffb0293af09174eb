"""What all pages of the admin listener have in common."""

from __future__ import annotations

import json
from typing import cast

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

log = Logger(namespace=__name__)


class Page(Resource):
    """A page that no cache keeps and no browser takes for something else."""

    isLeaf = True
    changes = False
    """Whether POST changes something."""

    def render(self, request: Request) -> bytes | int:
        """Answer a request; what its method is not for is 405."""
        return cast("bytes | int", super().render(request))


def begin(request: Request, kind: bytes, status: int = 200) -> None:
    """
    Begin an answer.

    @param kind: Of the body: its content type.
    """
    request.setResponseCode(status)
    request.setHeader(b"server", b"edgegate")
    request.setHeader(b"cache-control", b"no-store")
    request.setHeader(b"x-content-type-options", b"nosniff")
    request.setHeader(b"content-type", kind)


def answer(request: Request, body: str | object, status: int = 200) -> bytes:
    """Return a body: text as it is, everything else as JSON."""
    begin(request, b"text/plain; charset=utf-8" if isinstance(body, str) else b"application/json", status)
    text = body if isinstance(body, str) else json.dumps(body, indent=2) + "\n"
    return text.encode("utf-8", "backslashreplace")


def answer_later(request: Request, body: Deferred[bytes]) -> int:
    """Answer when a body is there, if somebody waits for it still."""
    gone: list[object] = []
    request.notifyFinish().addErrback(gone.append)

    def failed(failure: Failure) -> bytes:
        log.failure("a page of the admin listener can't be shown", failure)
        return answer(request, "internal error\n", 500)

    def send(content: bytes) -> None:
        if not gone:
            request.setHeader(b"content-length", b"%d" % len(content))
            request.write(content)
            request.finish()

    body.addErrback(failed).addCallback(send)
    return NOT_DONE_YET


def wants_json(request: Request) -> bool:
    """Whether C{?format=json} or C{Accept} asks for JSON."""
    form = request.args.get(b"format", [b""])[0]
    accept = request.getHeader(b"accept") or b""
    return form == b"json" or (not form and b"application/json" in accept)


def same_origin(request: Request) -> bool:
    """Whether a request is no page's, or that of a page that came from here (its C{Origin} is its C{Host})."""
    host = (request.getHeader(b"host") or b"").lower()
    return all(origin.lower() == b"http://" + host for origin in request.requestHeaders.getRawHeaders(b"origin", []))


class Refusal(Page):
    """A page that is none."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__()
        self._status = status
        self._words = words

    def render(self, request: Request) -> bytes:
        """Answer whatever is asked."""
        return answer(request, self._words, self._status)
