"""What is asked of who answers challenges of one kind."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from edgegate.model.certificates import ChallengeKind


class NotAnswered(Exception):
    """A challenge can't be answered; the message says why."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """
    What an authority wants to see.

    @ivar host: Whose, as it stands in the certificate: with C{*.} for a wildcard.
    @ivar token: As the authority has it; nobody has looked at it.
    @ivar key_authorization: The token and what tells the account's key (RFC 8555 section 8.1).
    """

    host: str
    token: str
    key_authorization: str = field(repr=False)


class Solver(Protocol):
    """Answers the challenges of one kind, in threads: it may wait for files, the network or programs."""

    @property
    def kind(self) -> ChallengeKind:
        """Which challenges it answers."""

    def proves(self, host: str) -> bool:
        """Whether a challenge of its kind can prove that a host is ours."""

    def answered(self, challenge: Challenge) -> AbstractContextManager[None]:
        """
        Have a challenge answered meanwhile: the authority may ask once the block has begun, and what was done for it is
        undone at its end. What can't be undone is logged.

        @raise NotAnswered: It can't be.
        @raise ValueError: The authority's token is none.
        @raise OSError: The store can't be written.
        """
