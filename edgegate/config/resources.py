"""What all files together hold, decoded: the compiler's input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from edgegate.config.document import Document, Path
from edgegate.config.kinds.base import Spec
from edgegate.config.kinds.gateway import Gateway
from edgegate.config.kinds.secret import Secret
from edgegate.config.kinds.service import Endpoints, EndpointSlice, Service
from edgegate.config.kinds.service_entry import ServiceEntry
from edgegate.config.kinds.virtual_service import VirtualService
from edgegate.config.problems import Problems

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True, eq=False)
class Resource(Generic[S]):
    """
    A document that was understood. Paths of problems are those of the document, so they begin with C{spec}.

    @ivar broken: Where something was reported already and left out of C{spec}.
    """

    document: Document
    spec: S
    broken: tuple[Path, ...] = ()
    _told: set[Path] = field(default_factory=set, repr=False)

    @property
    def name(self) -> str:
        """C{metadata.name}."""
        return self.document.name

    @property
    def namespace(self) -> str:
        """C{metadata.namespace}."""
        return self.document.namespace

    def error(self, problems: Problems, path: Path, message: str) -> None:
        """
        Report an error in a part of the document.

        Only the first for a path is, and none where something in that part was left out: what follows from a mistake
        is not told again.
        """
        if path not in self._told and not self.left_out(path):
            self._told.add(path)
            self.document.error(problems, path, message)

    def warning(self, problems: Problems, path: Path, message: str) -> None:
        """Report a warning about a part of the document, unless something in that part was left out."""
        if not self.left_out(path):
            self.document.warning(problems, path, message)

    def left_out(self, path: Path) -> bool:
        """Whether something in that part was reported and left out when it was decoded."""
        if not self.broken:
            return False
        original = self.document.original(path)
        return any(broken[: len(original)] == original for broken in self.broken)


@dataclass(slots=True)
class Resources:
    """
    All resources by kind, in file order, then document order.

    VirtualServices that say when they were made come first, oldest first.
    """

    gateways: list[Resource[Gateway]] = field(default_factory=list)
    virtual_services: list[Resource[VirtualService]] = field(default_factory=list)
    service_entries: list[Resource[ServiceEntry]] = field(default_factory=list)
    secrets: list[Resource[Secret]] = field(default_factory=list)
    services: list[Resource[Service]] = field(default_factory=list)
    endpoint_slices: list[Resource[EndpointSlice]] = field(default_factory=list)
    endpoints: list[Resource[Endpoints]] = field(default_factory=list)
