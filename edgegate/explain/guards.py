"""What guards make of a request that is made up, one after the other, up to the one that refuses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from edgegate.access.address_list import admits
from edgegate.access.rate_limits.words import counting
from edgegate.explain.credentials import judge_api_keys, judge_basic_auth
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.address_list import address_list_refusal, judged_address
from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.credentials import APIKeys, BasicAuth
from edgegate.model.guards.guard import Guard, Guards
from edgegate.model.guards.rate_limit import RateLimitGuard


def judge_address_list(guard: AddressList, exchange: Exchange) -> Judgement:
    """Look the client's address up."""
    address = judged_address(guard, exchange)
    text = address.decode("latin-1")
    if admits(guard, address):
        return Judgement(guard, Verdict.ALLOWED, f"the address {text} may enter")
    on_deny = guard.deny is not None and not admits(AddressList(guard.name, guard.origin, deny=guard.deny), address)
    words = f"the address {text} is {'on deny' if on_deny else 'not on allow'}"
    return Judgement(guard, Verdict.DENIED, words, address_list_refusal(guard))


def judge_rate_limit(guard: RateLimitGuard, exchange: Exchange) -> Judgement:
    """Tell which limits would count it; how much is left only a gateway knows that runs."""
    found = "; ".join(counting(guard, exchange))
    if not found:
        return Judgement(guard, Verdict.ALLOWED, "no limit counts it")
    if guard.shadow:
        return Judgement(guard, Verdict.ALLOWED, f"in shadow, {found}")
    where = "Redis" if guard.shared is not None else "only a gateway that runs"
    return Judgement(guard, Verdict.UNKNOWN, f"{where} can tell what is left; {found}")


JUDGES: Final[dict[type[Guard], Callable[[Any, Exchange], Judgement]]] = {
    AddressList: judge_address_list,
    BasicAuth: judge_basic_auth,
    APIKeys: judge_api_keys,
    RateLimitGuard: judge_rate_limit,
}
"""
What judges for a guard, by its type. What is found out about the request may be noted (C{exchange.note}) for the guards
that follow, and its head may be changed; it is never answered.
"""


def judged(guards: Guards, exchange: Exchange) -> Iterator[Judgement]:
    """Yield what guards make of a request; one that denies it is the last."""
    for guard in guards:
        judge = JUDGES.get(type(guard))
        if judge is None:
            found = Judgement(guard, Verdict.UNKNOWN, "only a gateway that runs can tell")
        else:
            found = judge(guard, exchange)
        yield found
        if found.verdict is Verdict.DENIED:
            return
