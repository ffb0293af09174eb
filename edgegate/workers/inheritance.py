"""What a worker has from its zygote."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from edgegate.model.addresses import Address
from edgegate.net.channel import Channel
from edgegate.server.contexts import Contexts
from edgegate.sources.loading import Loaded
from edgegate.twistd_options import Options
from edgegate.workers.messages import Fork
from edgegate.workers.slots import Slots


@dataclass(frozen=True, slots=True)
class Inheritance:
    """
    What a worker has from its zygote.

    @ivar channel: To the supervisor.
    @ivar sockets: The descriptors of listening sockets, which are its own.
    @ivar passed: Which of them are a service manager's.
    """

    fork: Fork
    channel: Channel
    sockets: Mapping[Address, int]
    passed: Collection[Address]
    slots: Slots
    options: Options
    loaded: Loaded
    contexts: Contexts
