"""
API keys: files of their hashes, where requests show them, and whose they are.

A key is long and random, so that one round of SHA-256 keeps it as well as the slow hashes of passwords do theirs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from edgegate.access.lines import Mistake, lines_of
from edgegate.access.request_parts import cookies, parameters
from edgegate.model.guards.credentials import KeyLocation, KeyPlace

MOST_KEYS: Final = 100_000
LONGEST_KEY: Final = 512
MOST_SHOWN: Final = 4
"""Keys that one request may show."""

_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+/-]{0,127}")
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")

Field = tuple[bytes, bytes]


class BadKey(ValueError):
    """A client's name or the hash of its key is none. The message does not repeat the hash: it may be the key."""


@dataclass(slots=True)
class KeyFile:
    """
    What a file of keys says.

    @ivar keys: SHA-256 digests with their clients' names.
    @ivar mistakes: What is wrong, by line.
    """

    keys: dict[bytes, str] = field(default_factory=dict, repr=False)
    mistakes: list[Mistake] = field(default_factory=list)


def parse_keys(content: bytes) -> KeyFile:
    """Read a file with C{CLIENT:SHA256} in each line, the hash as C{sha256sum} writes it."""
    file = KeyFile()
    for number, line in lines_of(content):
        if len(file.keys) >= MOST_KEYS:
            file.mistakes.append(Mistake(number, f"more than {MOST_KEYS} keys"))
            break
        name, colon, text = line.decode("utf-8", "replace").partition(":")
        try:
            if not colon:
                raise BadKey("expected CLIENT:SHA256, there is no colon")
            digest = key_digest(text.strip())
            check_client(name.strip())
            if digest in file.keys:
                raise BadKey("the key of this hash stands further up already")
        except BadKey as error:
            file.mistakes.append(Mistake(number, str(error)))
            continue
        file.keys[digest] = name.strip()
    if not file.keys and not file.mistakes:
        file.mistakes.append(Mistake(1, "no key stands in it: nobody could enter"))
    return file


def key_digest(text: str) -> bytes:
    """
    Return the digest that a text stands for.

    @raise BadKey: It stands for none.
    """
    if _DIGEST.fullmatch(text) is None:
        raise BadKey("expected the SHA-256 hash of a key, 64 hexadecimal digits: printf %s KEY | sha256sum")
    return bytes.fromhex(text)


def check_client(name: str) -> None:
    """
    @raise BadKey: A client can't be called so.
    """
    if _CLIENT.fullmatch(name) is None:
        raise BadKey("a client's name has 1 to 128 letters, digits and . _ @ + / -")


class KeyRing:
    """
    Whose key a key is. Asked for each request; takes the same way for right keys and wrong ones.

    What is looked up is the hash of a key, which nobody can choose, and it is compared with another one only where
    their keyed hashes in Python's dictionary are equal: the time of a look-up tells nothing of the hashes in the file.
    """

    __slots__ = ("_clients",)

    def __init__(self, keys: Iterable[tuple[bytes, str]]) -> None:
        """
        @param keys: SHA-256 digests with clients' names.
        """
        self._clients = dict(keys)

    def client(self, key: bytes) -> str | None:
        """Return whose key it is; L{None}: nobody's."""
        if not 0 < len(key) <= LONGEST_KEY:
            return None
        return self._clients.get(sha256(key).digest())

    def client_of(self, shown: Collection[bytes]) -> str | None:
        """Return whose keys these are: all have to be one client's; L{None}: nobody's."""
        if not 0 < len(shown) <= MOST_SHOWN:
            return None
        clients = {self.client(key) for key in shown}
        return clients.pop() if len(clients) == 1 else None


def shown_keys(places: Iterable[KeyPlace], fields: Collection[Field], query: bytes) -> list[bytes]:
    """Return the keys that a request shows in these places; an empty one is one too."""
    found: list[bytes] = []
    for place in places:
        if place.location is KeyLocation.HEADER:
            found.extend(_in_headers(place, fields))
        elif place.location is KeyLocation.QUERY:
            found.extend(parameters(query, place.name))
        else:
            found.extend(cookies(fields, place.name))
    return found


def _in_headers(place: KeyPlace, fields: Collection[Field]) -> Iterable[bytes]:
    """Yield what stands behind the prefix, whose case does not count, as that of a scheme (RFC 9110 section 11.1)."""
    prefix = place.prefix.lower()
    for name, value in fields:
        if name == place.name and value[: len(prefix)].lower() == prefix:
            yield value[len(prefix) :].strip(b" \t")
