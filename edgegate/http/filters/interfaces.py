"""
HTTP filters: what looks at requests that have a route before they are answered, and at the responses on their way back.

Not compiled, so that filters of others may be subclasses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import IntEnum

from zope.interface import Attribute, Interface

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.response import ResponseHead
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import FilterChain


class FilterStatus(IntEnum):
    """What becomes of a request after a filter has seen its head."""

    CONTINUE = 0  # the next filter has its turn, or what answers
    STOP = 1  # it was answered, or is held by an L{edgegate.http.filters.hold.Hold}


class FilterExited(Exception):
    """A filter raised what is to end a process or a task, as C{SystemExit} or asyncio's C{CancelledError}."""


class Unanswered(Exception):
    """A filter keeps a request that it neither answers nor holds any longer: its client would wait for ever."""


class HeldAndContinued(Exception):
    """A filter lets a request go on that it holds: it must not pass where it may have been meant to wait."""


class AnsweredTwice(Exception):
    """A filter has answered where it was shown a response: that one is not sent behind its own."""


class ChainFilter(ABC):
    """A filter on one filter chain, before the route of a request is known."""

    __slots__ = ()

    @abstractmethod
    def for_route(self, route: HTTPRoute) -> HTTPFilter | None:
        """
        Return the filter with the settings of a route; L{None}: that route does without.

        Called once for each route that is asked for.
        """


class HTTPFilter(ChainFilter):
    """
    A filter, for all requests of one route on one filter chain: what belongs to one exchange is not kept here.

    What it raises ends the exchange with 500, and nothing else.

    @ivar name: What the access log calls it (C{response_code_details}) where it answers and says nothing else.
    """

    __slots__ = ()

    name: str

    def for_route(self, route: HTTPRoute) -> HTTPFilter | None:
        """All routes share one filter, unless a subclass says otherwise."""
        return self

    @abstractmethod
    def request_head(self, exchange: Exchange) -> FilterStatus:
        """
        Look at a request, whose body may still be on its way.

        It may be answered (C{exchange.reply}, C{exchange.fail}), its head may be changed (C{exchange.change_request}),
        flags may be put into the log (C{exchange.mark}), and it may be held.
        """

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """
        Return the head of the response, or another in its place.

        Filters are asked in the reverse of their order; those that let the request go on, whoever answered it behind
        them. A head is never changed itself: many responses may share it.
        """
        return head


class IHTTPFilterFactory(Interface):
    """
    Makes the filter of one name.

    Embedders provide their own together with L{twisted.plugin.IPlugin}, in a module in C{twisted/plugins/} somewhere on
    Python's path; C{--http-filter} switches it on.
    """

    name: str = Attribute("By which it is switched on.")

    def make(chain: FilterChain, environment: HTTPEnvironment) -> ChainFilter | None:
        """
        Make the filter of a filter chain; L{None}: that chain does without.

        Called when the first request of a chain asks for it, and again after each change of the files.
        """
