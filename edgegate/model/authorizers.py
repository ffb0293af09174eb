# Compiled: values that hot modules read.
"""Services that say who may pass: how they are asked, and what of their answers counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edgegate.model.headers import Value
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable

DEFAULT_TIMEOUT = 600.0
"""Seconds that are waited for an answer where the files say nothing (Istio's C{extauthz.go})."""

DENIED = 403
"""The status of refusals whose service gives none."""


@dataclass(frozen=True, slots=True)
class HeaderNames(Picklable):
    """Some names of headers, in lower case and in their order: whole ones, beginnings and ends."""

    exact: tuple[bytes, ...] = ()
    prefixes: tuple[bytes, ...] = ()
    suffixes: tuple[bytes, ...] = ()

    def fit(self, name: bytes) -> bool:
        """Whether a name is among them."""
        return name in self.exact or name.startswith(self.prefixes) or name.endswith(self.suffixes)

    @property
    def some(self) -> bool:
        """Whether there are any."""
        return bool(self.exact or self.prefixes or self.suffixes)


NO_NAMES = HeaderNames()


@dataclass(frozen=True, slots=True)
class BodyInCheck(Picklable):
    """
    That the service is told a request's body.

    @ivar most: Bytes; a longer one is refused, or with C{partial} cut off.
    @ivar packed: Whether a message of gRPC has it as bytes rather than as text.
    """

    most: int
    partial: bool = False
    packed: bool = False


class Protocol(Enum):
    """How a service is asked."""

    HTTP = "HTTP"
    GRPC = "gRPC"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Authorizer(Picklable):
    """
    A service that says who may pass (C{MeshConfig.extensionProviders}).

    @ivar name: The provider's.
    @ivar cluster: The name of the service's cluster.
    @ivar authority: Whom a call of gRPC is for; one over HTTP is for the host that its client asks for.
    @ivar timeout: Seconds.
    @ivar fail_open: Whether requests pass which the service says nothing of: it is away, too slow, or answers with an
        error. Otherwise they are refused with C{status_on_error}.
    @ivar clears_route: Whether the route is that of the request as the service has changed it.
    @ivar body: L{None}: the service is not told the body.
    @ivar path_prefix: Stands in front of the path when it is asked over HTTP.
    @ivar sent: The client's headers that it is told over HTTP; C{authorization} is always, over gRPC all are.
    @ivar added: What it is told besides, in place of the client's own.
    @ivar to_upstream: Headers of its answer that requests get which pass, in place of the client's own. Those are gone
        also where the answer has none of the name.
    @ivar to_client: Headers of its answer that responses get to requests which pass.
    @ivar to_denied: Headers of its answer that refused clients get; none: all.
    @ivar origin: Where it is declared.
    """

    name: str
    protocol: Protocol
    cluster: str
    authority: bytes = b""
    timeout: float = DEFAULT_TIMEOUT
    fail_open: bool = False
    status_on_error: int = DENIED
    clears_route: bool = False
    body: BodyInCheck | None = None
    path_prefix: bytes = b""
    sent: HeaderNames = NO_NAMES
    added: tuple[Value, ...] = ()
    to_upstream: HeaderNames = NO_NAMES
    to_client: HeaderNames = NO_NAMES
    to_denied: HeaderNames = NO_NAMES
    origin: Origin | None = field(default=None, compare=False)
