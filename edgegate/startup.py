"""What keeps a process from beginning to serve, and how whoever started it is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.logger import Logger

log = Logger(namespace=__name__)

STANDARD_ERROR = 2


class CannotStart(SystemExit, Exception):
    """
    The process can't begin: it ends with exit status 1 and one line on C{sys.stderr}.

    It is an L{Exception} too, since C{twistd} removes its pidfile, and tells the parent that waits for a daemon, for
    those only.
    """


class Startup(MultiService):
    """
    Runs under C{twistd}, and tells whoever started it why it can't begin.

    C{twistd} makes C{sys.stderr} part of its log, a daemon's standard error leads nowhere, and its parent passes on no
    more than a hundred bytes.
    """

    def __init__(self, descriptor: int, logged: bool) -> None:
        """
        @param descriptor: Of the standard error that the process was started with, which this closes.
        @param logged: Whether the log, which has the line too, goes elsewhere than where the process was started.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._descriptor: int | None = descriptor
        self._logged = logged

    def privilegedStartService(self) -> None:
        """
        Begin what needs privileges.

        @raise CannotStart: It can't; that was told.
        """
        with self._telling():
            super().privilegedStartService()  # type: ignore[no-untyped-call]

    def startService(self) -> None:
        """
        Begin.

        @raise CannotStart: It can't; that was told.
        """
        with self._telling():
            super().startService()  # type: ignore[no-untyped-call]
        self._close()

    def stopService(self) -> Deferred[None]:
        """
        End.

        @return: Fires when all has ended.
        """
        self._close()
        ended: Deferred[None] = super().stopService()  # type: ignore[no-untyped-call]
        return ended

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except CannotStart as error:
            told = self._tell(str(error))
            if self._logged:
                # now, and not by Python at the end of a daemon, which its parent does not wait for
                log.critical("{line}", line=str(error))
            if told or self._logged:
                error.code = 1
            self._close()
            raise

    def _tell(self, line: str) -> bool:
        try:
            return self._descriptor is not None and os.write(self._descriptor, f"{line}\n".encode()) > 0
        except (OSError, UnicodeEncodeError):
            # nobody listens: the log has it
            return False

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
