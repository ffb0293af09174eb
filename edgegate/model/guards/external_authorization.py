# Compiled: values that hot modules read.
"""Policies that have a service decide: Istio's C{AuthorizationPolicy} with the action C{CUSTOM}."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.model.authorizers import Authorizer
from edgegate.model.guards.authorization import Rules
from edgegate.model.guards.guard import Guard, Stage


@dataclass(frozen=True, slots=True)
class ExternalAuthorization(Guard):
    """
    All policies of one provider that hold at one place: it is asked once about what one of their rules matches.

    @ivar rules: Of C{CUSTOM}.
    """

    rules: Rules
    authorizer: Authorizer

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.CUSTOM
