"""What came of comparisons, and the file that keeps it from one to the next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """
    Of one proxy in one scenario.

    @ivar cpu: Microseconds per unit of work.
    @ivar p99: Milliseconds that 99 of 100 took at most.
    @ivar resident: MiB held in memory afterwards.
    """

    cpu: float
    p99: float
    resident: float


@dataclass(frozen=True)
class Idle:
    """
    Of one proxy with idle connections.

    @ivar each: KiB of memory for each.
    """

    connections: int
    each: float


@dataclass(frozen=True)
class Growth:
    """
    Of edgegate with so many virtual hosts of ten routes each.

    @ivar start: Seconds from the command to the open port.
    @ivar reload: Seconds from the signal to the new routes.
    @ivar resident: MiB after the start.
    @ivar most: The most MiB that it ever had, the reload included.
    """

    hosts: int
    start: float
    reload: float
    resident: float
    most: float


@dataclass(frozen=True)
class Run:
    """
    Which run a scenario's figures are of.

    @ivar machine: Its processor and system.
    """

    date: str
    command: str
    machine: str


@dataclass
class Figures:
    """
    Of one run, or of several: those of one scenario are of one.

    @ivar work: By scenario and proxy.
    @ivar idle: By scenario and proxy, too.
    @ivar runs: By scenario.
    @ivar versions: Of the programs, by name.
    """

    work: dict[str, dict[str, Figure]] = field(default_factory=dict)
    idle: dict[str, dict[str, Idle]] = field(default_factory=dict)
    growth: list[Growth] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def joined(self, later: Figures) -> Figures:
        """Return the figures of both: of what both have measured, the later ones."""
        return Figures(
            {**self.work, **later.work},
            {**self.idle, **later.idle},
            later.growth or self.growth,
            {**self.runs, **later.runs},
            {**self.versions, **later.versions},
        )

    def text(self) -> str:
        """Return all as JSON, for L{kept}."""
        return json.dumps(asdict(self), indent=1)


def kept(path: Path) -> Figures:
    """Return the figures that a file keeps; none if there is no such file yet."""
    if not path.exists():
        return Figures()
    found = json.loads(path.read_text())
    return Figures(
        {scenario: {name: Figure(**each) for name, each in row.items()} for scenario, row in found["work"].items()},
        {scenario: {name: Idle(**each) for name, each in row.items()} for scenario, row in found["idle"].items()},
        [Growth(**each) for each in found["growth"]],
        {scenario: Run(**each) for scenario, each in found["runs"].items()},
        found["versions"],
    )
