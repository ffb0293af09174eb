"""Asks a URL for nothing but the status of its answer: within a time, and following no redirects."""

from __future__ import annotations

from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from edgegate.http.guards.key_set_client import TreqKeySetClient, drop
from edgegate.version import described

TIMEOUT = 5.0
"""Seconds for an answer."""


class AskClient(TreqKeySetClient):
    """Asks over TLS with the authorities that the system trusts and with others. Not by treq: it refuses C{[::1]}."""

    def ask(self, url: str) -> Deferred[int]:
        """Ask, and fire with the status of the answer; it fails with what is wrong in words."""
        headers = Headers({"user-agent": [described()], "host": [urlsplit(url).netloc]})
        # what is wrong with a host is raised at once
        asked = maybeDeferred(self._agent(TIMEOUT).request, b"GET", url.encode("ascii"), headers)
        return self._within(TIMEOUT, asked.addCallback(_status))


def _status(response: IResponse) -> int:
    drop(response)
    status: int = response.code
    return status
