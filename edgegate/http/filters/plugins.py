"""HTTP filters of others, which Twisted's plugin system finds."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.plugin import getPlugins

from edgegate.http.filters.interfaces import IHTTPFilterFactory


def installed() -> list[IHTTPFilterFactory]:
    """Return what makes the filters that there are in C{twisted/plugins/} on Python's path, and nothing else."""
    return list(getPlugins(IHTTPFilterFactory))


def find(name: str, factories: Iterable[IHTTPFilterFactory]) -> IHTTPFilterFactory:
    """
    Return what makes the filter of a name.

    @raise ValueError: There is none of that name, or more than one.
    """
    by_name: dict[str, list[IHTTPFilterFactory]] = {}
    for factory in factories:
        by_name.setdefault(factory.name, []).append(factory)
    found = by_name.get(name, [])
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"{len(found)} plugins have an HTTP filter called {name!r}")
    known = ", ".join(sorted(by_name)) or "there are none"
    raise ValueError(f"no plugin has an HTTP filter called {name!r}; installed: {known}")
