# Compiled: the hot ways of choosing are made from it.
"""
How one of several endpoints is chosen (Istio's C{LoadBalancerSettings}).

Each way is a L{Chooser} over endpoints that are fit; whoever has other endpoints, or other weights, makes a new one.
"""

from __future__ import annotations

from typing import Protocol

from edgegate.upstream.endpoint import EndpointState


class Chooser(Protocol):
    """One way to choose."""

    def choose(self, key: int | None) -> EndpointState:
        """
        Return an endpoint.

        @param key: 64 bits that stand for what is alike about requests that belong together; L{None}: nothing is.
            Only choosers that hash look at it.
        """


class Only:
    """
    The choice where there is none.

    @ivar endpoint: Who is chosen.
    """

    __slots__ = ("endpoint",)

    def __init__(self, endpoint: EndpointState) -> None:
        self.endpoint = endpoint

    def choose(self, key: int | None) -> EndpointState:
        """Return it."""
        return self.endpoint
