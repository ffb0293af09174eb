"""A filter for tests, which does what it is told."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import ChainFilter, FilterStatus, HTTPFilter, IHTTPFilterFactory
from edgegate.http.response import ResponseHead
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import FilterChain

Look = Callable[[Exchange], FilterStatus]
Change = Callable[[Exchange, ResponseHead], ResponseHead]


def let_pass(exchange: Exchange) -> FilterStatus:
    """Let a request go on."""
    return FilterStatus.CONTINUE


class TestFilter(HTTPFilter):
    """Looks at requests as it is told, and puts its name into responses."""

    __test__ = False

    def __init__(self, name: str, look: Look, signs: bool, change: Change | None) -> None:
        self.name = name
        self._look = look
        self._signs = signs
        self._change = change

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """Do as told."""
        return self._look(exchange)

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """Sign it, do what else is told, or fail."""
        if not self._signs:
            raise ZeroDivisionError
        if self._change is not None:
            return self._change(exchange, head)
        return head.with_fields([*head.fields, (b"x-filter", self.name.encode())])


class _Chain(ChainFilter):
    def __init__(self, factory: TestFilters) -> None:
        self._factory = factory

    def for_route(self, route: HTTPRoute) -> HTTPFilter | None:
        self._factory.routes.append(route)
        return TestFilter(self._factory.name, self._factory.look, self._factory.signs, self._factory.change)


@implementer(IHTTPFilterFactory)
class TestFilters:
    """
    Makes the filter.

    @ivar chains: For which it was made.
    @ivar routes: For which it was given settings.
    """

    __test__ = False

    def __init__(
        self, name: str = "test", look: Look = let_pass, signs: bool = True, change: Change | None = None
    ) -> None:
        self.name = name
        self.look = look
        self.signs = signs
        self.change = change
        self.environment: HTTPEnvironment | None = None
        self.chains: list[FilterChain] = []
        self.routes: list[HTTPRoute] = []

    def make(self, chain: FilterChain, environment: HTTPEnvironment) -> ChainFilter | None:
        """Make it."""
        self.environment = environment
        self.chains.append(chain)
        return _Chain(self)
