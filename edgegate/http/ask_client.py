"""Asks a URL for nothing but the status of its answer: within a time, and following no redirects."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from edgegate.http.guards.key_set_client import TreqKeySetClient, drop
from edgegate.version import described

TIMEOUT = 5.0
"""Seconds for an answer."""


class AskClient(TreqKeySetClient):
    """Asks by treq, over TLS with the authorities that the system trusts and with others."""

    def ask(self, url: str) -> Deferred[int]:
        """Ask, and fire with the status of the answer; it fails with what is wrong in words."""
        headers = Headers({"user-agent": [described()]})
        asked: Any = self._http(TIMEOUT).get(url, headers=headers, allow_redirects=False, unbuffered=True)
        return self._within(TIMEOUT, asked.addCallback(_status))


def _status(response: IResponse) -> int:
    drop(response)
    status: int = response.code
    return status
