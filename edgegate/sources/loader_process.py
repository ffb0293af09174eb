"""
A process that reads the files once, for the gateway that has started it, and ends.

What is asked for comes by standard input, what was read goes to standard output, which is a file. So nothing is known
here of options, and no descriptor is needed but the usual ones.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from threading import Thread
from typing import IO

from edgegate.sources import pieces
from edgegate.sources.loading import Answer, Configuration
from edgegate.sources.source import Contents

PROGRAM = "from edgegate.sources.loader_process import main; main()"
"""What a fresh Python runs."""

_GIVEN_UP = 1
"""Exit status where nobody waits for the outcome."""


def ask(standard_input: IO[bytes], configuration: Configuration, before: Contents | None) -> None:
    """
    Say what is to be read.

    @param standard_input: The process's. It ends when this is closed.
    @param before: See L{Configuration.reload}.
    """
    pickle.dump((configuration, before), standard_input, pickle.HIGHEST_PROTOCOL)
    standard_input.flush()


def main() -> None:
    """Be that process: write an L{Answer}, or C{None} where all is what it was before."""
    with os.fdopen(os.dup(1), "wb") as file:
        # whoever prints does so where it is heard, and spoils nothing
        os.dup2(2, 1)
        configuration, before = pickle.load(sys.stdin.buffer)
        Thread(target=_end_with_gateway, daemon=True).start()
        # all that is made stays to the end
        gc.disable()
        loaded = configuration.reload(before)
        pieces.write(None if loaded is None else Answer.of(loaded), file)
    # to take all apart takes longer than to leave it to the system
    sys.stderr.flush()
    os._exit(0)


def _end_with_gateway() -> None:
    """Wait for the end of the gateway, or for it to give this up."""
    os.read(0, 1)
    os._exit(_GIVEN_UP)
