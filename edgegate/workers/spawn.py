"""The first zygote: a fresh process, as one that has a reactor must not be forked."""

from __future__ import annotations

import os
import subprocess
import sys

from edgegate.net.channel import Channel, pair

_PROGRAM = "from edgegate.workers.process import main; main({})"


class Spawned:
    """
    A new process.

    @ivar channel: To it.
    @ivar errors: Can be read: what it and those that come of it write to standard error.
    """

    def __init__(self) -> None:
        """Start it. It waits to be told to load."""
        ours, theirs = pair()
        self.errors, errors = os.pipe()
        # whoever hangs must not hold up those who fail
        os.set_blocking(errors, False)
        os.set_blocking(self.errors, False)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM.format(theirs.fileno())],
                # it may have been found by what a runner has put there
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                pass_fds=[theirs.fileno()],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                # signals of the terminal are the supervisor's
                start_new_session=True,
            )
        finally:
            theirs.close()
            os.close(errors)
        self.channel = Channel(ours)

    @property
    def reaped(self) -> bool:
        """Whether it has ended, and nothing of it is left; looks at it."""
        return self._process.poll() is not None
