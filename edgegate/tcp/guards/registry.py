"""Which filter acts on connections for which kind of guard. Others are of requests alone, and pass connections over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.authorization import Authorization
from edgegate.model.guards.guard import Guard
from edgegate.tcp.guards.address_list import AddressListConnectionFilter
from edgegate.tcp.guards.authorization import AuthorizationConnectionFilter
from edgegate.tcp.guards.interfaces import ConnectionEnvironment, ConnectionFilter

MakeFilter = Callable[[Any, ConnectionEnvironment], ConnectionFilter]

CONNECTION_GUARDS: Final[dict[type[Guard], MakeFilter]] = {
    AddressList: AddressListConnectionFilter,
    Authorization: AuthorizationConnectionFilter,
}
"""What makes the filter of a guard, by its type: once for each change of the files."""


def filters_of(
    guards: Iterable[Guard], environment: ConnectionEnvironment, kinds: Mapping[type[Guard], MakeFilter]
) -> tuple[ConnectionFilter, ...]:
    """Return the filters of those guards that act on connections, in their order."""
    return tuple(kinds[type(guard)](guard, environment) for guard in guards if type(guard) in kinds)
