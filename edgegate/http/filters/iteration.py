# Hot path: made for each request that meets guards, or whose route has filters.
"""The way of one exchange through guards and filters, and back."""

from __future__ import annotations

from twisted.logger import Logger

from edgegate.errors import GUARD_FAILED
from edgegate.http.exchange import Exchange, HTTPFilters, Phase
from edgegate.http.fields import check_response_fields
from edgegate.http.filters.interfaces import (
    AnsweredTwice,
    FilterExited,
    FilterStatus,
    HeldAndContinued,
    HTTPFilter,
    Unanswered,
)
from edgegate.http.interfaces import IResource
from edgegate.http.response import ResponseHead

log = Logger(namespace=__name__)


class FilterIteration(HTTPFilters):
    """
    How far one exchange is. It knows the exchange only while it is called: neither keeps the other in memory.

    What stands on a virtual host comes first; the filters of the route then are an iteration of their own within it, so
    that the response passes those, and then what stands around them.
    """

    __slots__ = ("_filters", "_guards", "_outer", "_passed", "_position", "_resource")

    def __init__(
        self,
        filters: tuple[HTTPFilter, ...],
        resource: IResource,
        guards: int = 0,
        outer: HTTPFilters | None = None,
        passed: int = 0,
    ) -> None:
        """
        @param resource: Answers, where no filter does.
        @param guards: How many of the filters, from the first on, are guards: one that raises refuses the request.
        @param outer: What the request has passed before.
        @param passed: How many of the filters let the request pass already, and leave the response alone.
        """
        self._filters = filters
        self._resource = resource
        self._guards = guards
        self._outer = outer
        self._position = passed
        self._passed = passed

    def start(self, exchange: Exchange) -> None:
        """Have the filters look at the request that have not yet."""
        filters = self._filters
        while self._position < len(filters):
            position = self._position
            if position < self._guards:
                status = _guarded_head(filters[position], exchange)
            else:
                status = _request_head(filters[position], exchange)
            if self._position != position or exchange.phase is not Phase.AWAITED:
                # a hold has let it go on already, or it was answered
                return
            if status == FilterStatus.STOP:
                if exchange.upload is None:
                    raise Unanswered(filters[position].name)
                return
            if exchange.upload is not None:
                raise HeldAndContinued(filters[position].name)
            self._position = self._passed = position + 1
        self._resource.render(exchange)

    def go_on(self, exchange: Exchange) -> None:
        """See L{HTTPFilters.go_on}."""
        self._position += 1
        self._passed = self._position
        self.start(exchange)

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """See L{HTTPFilters.response_head}."""
        # once: should one fail, the response that tells of it goes without
        passed, self._passed = self._passed, 0
        while passed:
            passed -= 1
            filter_ = self._filters[passed]
            changed = _response_head(filter_, exchange, head)
            if exchange.phase is not Phase.AWAITED:
                raise AnsweredTwice(filter_.name)
            if changed is not head:
                known = head.fields
                check_response_fields([field for field in changed.fields if field not in known])
                head = changed
        return head if self._outer is None else self._outer.response_head(exchange, head)

    @property
    def answering(self) -> str:
        """See L{HTTPFilters.answering}."""
        if self._position < len(self._filters):
            return self._filters[self._position].name
        return "" if self._outer is None else self._outer.answering


def _guarded_head(filter_: HTTPFilter, exchange: Exchange) -> FilterStatus:
    """Ask a guard; what it raises is no reason to let anybody pass."""
    try:
        return _request_head(filter_, exchange)
    except Exception:
        log.failure("the guard {name} failed: its request is refused", name=filter_.name)
        exchange.give_up(GUARD_FAILED)
        return FilterStatus.STOP


def _request_head(filter_: HTTPFilter, exchange: Exchange) -> FilterStatus:
    """Ask a filter; what it raises ends one exchange, and not the turn of the reactor that it is asked in."""
    try:
        return filter_.request_head(exchange)
    except Exception:
        raise
    except BaseException as error:
        raise FilterExited(filter_.name) from error


def _response_head(filter_: HTTPFilter, exchange: Exchange, head: ResponseHead) -> ResponseHead:
    """See L{_request_head}."""
    try:
        return filter_.response_head(exchange, head)
    except Exception:
        raise
    except BaseException as error:
        raise FilterExited(filter_.name) from error
