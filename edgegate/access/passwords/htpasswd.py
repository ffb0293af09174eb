"""
Files of users and their passwords' hashes, as Apache's C{htpasswd} writes them: C{USER:HASH} in each line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from edgegate.access.lines import Mistake, lines_of
from edgegate.access.passwords.hashes import UnknownHash, password_hash

MOST_USERS: Final = 10_000
LONGEST_NAME: Final = 255
"""Bytes of a user's name."""


@dataclass(slots=True)
class PasswordFile:
    """
    What a file says.

    @ivar users: Names and hashes as they are written.
    @ivar mistakes: What is wrong, by line.
    @ivar doubts: What is weak, by line.
    """

    users: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    mistakes: list[Mistake] = field(default_factory=list)
    doubts: list[Mistake] = field(default_factory=list)


def parse_htpasswd(content: bytes) -> PasswordFile:
    """Read a file; all that is wrong is told, and nothing of a hash is ever repeated."""
    file = PasswordFile()
    first: dict[bytes, int] = {}
    for number, line in lines_of(content):
        if len(file.users) >= MOST_USERS:
            file.mistakes.append(Mistake(number, f"more than {MOST_USERS} users"))
            break
        name, colon, text = line.partition(b":")
        try:
            _check_name(name, colon)
            if name in first:
                raise UnknownHash(f"this user stands in line {first[name]} already")
            found = password_hash(text)
        except UnknownHash as error:
            file.mistakes.append(Mistake(number, str(error)))
            continue
        first[name] = number
        file.users[name] = text
        if found.doubt:
            file.doubts.append(Mistake(number, found.doubt))
    if not file.users and not file.mistakes:
        file.mistakes.append(Mistake(1, "no user stands in it: nobody could enter"))
    return file


def _check_name(name: bytes, colon: bytes) -> None:
    """
    @raise UnknownHash: A user can't be called so.
    """
    if not colon:
        raise UnknownHash("expected USER:HASH, there is no colon")
    if not name or len(name) > LONGEST_NAME:
        raise UnknownHash(f"a user's name has 1 to {LONGEST_NAME} bytes")
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise UnknownHash("a user's name is UTF-8") from None
    if name != name.strip() or not text.isprintable():
        raise UnknownHash("a user's name has no blanks around it and no control characters")
