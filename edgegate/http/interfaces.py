"""The seam between HTTP's channels and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from edgegate.http.exchange import Exchange


class IResource(Interface):
    """Answers exchanges, whatever the HTTP version that carries them."""

    def render(exchange: Exchange) -> None:
        """
        Begin to answer one exchange.

        The request's head is whole, its body may still be on its way: it goes
        to C{exchange.upload}, which the resource sets if it wants the body.
        The answer is given now or later by C{exchange.answer}, C{send} and
        C{finish}, or whole by C{reply} or C{fail}.
        """
