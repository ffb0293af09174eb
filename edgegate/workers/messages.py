"""What the processes of a gateway tell each other."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.admin.live.parts import Part
from edgegate.admin.views import Row
from edgegate.config.problems import Problems
from edgegate.model.addresses import Address
from edgegate.model.metrics import DeclaredMetrics
from edgegate.model.origin import Origin
from edgegate.observe.log_tap import Wanted
from edgegate.observe.metrics import gauges
from edgegate.observe.metrics.meters import Batch
from edgegate.observe.tap import Tapped
from edgegate.server.first_certificates import Awaited
from edgegate.sources.source import Watched

# The supervisor to a zygote -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """
    Read the files. Comes to a process that has read none; a descriptor comes with it: the memory of
    L{edgegate.workers.slots}.

    @ivar arguments: Those of C{twistd edgegate}.
    """

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renew:
    """
    Make the next zygote, which reads the files. Its channel comes as a descriptor.

    @ivar anyway: Whether they are to be compiled were they what they were.
    """

    anyway: bool


@dataclass(frozen=True, slots=True)
class ShedPrivileges:
    """Go on as another user."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Adopt:
    """
    These are listening sockets for workers; the descriptors come in the same order.

    @ivar passed: Which of them are a service manager's.
    """

    addresses: tuple[Address, ...]
    passed: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class Fork:
    """
    Make a worker. Its channel comes as a descriptor.

    @ivar slot: Its slot.
    @ivar peers: Those of all workers of its generation.
    """

    slot: int
    peers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class End:
    """End, and leave the workers that were made."""


# A zygote to the supervisor -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opening:
    """A port of the files, as an L{edgegate.routing.snapshot.Listener} has it."""

    bind: Address
    port: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Unchanged:
    """All is what it was. The zygote has ended."""


@dataclass(frozen=True, slots=True)
class FilesRead:
    """
    The files were read.

    @ivar sound: Whether they can be served; if not, the zygote has ended.
    @ivar openings: The ports that they open.
    @ivar watched: Where a change would be seen.
    """

    sound: bool
    problems: Problems
    changes: tuple[str, ...] = ()
    openings: tuple[Opening, ...] = ()
    watched: Watched = Watched()  # noqa: RUF009 (frozen)


@dataclass(frozen=True, slots=True)
class Forked:
    """A worker was made."""

    slot: int
    pid: int


@dataclass(frozen=True, slots=True)
class Died:
    """
    A worker has ended.

    @ivar status: As C{os.waitpid} has it.
    """

    slot: int
    pid: int
    status: int


# The supervisor to a worker -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogTo:
    """
    The access log goes to this file from now on, whose descriptor comes with it, if the supervisor opens one at all.
    Other files, which workers have opened themselves, are to be opened anew.
    """


@dataclass(frozen=True, slots=True)
class Accept:
    """Take connections."""


@dataclass(frozen=True, slots=True)
class Retire:
    """
    Workers of a newer generation serve: end when the connections have.

    @ivar gone: What the newer files bind no longer.
    """

    gone: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Drain:
    """
    End. Comes once more where it is to be sooner.

    @ivar seconds: For which what is under way may go on.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Show:
    """
    Show a view of the admin listener; L{ViewRows} answers with the number.

    @ivar of: See L{edgegate.admin.interfaces.Gateway.rows}.
    """

    number: int
    view: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """Read what metrics show of it; L{CounterBatch}, then L{GaugeRows} with the number answer."""

    number: int


@dataclass(frozen=True, slots=True)
class BeginTap:
    """Show requests as they end, or lines of the access log; L{TappedRequest} with the number tells of each."""

    number: int
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class EndTap:
    """Nobody looks any more."""

    number: int


@dataclass(frozen=True, slots=True)
class BeginLive:
    """
    Tell each second what happens; L{LivePart} with the number does.

    @ivar tells_map: Whether what the files say is told as well.
    """

    number: int
    tells_map: bool


@dataclass(frozen=True, slots=True)
class EndLive:
    """Nobody looks any more."""

    number: int


# A worker to the supervisor -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """
    All ports are served, as soon as it is told to accept.

    @ivar says: What is served, for the service log: level and line.
    @ivar awaits: The certificates that it is without, and that are waited for.
    """

    says: tuple[tuple[str, str], ...]
    awaits: tuple[Awaited, ...] = ()


@dataclass(frozen=True, slots=True)
class Awaits:
    """Certificates have come: these are still missing, of those that are waited for."""

    certificates: tuple[Awaited, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """
    It can't serve; it has ended.

    @ivar reason: In one line.
    @ivar origin: What in the files is the reason, where that is known.
    """

    reason: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class LogEvent:
    """
    Something for the service log.

    @ivar text: With the traceback of a failure in further lines.
    """

    level: str
    namespace: str
    text: str


@dataclass(frozen=True, slots=True)
class ViewRows:
    """The rows of a view, or why there are none."""

    number: int
    rows: list[Row] | str


@dataclass(frozen=True, slots=True)
class CounterBatch:
    """What was counted for metrics since this was told last."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class GaugeRows:
    """
    What metrics show beside that, in several pieces.

    @ivar last: Whether nothing more comes.
    @ivar declared: With the last: what files say of Istio's metrics.
    """

    number: int
    rows: list[gauges.Row]
    last: bool
    declared: DeclaredMetrics | None = None


@dataclass(frozen=True, slots=True)
class TappedRequest:
    """
    A request that a tap shows, or a line of the access log.

    @ivar lost: How many before it were not told of, since much waited already.
    """

    number: int
    tapped: Tapped
    lost: int


@dataclass(frozen=True, slots=True)
class LivePart:
    """A part of what happens at a worker."""

    number: int
    part: Part
