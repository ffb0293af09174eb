# Hot path: decides about each request that rules look at.
"""
Which of many rules matches a request.

Rules are looked at in the order of their names, and the first that matches is told. Of many rules an index by
path and address leaves the few that could match.
"""

from __future__ import annotations

from typing import Final

from edgegate.access.conditions import Check, PathCheck, check_of
from edgegate.access.facts import Connection, Facts, Request
from edgegate.access.numbers import number_of
from edgegate.model.address_sets import AddressSet, address_set, parse_network
from edgegate.model.guards.authorization import (
    Action,
    Attribute,
    Authorization,
    Conditions,
    Rule,
    Rules,
    of_connections,
)

_FEW: Final = 4
"""Rules that are looked at one after the other as quickly."""


class RuleCheck:
    """
    A rule, as it is asked.

    @ivar rule: That it was made of.
    """

    __slots__ = ("conditions", "operations", "rule", "sources")

    def __init__(self, rule: Rule, matches_more: bool) -> None:
        self.rule = rule
        self.sources: list[list[Check]] = [_checks(each, matches_more) for each in rule.sources]
        self.operations: list[list[Check]] = [_checks(each, matches_more) for each in rule.operations]
        self.conditions: list[Check] = _checks(rule.conditions, matches_more)

    def matches(self, facts: Facts) -> bool:
        """Whether all of it holds."""
        if self.operations and not _one(self.operations, facts):
            return False
        for each in self.conditions:
            if not each.holds(facts):
                return False
        return not self.sources or _one(self.sources, facts)


def _checks(conditions: Conditions, matches_more: bool) -> list[Check]:
    return [check_of(each, matches_more) for each in conditions]


def _one(alternatives: list[list[Check]], facts: Facts) -> bool:
    return any(_all(alternative, facts) for alternative in alternatives)


def _all(checks: list[Check], facts: Facts) -> bool:
    return all(each.holds(facts) for each in checks)


class RuleSet:
    """
    All rules of one action at one place.

    @ivar checks: In their order.
    """

    __slots__ = ("_index", "checks")

    def __init__(self, rules: Rules) -> None:
        """
        @raise ValueError: A condition has a value that is none of its field.
        """
        matches_more = rules.action is not Action.ALLOW
        self.checks: list[RuleCheck] = [RuleCheck(rule, matches_more) for rule in rules.rules]
        self._index: _Index | None = _Index(self.checks) if len(self.checks) > _FEW else None

    def first(self, facts: Facts) -> Rule | None:
        """Return the first rule that matches; L{None}: none does."""
        index = self._index
        if index is None:
            for check in self.checks:
                if check.matches(facts):
                    return check.rule
            return None
        candidates = index.candidates(facts)
        while candidates:
            lowest = candidates & -candidates
            check = self.checks[lowest.bit_length() - 1]
            if check.matches(facts):
                return check.rule
            candidates ^= lowest
        return None


class Authorizer:
    """
    Decides by all policies of one action.

    @ivar rules: Their rules.
    @ivar tried: Those of policies that are only tried; L{None}: there are none.
    """

    __slots__ = ("_allows", "_denies", "_enforced", "rules", "tried")

    def __init__(self, guard: Authorization, of_connection: bool = False) -> None:
        """
        @param of_connection: Whether connections are judged that carry no requests.
        @raise ValueError: A condition has a value that is none of its field.
        """
        rules, tried = guard.rules, guard.tried
        if of_connection:
            rules, tried = of_connections(rules), None if tried is None else of_connections(tried)
        self.rules = RuleSet(rules)
        self.tried: RuleSet | None = None if tried is None else RuleSet(tried)
        self._allows = rules.action is Action.ALLOW
        self._denies = rules.action in (Action.DENY, Action.CUSTOM)
        self._enforced = guard.enforced

    def passes(self, connection: Connection, request: Request | None) -> bool:
        """Whether a request, or a connection without one, may pass; see L{admits}."""
        return self.admits(self.rules.first(Facts(connection, request)))

    def admits(self, matched: Rule | None) -> bool:
        """
        Whether what a rule matches may pass.

        @param matched: The first that does (L{RuleSet.first}); L{None}: none does.
        """
        if self._allows:
            return matched is not None or not self._enforced
        return matched is None or not self._denies

    def would_admit(self, matched: Rule | None) -> bool:
        """Whether it might if policies that are only tried were enforced."""
        return (matched is not None) == self._allows


