"""Where the lines of a log go, by its path: a file, a stream of the process, or a syslog."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from time import time

from edgegate.model.access_logs import SYSLOG
from edgegate.model.syslog import SyslogAddress, parse_syslog
from edgegate.net.syslog import open_syslog
from edgegate.observe.log_file import LogFile
from edgegate.observe.log_lines import moment

PRIORITY = 16 * 8 + 6
"""Facility local0, severity informational (RFC 5424 section 6.2.1)."""

LONGEST = 60_000
"""Bytes of a message that a datagram holds, whatever else is in it; a longer line is cut."""


def log_file(path: str, complain: Callable[[str], None], opener: Callable[[], int] | None = None) -> LogFile:
    """
    Return what takes the lines of a log, not opened yet.

    @param path: See L{edgegate.model.access_logs.AccessLogFile}.
    @param complain: Takes what is wrong, in whichever thread.
    @param opener: Returns the descriptor of the file, in place of opening it.
    @raise ValueError: It names a syslog, and is not written so.
    """
    if path.startswith(SYSLOG):
        return SyslogFile(path, parse_syslog(path.removeprefix(SYSLOG)), complain)
    return LogFile(path, complain, opener=opener)


class SyslogFile(LogFile):
    """A syslog: each line is a message of its own (RFC 5424), sent by the thread of the log."""

    def __init__(self, path: str, address: SyslogAddress, complain: Callable[[str], None]) -> None:
        super().__init__(path, complain, opener=lambda: open_syslog(address))
        self._address = address
        self._behind_time = f" {platform.node() or '-'} edgegate {os.getpid()} access - "

    def append(self, fd: int, lines: bytes) -> None:
        """Send each line; those that can't be sent are counted as lost."""
        head = f"<{PRIORITY}>1 {moment(time())}{self._behind_time}".encode()
        messages = lines.splitlines()
        for number, line in enumerate(messages):
            try:
                self._send(fd, head + line[:LONGEST])
            except OSError as error:
                self.failed(len(messages) - number, error)
                return
        self.succeeded()

    def _send(self, fd: int, message: bytes) -> None:
        try:
            os.write(fd, message)
        except ConnectionError:
            # it was started anew, or has told that it was not there before: of this message nothing is known yet
            again = open_syslog(self._address)
            os.dup2(again, fd, inheritable=False)
            os.close(again)
            os.write(fd, message)
