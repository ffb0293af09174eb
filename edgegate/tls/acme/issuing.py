"""What is asked of an authority, of whichever kind, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.tls import KeyPair


class NotIssued(Exception):
    """
    An authority was asked for something and has not given it.

    @ivar retry_after: Seconds for which it wants no other try; 0: it says nothing.
    """

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Window:
    """
    When an authority suggests to renew a certificate (RFC 9773 section 4.2).

    @ivar begin: Seconds since the epoch; C{end} likewise.
    @ivar retry_after: Seconds until it wants to be asked again; 0: it says nothing.
    """

    begin: float
    end: float
    retry_after: float


class Issuing(Protocol):
    """Asks an authority for certificates. For threads."""

    def issue(self, certificate: ManagedCertificate) -> KeyPair:
        """
        Have a certificate issued, with a key that is new.

        @raise NotIssued: It was not.
        @raise OSError: The store can't be read or written.
        """

    def window(self, pair: KeyPair) -> Window | None:
        """
        Ask when a certificate should be renewed; L{None}: the authority does not say such things.

        @raise NotIssued: It does not answer.
        @raise OSError: The store can't be read or written.
        """

    def is_revoked(self, pair: KeyPair) -> bool:
        """
        Ask whether a certificate was revoked, where L{window} says nothing of it.

        @raise NotIssued: It can't be said.
        """

    def revoke(self, pair: KeyPair, reason: int) -> None:
        """
        Have a certificate revoked. One that is revoked already is so.

        @param reason: A number of RFC 5280 section 5.3.1.
        @raise NotIssued: It was not revoked.
        @raise OSError: The store can't be read or written.
        """
