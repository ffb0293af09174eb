"""How much the service log tells, which can be changed while the gateway runs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from twisted.logger import FilteringLogObserver, ILogObserver, Logger, LogLevel, LogLevelFilterPredicate, LogPublisher

log = Logger(namespace=__name__)

NAMES = tuple(level.name for level in LogLevel.iterconstants())
"""From the one that tells most."""

ALL = "debug"
"""What is told as long as nobody says otherwise."""

MOST = 100
"""Namespaces that have a level of their own."""

_NAMESPACE = re.compile(r"[A-Za-z0-9_.#-]{1,200}")


class BadLevel(ValueError):
    """A level can't be set; says why."""


class LogLevels:
    """
    The levels: what is told of each namespace, and of those within it.

    Nothing is between those who log and those who write as long as no level was set.

    @ivar default: Of what has none of its own.
    @ivar namespaces: Those that have.
    """

    def __init__(self, publisher: LogPublisher) -> None:
        """
        @param publisher: Tells those who write, who are there by the time that a level is first set.
        """
        self.default = ALL
        self.namespaces: dict[str, str] = {}
        self._publisher = publisher
        self._predicate = LogLevelFilterPredicate(defaultLogLevel=LogLevel.levelWithName(ALL))
        self._between = False

    def set_all(self, level: str) -> None:
        """
        Have one level for all.

        @raise BadLevel: There is no such level.
        """
        self._change(level, {})

    def set(self, namespace: str, level: str) -> None:
        """
        Set the level of a namespace, such as C{edgegate.upstream}, and of those within it that have none.

        @raise BadLevel: There is no such level, or the namespace can't be one.
        """
        if _NAMESPACE.fullmatch(namespace) is None:
            raise BadLevel("a namespace is what stands in brackets in the log, such as edgegate.upstream")
        namespaces = {**self.namespaces, namespace: level}
        if len(namespaces) > MOST:
            raise BadLevel(f"{MOST} namespaces have a level of their own already; level=debug alone forgets them")
        self._change(self.default, namespaces)

    def _change(self, default: str, namespaces: dict[str, str]) -> None:
        wrong = {default, *namespaces.values()}.difference(NAMES)
        if wrong:
            raise BadLevel(f"a level is one of {', '.join(NAMES)}, not {min(wrong)!r}")
        if not self._between:
            self._between = True
            self._put_between()
        self.default, self.namespaces = default, namespaces
        self._predicate.clearLogLevels()
        for namespace, level in (("", default), *namespaces.items()):
            self._predicate.setLogLevelForNamespace(namespace, LogLevel.levelWithName(level))

    def _put_between(self) -> None:
        # they are twistd's, which has no way to look at them or to filter what they are told
        writing: Iterable[ILogObserver] = tuple(self._publisher._observers)
        for observer in writing:
            self._publisher.removeObserver(observer)
            self._publisher.addObserver(FilteringLogObserver(observer, [self._predicate]))
