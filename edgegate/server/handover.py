"""
What two processes tell each other of which one takes the other's place.

They may be of different versions of the program, so this is JSON, and neither minds what it does not know:

 - the old one hands sockets, C{{"sockets": [{"role": ..., "address": ..., "name": ...}, ...]}} with their descriptors,
   as many times as it takes, then C{{"begin": {"version": ...}}} with the descriptor of its standard error;
 - the new one says C{{"ready": {"pid": ..., "version": ..., "serves": [ADDRESS, ...]}}} once it serves;
 - the old one says C{{"left": {}}} once it has left all of them, or C{{"cancel": {}}} where it gives the new one up.

An address is C{{"host": ..., "port": ...}} or C{{"path": ...}}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress

VARIABLE = "EDGEGATE_UPGRADE_FD"
"""The variable of the environment that has the number of the descriptor over which a new process is told."""


class NotUnderstood(Exception):
    """What came from the other process lacks something; the words say what."""


class Role(Enum):
    """What a socket is for."""

    PORT = "port"
    """Clients of a port of the files."""

    PASSED = "passed"
    """The same, where the socket is a service manager's."""

    ADMIN = "admin"
    """The admin listener."""


@dataclass(frozen=True, slots=True)
class Handed:
    """
    A listening socket that is handed.

    @ivar address: What it was bound for.
    @ivar name: What a service manager calls it.
    """

    role: Role
    address: Address
    descriptor: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """
    A new process serves.

    @ivar serves: What its ports are bound for.
    """

    pid: int
    version: str
    serves: tuple[Address, ...]


def sockets_message(handed: Iterable[Handed]) -> object:
    """Return what is said of sockets whose descriptors are sent in this order."""
    return {
        "sockets": [{"role": each.role.value, "address": _written(each.address), "name": each.name} for each in handed]
    }


def ready_message(ready: Ready) -> object:
    """Return what a new process says once it serves."""
    return {
        "ready": {
            "pid": ready.pid,
            "version": ready.version,
            "serves": [_written(address) for address in ready.serves],
        }
    }


def handed(said: object, descriptors: Sequence[int]) -> tuple[list[Handed], list[int]]:
    """
    Return the sockets of a message, and the descriptors of those whose role or address is not known here.

    @raise NotUnderstood: It is none.
    """
    entries = said.get("sockets") if isinstance(said, Mapping) else None
    if not isinstance(entries, list) or len(entries) != len(descriptors):
        raise NotUnderstood("the sockets and what is said of them do not agree")
    found, unknown = [], []
    for entry, descriptor in zip(entries, descriptors, strict=True):
        try:
            role, address = Role(entry["role"]), _read(entry["address"])
        except (KeyError, TypeError, ValueError):
            unknown.append(descriptor)
        else:
            found.append(Handed(role, address, descriptor, str(entry.get("name", ""))))
    return found, unknown


def ready(said: object) -> Ready:
    """
    Return what a new process says.

    @raise NotUnderstood: It lacks something.
    """
    try:
        fields = said["ready"]  # type: ignore[index]
        return Ready(int(fields["pid"]), str(fields["version"]), tuple(map(_read, fields["serves"])))
    except (KeyError, TypeError, ValueError) as error:
        raise NotUnderstood(f"it says that it is ready, but not all of it ({type(error).__name__}: {error})") from None


def says(said: object, word: str) -> bool:
    """Whether a message is one of a kind: C{begin}, C{left}, C{cancel}, C{ready}, C{sockets}."""
    return isinstance(said, Mapping) and word in said


def _written(address: Address) -> object:
    if isinstance(address, UNIXAddress):
        return {"path": address.path}
    return {"host": address.host, "port": address.port}


def _read(said: object) -> Address:
    if not isinstance(said, Mapping):
        raise TypeError("no address")
    if "path" in said:
        return UNIXAddress(str(said["path"]))
    return TCPAddress(str(said["host"]), int(said["port"]))
