"""The first zygote: a fresh process, as one that has a reactor must not be forked."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from contextlib import ExitStack, suppress

from edgegate.model.access_logs import STANDARD_ERROR
from edgegate.net.channel import Channel, pair
from edgegate.observe.log_file import STREAMS
from edgegate.server.program import fresh_python

_PROGRAM = "from edgegate.workers.process import main; main({}, {})"

_SET_CHILD_SUBREAPER = 36
"""Of prctl(2) in Linux, see PR_SET_CHILD_SUBREAPER."""


class Spawned:
    """
    A new process, and those that come of it: they are a process group.

    @ivar channel: To it.
    @ivar errors: Can be read: what it and those that come of it write to standard error.
    """

    def __init__(self, standard_input: int | None = None, silent: bool = False) -> None:
        """
        Start it. It waits to be told to load. Its standard output is this process's; so is what it is given to write
        logs of C{/dev/stderr} to, as its own standard error is L{errors}.

        @param standard_input: The descriptor of a file that it has as its standard input, from the beginning; stays the
            caller's. L{None}: it has none.
        @param silent: It has none of this process's output: this one becomes a daemon, and whoever has started it
            waits, as a shell's C{$(...)} does, until nobody can write there any more.
        @raise OSError: It can't be started.
        """
        # what is this process's is closed where that fails, the new one's end of it in any case
        with ExitStack() as ours, ExitStack() as theirs:
            own, other = pair()
            ours.callback(own.close)
            theirs.callback(other.close)
            self.errors, errors = os.pipe()
            ours.callback(os.close, self.errors)
            theirs.callback(os.close, errors)
            # whoever hangs must not hold up those who fail
            os.set_blocking(errors, False)
            os.set_blocking(self.errors, False)
            kept = os.open(os.devnull, os.O_WRONLY) if silent else os.dup(STREAMS[STANDARD_ERROR])
            theirs.callback(os.close, kept)
            if standard_input is not None:
                os.lseek(standard_input, 0, os.SEEK_SET)
            command, environment = fresh_python(_PROGRAM.format(other.fileno(), kept))
            self._process = subprocess.Popen(
                command,
                env=environment,
                pass_fds=[other.fileno(), kept],
                stdin=subprocess.DEVNULL if standard_input is None else standard_input,
                stdout=subprocess.DEVNULL if silent else None,
                stderr=errors,
                # signals of the terminal are the supervisor's
                start_new_session=True,
            )
            self.channel = Channel(own)
            ours.pop_all()

    def reap(self) -> bool:
        """
        Leave nothing of those that have ended and are this process's children; return whether all have ended.
        """
        group = self._process.pid
        with suppress(ChildProcessError):
            while os.waitpid(-group, os.WNOHANG)[0]:
                continue
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # they are another user's now
        return False


def adopt_orphans() -> None:
    """
    Become the parent of processes whose parents end before them, where the system can have that (Linux).

    A zygote ends before the next one that it has made, and before workers that still have connections. Else they are
    the children of process 1, which in a container may be anything, and leave them as zombies.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
