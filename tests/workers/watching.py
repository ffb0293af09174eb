"""A reactor that remembers what it is to watch."""

from __future__ import annotations

from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.internet.task import Clock


class Watching(Clock):
    """
    Its time goes by as the test says.

    @ivar readers: What it is to watch for reading.
    @ivar writers: What it is to watch for writing.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.readers: list[IReadDescriptor] = []
        self.writers: list[IWriteDescriptor] = []

    def addReader(self, reader: IReadDescriptor) -> None:
        """Watch one."""
        if reader not in self.readers:
            self.readers.append(reader)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        """Watch one."""
        if writer not in self.writers:
            self.writers.append(writer)

    def removeReader(self, reader: IReadDescriptor) -> None:
        """Watch it no more."""
        if reader in self.readers:
            self.readers.remove(reader)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        """Watch it no more."""
        if writer in self.writers:
            self.writers.remove(writer)
