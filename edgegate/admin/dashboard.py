"""
The dashboard: a page for browsers at C{/}, and the files that it is made of.

They are the same for everyone and say nothing of this gateway. What the page shows it asks for itself, with the token
where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from typing import cast

from twisted.web.http import CACHED
from twisted.web.resource import Resource
from twisted.web.server import Request

from edgegate.admin.negotiation import qualities
from edgegate.admin.pages import Page, Refusal, answer, begin

INDEX = "index.html"

KINDS = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
"""Content types, by what a file's name ends with."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""
What the page may do (Content Security Policy level 3): run what is in the package, and ask this listener. No text can
become a script or markup, whatever the page does with it.
"""


def wants_html(request: Request) -> bool:
    """Whether a browser asks that shows a page, rather than a program."""
    return qualities(request.getHeader("accept") or "").get("text/html", 0.0) > 0.0


class StaticFile(Page):
    """A file of the package, which browsers keep and ask for again each time: another version has another."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__()
        self._content = content
        self._kind = KINDS[name.rpartition(".")[2]]
        self._tag = b'"%s"' % sha256(content).hexdigest()[:32].encode()

    def render_GET(self, request: Request) -> bytes:
        """Show it, or say that it is the one that the browser has."""
        begin(request, self._kind)
        request.setHeader(b"cache-control", b"no-cache")
        request.setHeader(b"content-security-policy", POLICY.encode())
        request.setHeader(b"referrer-policy", b"no-referrer")
        request.setHeader(b"cross-origin-opener-policy", b"same-origin")
        request.setHeader(b"cross-origin-resource-policy", b"same-origin")
        return b"" if request.setETag(self._tag) is CACHED else self._content


class StaticFiles(Resource):
    """The files of the page."""

    def __init__(self) -> None:
        super().__init__()
        # read at once: those of a version that is installed meanwhile would not fit what this one tells
        for each in files("edgegate.admin").joinpath("static").iterdir():
            if each.name.rpartition(".")[2] in KINDS:
                self.putChild(each.name.encode(), StaticFile(each.name, each.read_bytes()))

    def getChildWithDefault(self, path: bytes, request: Request) -> Resource:
        """Return a file; nothing is below it."""
        child = self.children.get(path)
        return Refusal(404, "no such file\n") if child is None or request.postpath else cast(Resource, child)

    def render(self, request: Request) -> bytes:
        """There is no list of them."""
        return Refusal(404, "no such file\n").render(request)

    @property
    def index(self) -> StaticFile:
        """The page itself."""
        return cast(StaticFile, self.children[INDEX.encode()])


class Front(Page):
    """What is at C{/}: the dashboard for a browser, and a list of the pages for everyone else."""

    def __init__(self, static: StaticFiles, words: Callable[[], str]) -> None:
        super().__init__()
        self._static = static
        self._words = words

    def render_GET(self, request: Request) -> bytes:
        """Show one of them."""
        request.setHeader(b"vary", b"accept")
        if wants_html(request):
            return self._static.index.render_GET(request)
        return answer(request, self._words())
