"""The options of C{twistd edgegate} that help to find out what became of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping

MOST_RECENT = 100_000
"""Requests that may be kept; see L{edgegate.http.recent_requests}."""

PARAMETERS = [
    [
        "recent-requests",
        None,
        "0",
        "How many of the last requests are kept in memory, with their heads and tries, for /requests on the admin "
        "listener and edgegate explain --request-id; 0: none.",
    ],
]
"""As in L{twisted.python.usage.Options}."""


def recent_requests(options: Mapping[str, str]) -> int:
    """
    Return how many of the last requests are kept.

    @raise ValueError: It is no number, or too large a one.
    """
    given = options["recent-requests"]
    if not re.fullmatch("[0-9]{1,6}", given, re.ASCII) or int(given) > MOST_RECENT:
        raise ValueError(f"--recent-requests: expected a number up to {MOST_RECENT}, such as 1000, got {given!r}")
    return int(given)
