"""The file in which twistd writes the number of its process."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from edgegate.server.handover import Handed

log = Logger(namespace=__name__)


class Pidfile:
    """
    The pidfile of this process, which a new one has in its place; an L{edgegate.server.upgrade.Companion}.

    twistd does not start while there is one of a process that lives, and removes the one it was told of at its end.
    """

    def __init__(self, runner: MutableMapping[str, object]) -> None:
        """
        @param runner: The options of twistd, which has the path in them at its end, too.
        """
        self._runner = runner

    def handed(self) -> list[Handed]:
        """Return nothing: it has no sockets."""
        return []

    def prepare(self) -> None:
        """
        Take it away.

        @raise OSError: It can't be.
        """
        path = self._path
        if path is not None:
            path.unlink(missing_ok=True)

    def keep(self) -> None:
        """Write it again."""
        path = self._path
        try:
            if path is not None:
                path.write_text(str(os.getpid()), encoding="ascii")
        except OSError as error:
            log.error("cannot write the pidfile: {error}", error=str(error))

    def hand_over(self, pid: int) -> Deferred[None]:
        """It is the new process's, which has written it."""
        self._runner["pidfile"] = ""
        return succeed(None)

    @property
    def _path(self) -> Path | None:
        path = self._runner.get("pidfile")
        return Path(str(path)) if path else None
