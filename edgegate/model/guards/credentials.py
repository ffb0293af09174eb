# Compiled: values that hot modules read.
"""Who has a password or a key: edgegate's BasicAuthPolicy and APIKeyPolicy."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.picklable import Picklable


@dataclass(frozen=True, slots=True)
class BasicAuth(Guard):
    """
    Lets those pass who have a user's name and password (RFC 7617).

    @ivar users: Names and the hashes of their passwords, as C{htpasswd} writes them.
    @ivar realm: What clients are told that they are asked for.
    @ivar user_header: The request's field that names the user to backends, in lower case; empty: none does.
    @ivar forward: Whether backends get the user's credentials, too.
    """

    users: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    realm: bytes
    user_header: bytes = b""
    forward: bool = False

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.CREDENTIALS


class KeyLocation(Enum):
    """Where in a request a key may stand."""

    HEADER = "header"
    QUERY = "queryParameter"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class KeyPlace(Picklable):
    """
    A place where a key is looked for.

    @ivar name: Of the header, in lower case; of the query parameter or the cookie.
    @ivar prefix: What stands before the key in a header, such as C{ApiKey }.
    """

    location: KeyLocation
    name: bytes
    prefix: bytes = b""


@dataclass(frozen=True, slots=True)
class APIKeys(Guard):
    """
    Lets those pass who show a key.

    @ivar places: Where it is looked for.
    @ivar keys: SHA-256 digests of keys, each with its client's name.
    @ivar realm: What clients are told that they are asked for.
    @ivar client_header: The request's field that names the client to backends, in lower case; empty: none does.
    @ivar forward: Whether backends get the key, too.
    """

    places: tuple[KeyPlace, ...]
    keys: tuple[tuple[bytes, str], ...] = field(repr=False)
    realm: bytes
    client_header: bytes = b""
    forward: bool = False

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.CREDENTIALS
