"""What lists of addresses make of requests and connections that are made up."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.access.address_list import admits
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.address_list import address_list_refusal, judged_address
from edgegate.model.addresses import client_text
from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.guard import Guards
from edgegate.net.addresses import ConnectionInfo


def judge_address_list(guard: AddressList, exchange: Exchange) -> Judgement:
    """Look the client's address up."""
    return _by_address(guard, judged_address(guard, exchange))


def judge_connection_by_address(guard: AddressList, connection: ConnectionInfo) -> Judgement:
    """Look up who has connected."""
    return _by_address(guard, client_text(connection.peer))


def judged_first(guards: Guards, connection: ConnectionInfo, trusted_hops: int) -> Iterator[Judgement]:
    """Yield the denial of a connection for requests that is told to go before its handshake of TLS, if it is."""
    for guard in guards:
        if isinstance(guard, AddressList) and (guard.of_peer or not trusted_hops):
            found = judge_connection_by_address(guard, connection)
            if found.verdict is Verdict.DENIED:
                yield found
                return


def _by_address(guard: AddressList, address: bytes) -> Judgement:
    text = address.decode("latin-1")
    if admits(guard, address):
        return Judgement(guard, Verdict.ALLOWED, f"the address {text} may enter")
    on_deny = guard.deny is not None and not admits(AddressList(guard.name, guard.origin, deny=guard.deny), address)
    words = f"the address {text} is {'on deny' if on_deny else 'not on allow'}"
    return Judgement(guard, Verdict.DENIED, words, address_list_refusal(guard))
