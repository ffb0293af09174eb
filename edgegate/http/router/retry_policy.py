# Compiled: asked by a hot module about each try that failed.
"""
When a request is tried again, and after how long (Envoy's router with Istio's C{HTTPRetry}).

Pure: it is told what happened and answers how many seconds to wait.
"""

from __future__ import annotations

from random import Random
from typing import Final

from edgegate.model.policies import RetryPolicy
from edgegate.upstream.retry_budget import RetryBudget

LIMIT_EXCEEDED: Final = "URX"
OVERFLOW: Final = "UO"

MAX_BACKOFF: Final = 10
"""How many times the base the longest wait is (Envoy's C{retry_back_off.max_interval})."""


class Retries:
    """
    The tries after the first of one request.

    @ivar refused: The response flag that says why there is no further try although the policy asks for one: the
        attempts are used up, or the cluster's budget is; empty before that.
    """

    __slots__ = ("_budget", "_done", "_policy", "_random", "refused")

    def __init__(self, policy: RetryPolicy, budget: RetryBudget, random: Random) -> None:
        self._policy = policy
        self._budget = budget
        self._random = random
        self._done = 0
        self.refused = ""

    def again(self) -> float | None:
        """Return the seconds to wait before the next try; L{None}: there is none, and C{refused} says why."""
        if self._done >= self._policy.attempts:
            self.refused = LIMIT_EXCEEDED
            return None
        if not self._budget.spend(self._done > 0):
            self.refused = OVERFLOW
            return None
        base = self._policy.backoff
        longest = base * (2**self._done if self._done < 4 else MAX_BACKOFF)
        self._done += 1
        return self._random.random() * longest

    def end(self) -> None:
        """The request has ended."""
        if self._done:
            self._done = 0
            self._budget.release()
