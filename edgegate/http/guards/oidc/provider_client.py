"""Asks providers: fetches what they say of themselves, and sends them codes and refresh tokens."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from edgegate.http.guards.key_set_client import CollectedBody, TreqKeySetClient
from edgegate.http.guards.oidc.provider import Field
from edgegate.version import described


class TreqProviderClient(TreqKeySetClient):
    """Asks by treq, over TLS with the authorities that the system trusts and with others."""

    def post(self, url: str, fields: list[Field], body: bytes, timeout: float) -> Deferred[tuple[int, bytes]]:
        """See C{ProviderClient.post}. No redirect is followed: a secret goes nowhere else."""
        headers = Headers({name: [value] for name, value in fields})
        headers.setRawHeaders("user-agent", [described()])
        asked: Any = self._http(timeout).post(url, headers=headers, data=body, allow_redirects=False, unbuffered=True)
        return self._within(timeout, asked.addCallback(_answered))


def _answered(response: IResponse) -> Deferred[tuple[int, bytes]]:
    body = CollectedBody()
    response.deliverBody(body)
    return body.whole.addCallback(lambda data: (response.code, data))
