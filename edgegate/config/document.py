"""One document of a file: its value, and the places of everything in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from edgegate.config.packing import pack, unpack
from edgegate.config.problems import Problem, Problems, Role, Severity
from edgegate.config.templates import hint
from edgegate.model.origin import Origin, Path

__all__ = ["Document", "Path", "Places", "format_path", "snake_case"]

Places = dict[str | int, tuple[int, int, "Places | None"]]
"""Where the keys of a mapping or the items of a list are (line and column, from 1), and their own places."""

_OPEN = 3
"""Levels of packed places that are unpacked together, C{spec.http[0]}: what is within is packed once more."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_HUMP = re.compile(r"(?<!^)([A-Z])")


def format_path(path: Path) -> str:
    """Return a path as messages show it: C{spec.servers[0].tls.mode}."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _PLAIN_KEY.fullmatch(key):
            text += f".{key}" if text else key
        else:
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text


def snake_case(name: str) -> str:
    """Return protobuf's own spelling of a JSON name: C{fixed_delay} for C{fixedDelay}."""
    return _HUMP.sub(r"_\1", name).lower()


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """
    One item of YAML that is an object of some API.

    @ivar file: As the user named it, relative to the folder.
    @ivar line: Where it begins, from 1.
    @ivar creation_timestamp: When a cluster says that it was made; an aware time.
    @ivar value: The whole document as dicts, lists, strings, numbers, booleans and L{None}. Aliases share their
        values, so nothing in it may be changed.
    @ivar places: Where everything in it is; of one that is L{packed}, as bytes.
    @ivar title: What messages call it: C{VirtualService default/webapp}.
    @ivar kept: For lists of which items could not be used, by path: the indexes of those that were. Paths are then
        those of what was decoded; problems show the file's own.
    @ivar misspelt: For fields that were understood although they are misspelt, by right path: the file's key.
    """

    file: str
    line: int
    kind: str
    api_version: str
    name: str
    namespace: str = "default"
    labels: Mapping[str, str] = field(default_factory=dict)
    creation_timestamp: datetime | None = None
    value: Mapping[str, Any] = field(default_factory=dict, repr=False)
    places: Places | bytes = field(default_factory=dict, repr=False)
    kept: Mapping[Path, tuple[int, ...]] = field(default_factory=dict, repr=False)
    misspelt: Mapping[Path, str] = field(default_factory=dict, repr=False)
    title: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # made once: all origins share it
        object.__setattr__(self, "title", f"{self.kind} {self.namespace}/{self.name}")

    def packed(self, metadata: bool = False) -> Document:
        """
        Return what is left to keep of it once its value was decoded: its names, and its places as bytes.

        @param metadata: Whether to keep that part of its value.
        """
        assert not isinstance(self.places, bytes)
        value = {"metadata": self.value.get("metadata")} if metadata else {}
        return replace(self, value=value, places=pack(_folded(self.places, _OPEN)))

    @property
    def group(self) -> str:
        """The API group: C{networking.istio.io}; empty for Kubernetes' core."""
        return self.api_version.rpartition("/")[0]

    @property
    def origin(self) -> Origin:
        """Where it begins."""
        return Origin(self.file, self.line, self.title)

    def origin_of(self, path: Path) -> Origin:
        """Where a part of it is."""
        return Origin(self.file, self.place(path)[0], self.title, path)

    def place(self, path: Path) -> tuple[int, int]:
        """
        Return line and column of a key or of a list's item, from 1; of the nearest thing around it where there is none.

        Keys are found in both of protobuf's spellings.
        """
        return self._place(self.original(path))

    def paths(self) -> Iterator[Path]:
        """Yield the paths of all keys and items in the file, outer ones first."""
        todo: list[tuple[Path, Places | bytes]] = [((), self.places)]
        while todo:
            path, places = todo.pop()
            for key, (_, _, within) in _unfolded(places).items():
                yield (*path, key)
                if within is not None:
                    todo.append(((*path, key), within))

    def original(self, path: Path) -> Path:
        """Return a path of what was decoded as one of the file."""
        if not self.kept and not self.misspelt:
            return path
        original: Path = ()
        for key in path:
            if isinstance(key, int):
                kept = self.kept.get(original)
                original = (*original, key if kept is None else kept[key])
            else:
                original = (*original, self.misspelt.get((*original, key), key))
        return original

    def _place(self, path: Path) -> tuple[int, int]:
        line, column = self.line, 1
        places = _unfolded(self.places)
        for key in path:
            found = places.get(key)
            if found is None and isinstance(key, str):
                found = places.get(snake_case(key))
            if found is None:
                break
            line, column = found[0], found[1]
            if found[2] is None:
                break
            # below some levels those of a packed document are packed once more
            places = _unfolded(found[2])
        return line, column

    def problem(
        self,
        problems: Problems,
        severity: Severity,
        path: Path,
        message: str,
        role: Role = Role.ITSELF,
        code: str = "",
    ) -> None:
        """
        Report what is wrong with a part of it.

        @param code: One of L{edgegate.model.codes}.
        """
        original = self.original(path)
        if severity is Severity.ERROR:
            message += hint(message)
        line, column = self._place(original)
        where = format_path(original)
        problems.add(Problem(self.file, line, column, severity, where, message, role, code, self.title))

    def error(self, problems: Problems, path: Path, message: str, role: Role = Role.ITSELF, code: str = "") -> None:
        """Report an error."""
        self.problem(problems, Severity.ERROR, path, message, role, code)

    def warning(self, problems: Problems, path: Path, message: str, role: Role = Role.ITSELF, code: str = "") -> None:
        """Report a warning."""
        self.problem(problems, Severity.WARNING, path, message, role, code)


def _folded(places: Places, levels: int) -> Any:
    """Return places of which those below some levels are packed."""
    if levels == 0:
        return pack(places)
    return {
        key: (line, column, None if within is None else _folded(within, levels - 1))
        for key, (line, column, within) in places.items()
    }


def _unfolded(places: Places | bytes) -> Places:
    return _unpack(places) if isinstance(places, bytes) else places


@lru_cache(maxsize=8)
def _unpack(packed: bytes) -> Places:
    """Return packed places; those that are asked for one after the other are mostly those of one document."""
    places: Places = unpack(packed)
    return places
