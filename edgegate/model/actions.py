# Hot path: rewrites the requests of routes that say so.
"""
What a route does with a request beside sending it on (Istio's C{HTTPRedirect}, C{HTTPDirectResponse}, C{HTTPRewrite}).

Targets are paths with their queries. What the files put into them was checked:
it holds no byte that could end a line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edgegate.model.expressions import substitution
from edgegate.model.headers import HeaderChanges
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.picklable import Picklable

REQUEST_PORT = -1
"""The port of a redirect that keeps the number of the port that the request came to."""

_DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}


@dataclass(frozen=True, slots=True)
class NewPath(Picklable):
    """
    A path that replaces another one, or the prefix of it that matched; the query stays.

    @ivar prefix: What is replaced; L{None}: the whole path.
    @ivar whole: Whether the query goes with the whole path, since the new one has its own (Envoy's C{path_redirect}).
    """

    text: bytes
    prefix: bytes | None = None
    whole: bool = False

    def of(self, target: bytes) -> bytes:
        """Return the new target: what is new, and behind it what stays, as it is (Envoy)."""
        if self.whole:
            new = self.text
        elif self.prefix is not None:
            new = self.text + target[len(self.prefix) :]
        else:
            _, mark, query = target.partition(b"?")
            new = b"%b%b%b" % (self.text, mark, query)
        return new if new.startswith(b"/") else b"/" + new


@dataclass(frozen=True, slots=True)
class Substitution(Picklable):
    """A substitution of everything in a path that a regular expression of RE2 finds; groups are C{\\1}."""

    expression: str
    replacement: str

    def __post_init__(self) -> None:
        substitution(self.expression, self.replacement)  # raises ValueError

    def of(self, target: bytes) -> bytes:
        """Return the new target; the query stays."""
        path, mark, query = target.partition(b"?")
        new = substitution(self.expression, self.replacement)(path)
        return b"%b%b%b" % (new if new.startswith(b"/") else b"/" + new, mark, query)


@dataclass(frozen=True, slots=True)
class RequestChanges(Picklable):
    """
    What is changed of a request on its way to one destination.

    @ivar authority: Its new authority.
    @ivar headers: In the order in which they are made.
    @ivar names: All headers that are changed.
    """

    path: NewPath | Substitution | None = None
    authority: bytes | None = None
    headers: tuple[HeaderChanges, ...] = ()
    names: frozenset[bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(name for each in self.headers for name in each.names))

    def matched(self, uri: StringMatch | None) -> RequestChanges:
        """Return what is done where this condition on the path was the one that held."""
        return replace(self, path=path_for(self.path, uri)) if isinstance(self.path, NewPath) else self


@dataclass(frozen=True, slots=True)
class Redirect(Picklable):
    """
    A response that sends the client elsewhere; what is L{None} stays as the request has it.

    @ivar port: 0: the default of the scheme; or L{REQUEST_PORT}.
    """

    code: int = 301
    path: NewPath | None = None
    authority: bytes | None = None
    scheme: bytes | None = None
    port: int | None = None

    def matched(self, uri: StringMatch | None) -> Redirect:
        """Return where it leads where this condition on the path was the one that held."""
        if self.path is None or self.path.prefix is None:
            return self
        return replace(self, path=path_for(self.path, uri))

    def location(self, scheme: bytes, authority: bytes, target: bytes, number: int) -> bytes:
        """
        Return the URL for a request that had these. A port that was right for the old scheme only is dropped.

        @param number: Of the port that the request came to.
        """
        new_scheme = scheme if self.scheme is None else self.scheme
        host, port = _split(authority if self.authority is None else self.authority)
        if self.authority is None and new_scheme != scheme and port == _DEFAULT_PORTS[scheme]:
            port = b""
        if self.port is not None:
            wanted = number if self.port == REQUEST_PORT else self.port
            port = b"%d" % wanted if wanted else b""
            if port == _DEFAULT_PORTS[new_scheme]:
                port = b""
        new = target if self.path is None else self.path.of(target)
        return b"%b://%b%b%b" % (new_scheme, host, b":" + port if port else b"", new)


@dataclass(frozen=True, slots=True)
class DirectResponse(Picklable):
    """A response that needs no backend."""

    status: int
    body: bytes = b""


def path_for(path: NewPath | None, uri: StringMatch | None) -> NewPath | None:
    """
    Return what becomes of a path by the condition on it that held.

    A prefix is replaced; where another kind of condition held the whole path
    is; where there was none, the slash that every path begins with.
    """
    if path is None:
        return None
    if uri is None or uri.kind is Kind.PRESENT:
        return NewPath(path.text, b"/")
    return NewPath(path.text, uri.value.encode() if uri.kind is Kind.PREFIX else None)


def _split(authority: bytes) -> tuple[bytes, bytes]:
    """Return host and port of an authority, the latter empty where there is none."""
    host, colon, port = authority.rpartition(b":")
    return (host, port) if colon and b"]" not in port else (authority, b"")
