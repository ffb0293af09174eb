"""What came of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field


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


@dataclass
class Figures:
    """All of one run."""

    work: dict[str, dict[str, Figure]] = field(default_factory=dict)
    idle: dict[str, Idle] = field(default_factory=dict)
    growth: list[Growth] = field(default_factory=list)