def details_of(matched: Rule | None) -> str:
    """
    Return what Envoy's access log says of what is refused (C{RESPONSE_CODE_DETAILS}); it lets no white space in.

    @param matched: The rule that denies it; L{None}: none allows it.
    """
    name = "none" if matched is None else matched.name
    return "_".join(f"rbac_access_denied_matched_policy[{name}]".split())


class AuthorizerState:
    """
    What is kept for a guard from one change of the files to the next: expressions and tables take their time to make.

    @ivar of_requests: Judges requests.
    @ivar of_connections: Judges connections that carry none.
    """

    __slots__ = ("of_connections", "of_requests")

    def __init__(self, guard: Authorization) -> None:
        self.of_requests = Authorizer(guard)
        self.of_connections = Authorizer(guard, of_connection=True)

    def stop(self) -> None:
        """See L{edgegate.access.state.GuardState.stop}: nothing is left behind."""


class _Index:
    """Finds the rules that a path and an address do not exclude, as the bits of a number."""

    __slots__ = ("_always", "_exact", "_gates", "_prefixes")

    def __init__(self, checks: list[RuleCheck]) -> None:
        self._always: int = 0
        self._gates: list[_Gate] = [_Gate(Attribute.PEER), _Gate(Attribute.CLIENT)]
        exact: dict[bytes, int] = {}
        prefixes: dict[int, dict[bytes, int]] = {}
        for number, check in enumerate(checks):
            bit = 1 << number
            found = _indexable(check)
            if found is None:
                self._always |= bit
                for gate in self._gates:
                    gate.add(check, bit)
                continue
            for path_check in found:
                for path in path_check.texts.exact:
                    exact[path] = exact.get(path, 0) | bit
                for prefix in path_check.starts or ():
                    table = prefixes.setdefault(len(prefix), {})
                    table[prefix] = table.get(prefix, 0) | bit
        self._exact = exact
        self._prefixes: list[tuple[int, dict[bytes, int]]] = sorted(prefixes.items())
        for gate in self._gates:
            gate.close()

    def candidates(self, facts: Facts) -> int:
        """Return the rules that may match."""
        path, found = facts.path, self._always
        for gate in self._gates:
            if found & gate.rules and not gate.opens(facts):
                found &= ~gate.rules
        found |= self._of_path(path)
        spelt_path = facts.spelt_path
        if spelt_path is not path:
            found |= self._of_path(spelt_path)
        return found

    def _of_path(self, path: bytes) -> int:
        found = self._exact.get(path, 0)
        for length, table in self._prefixes:
            if length > len(path):
                break
            found |= table.get(path[:length], 0)
        return found


class _Gate:
    """
    Rules of which each asks for some addresses, whatever else it does: with none of these none of them matches.

    @ivar rules: Their bits.
    """

    __slots__ = ("_addresses", "_asks_for", "_values", "rules")

    def __init__(self, attribute: Attribute) -> None:
        self.rules: int = 0
        self._asks_for = attribute
        self._values: list[str] = []
        self._addresses: AddressSet = AddressSet()

    def add(self, check: RuleCheck, bit: int) -> None:
        """Put a rule behind it, if that asks for addresses in each of its sources, or beside them."""
        asked = [_asked(each, self._asks_for) for each in check.sources or [[]]]
        if () in asked:
            asked = [_asked(check.conditions, self._asks_for)]
        if () not in asked:
            self.rules |= bit
            self._values.extend(value for values in asked for value in values)

    def close(self) -> None:
        """No more rules come."""
        self._addresses = address_set(map(parse_network, self._values))

    def opens(self, facts: Facts) -> bool:
        """Whether one of its rules may match."""
        version, number = number_of(facts.peer if self._asks_for is Attribute.PEER else facts.client)
        return version > 0 and self._addresses.holds(number, version)


def _asked(checks: list[Check], attribute: Attribute) -> tuple[str, ...]:
    """Return the addresses of which one is asked for; none where any will do."""
    for each in checks:
        if each.condition.attribute is attribute and not each.negated:
            return each.condition.values
    return ()


def _indexable(check: RuleCheck) -> list[PathCheck] | None:
    """Return the conditions on the path of a rule, one of which must fit; L{None}: it may match without."""
    found: list[PathCheck] = []
    for operation in check.operations:
        path = next((each for each in operation if isinstance(each, PathCheck) and not each.negated), None)
        if path is None or path.starts is None:
            return None
        found.append(path)
    return found or None
