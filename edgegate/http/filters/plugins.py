"""HTTP filters of others, which Twisted's plugin system finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from traceback import extract_tb

from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.plugin import getPlugins
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.http.filters.interfaces import IHTTPFilterFactory


def installed() -> tuple[list[IHTTPFilterFactory], list[str]]:
    """
    Return what makes the filters that there are in C{twisted/plugins/} on Python's path, and nothing else; and where
    plugins of whatever kind broke, C{FILE:LINE: words}: Twisted logs that and goes on.
    """
    broken = _Broken()
    globalLogPublisher.addObserver(broken)
    try:
        return list(getPlugins(IHTTPFilterFactory)), broken.places
    finally:
        globalLogPublisher.removeObserver(broken)


def find(name: str, factories: Iterable[IHTTPFilterFactory], broken: Sequence[str] = ()) -> IHTTPFilterFactory:
    """
    Return what makes the filter of a name.

    @param broken: Where plugins broke, of which one could have been it.
    @raise ValueError: There is none of that name, or more than one.
    """
    by_name: dict[str, list[IHTTPFilterFactory]] = {}
    nameless = []
    for factory in factories:
        called = getattr(factory, "name", None)
        if isinstance(called, str):
            by_name.setdefault(called, []).append(factory)
        else:
            nameless.append(f"{type(factory).__module__}.{type(factory).__qualname__} has no name")
    found = by_name.get(name, [])
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"{len(found)} plugins have an HTTP filter called {name!r}")
    known = ", ".join(sorted(by_name)) or "there are none"
    failed = "".join(f"; a plugin is broken: {each}" for each in (*broken, *nameless))
    raise ValueError(f"no plugin has an HTTP filter called {name!r}; installed: {known}{failed}")


@implementer(ILogObserver)
class _Broken:
    """Notes where imports broke, of what is logged."""

    def __init__(self) -> None:
        self.places: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        failure = event.get("log_failure", event.get("failure"))
        if isinstance(failure, Failure) and failure.value is not None:
            self.places.append(_place(failure.value))


def _place(error: BaseException) -> str:
    """Return where an import broke, and why."""
    name = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {name}: {error.msg}"
    words = f"{name}: {error}"
    frames = extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}: {words}" if frames else words
