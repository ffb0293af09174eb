"""
Where a process begins that is no supervisor.

All that workers need is imported here, and not by each of them: what was imported before the fork is shared.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from twisted.internet import default

from edgegate.model.access_logs import STANDARD_ERROR
from edgegate.net.channel import Channel, adopt
from edgegate.observe.log_file import STREAMS
from edgegate.twistd_options import Options
from edgegate.workers.messages import Load
from edgegate.workers.slots import Slots
from edgegate.workers.worker import serve
from edgegate.workers.zygote import Children, Ended, Zygote

REACTOR = default.__name__
"""Whose import brings all that the workers' reactors are made of, and makes none."""

LEFT_ALONE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that only the supervisor listens to: a terminal and systemd send them to all processes."""


def main(descriptor: int, standard_error: int) -> None:
    """
    Be the first zygote, or one of the workers that come of it.

    @param descriptor: Of the channel to the supervisor.
    @param standard_error: Descriptor of the supervisor's, for logs: what this process writes to its own is for the
        supervisor's log.
    """
    STREAMS[STANDARD_ERROR] = standard_error
    for each in LEFT_ALONE:
        signal.signal(each, signal.SIG_IGN)
    _name("edgegate zygote")
    channel = Channel(adopt(descriptor), patient=True)
    (received,) = channel.receive()
    load = received.value
    assert isinstance(load, Load)
    (memory,) = received.descriptors
    slots = Slots(memory)
    os.close(memory)
    options = Options()
    options.parseOptions(load.arguments)
    zygote = Zygote(channel, Children(), slots, options)
    try:
        zygote.load(False)
        inheritance = zygote.run()
    except Ended:
        return
    _name("edgegate worker")
    serve(inheritance)


def _name(name: str) -> None:
    """Have the system's tools show a process by a name, where they can; 15 bytes of it."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="ascii")
