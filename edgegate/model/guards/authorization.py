# Compiled: values that hot modules read.
"""
Who may pass by rules: what Istio's C{AuthorizationPolicy} says, as values.

A rule holds where one of its sources, one of its operations and all of its other conditions hold; a source or an
operation is a list of conditions that all must.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable


class Action(Enum):
    """What becomes of what a rule matches."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    AUDIT = "AUDIT"
    CUSTOM = "CUSTOM"

    __hash__ = object.__hash__


class Attribute(Enum):
    """What of a request or of its connection a condition looks at."""

    HOST = "host"
    METHOD = "method"
    PATH = "path"
    PORT = "port"
    HEADER = "header"
    PEER = "peer"
    """The address at the other end of the connection."""

    CLIENT = "client"
    """The address that trusted proxies say, or else the peer's."""

    LOCAL = "local"
    """The address that was connected to."""

    PRINCIPAL = "principal"
    NAMESPACE = "namespace"
    SERVICE_ACCOUNT = "service account"
    TRUST_DOMAIN = "trust domain"
    REQUEST_PRINCIPAL = "request principal"
    CLAIM = "claim"
    SERVER_NAME = "server name"
    METADATA = "metadata"

    __hash__ = object.__hash__


HTTP_ONLY = frozenset(
    {
        *(Attribute.HOST, Attribute.METHOD, Attribute.PATH, Attribute.HEADER),
        *(Attribute.REQUEST_PRINCIPAL, Attribute.CLAIM),
    }
)
"""What connections do not have (Istio's C{authz/model/generator.go}, C{forTCP})."""


@dataclass(frozen=True, slots=True)
class Condition(Picklable):
    """
    A field of a rule: it holds where one of its values fits, or with C{negated} where none does.

    What is not there fits nothing.

    @ivar values: In the forms of the field, C{*} in front or behind among them; addresses may be CIDR blocks.
    @ivar key: The name of a header in lower case, the names that lead to a claim, or filter and key of metadata.
    @ivar field: What the files call it: C{notPaths}, or C{request.headers[x-a]}.
    """

    attribute: Attribute
    values: tuple[str, ...]
    negated: bool = False
    key: tuple[str, ...] = ()
    field: str = field(default="", compare=False)


Conditions = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Rule(Picklable):
    """
    One rule of a policy.

    @ivar name: By which the log tells it: C{ns[istio-system]-policy[admin]-rule[0]}.
    @ivar sources: One must hold; none: any source does.
    @ivar operations: One must hold; none: any operation does.
    @ivar conditions: All must hold.
    @ivar origin: Where it is said.
    """

    name: str
    sources: tuple[Conditions, ...] = ()
    operations: tuple[Conditions, ...] = ()
    conditions: Conditions = ()
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rules(Picklable):
    """
    The rules of all policies of one action that hold at one place: one that matches is enough.

    @ivar action: What becomes of what they match. The rules of C{DENY}, C{AUDIT} and C{CUSTOM} match rather too much
        than too little, those of C{ALLOW} rather too little.
    @ivar rules: In the order of their names as text, in which Envoy looks at them: the first that matches is told.
    """

    action: Action
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Authorization(Guard):
    """
    All policies of one action that hold at one place.

    @ivar rules: Of C{ALLOW}, C{DENY} or C{AUDIT}.
    @ivar enforced: Whether there are policies that are more than tried: an C{ALLOW} whose rules are all left out allows
        nothing.
    @ivar tried: The rules of policies that are only tried (C{istio.io/dry-run}); L{None}: there are none.
    """

    rules: Rules
    enforced: bool = True
    tried: Rules | None = None

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return _STAGES[self.rules.action]


_STAGES = {
    Action.CUSTOM: Stage.CUSTOM,
    Action.AUDIT: Stage.AUDIT,
    Action.DENY: Stage.DENY,
    Action.ALLOW: Stage.ALLOW,
}


def of_connections(rules: Rules) -> Rules:
    """
    Return what is left of rules where no request is read (Istio's C{authz/model/model.go}, C{checkError}).

    An C{ALLOW} rule that asks for what only requests have is left out, so that it allows nothing. Of others that
    condition alone is, so that they match more.
    """
    if rules.action is Action.ALLOW:
        return Rules(rules.action, tuple(rule for rule in rules.rules if not _asks_for_request(rule)))
    return Rules(rules.action, tuple(_of_connection(rule) for rule in rules.rules))


def asks_for_request(conditions: Conditions) -> bool:
    """Whether one of some conditions looks at what only requests have."""
    return any(each.attribute in HTTP_ONLY for each in conditions)


def _asks_for_request(rule: Rule) -> bool:
    return any(asks_for_request(each) for each in (*rule.sources, *rule.operations, rule.conditions))


def _of_connection(rule: Rule) -> Rule:
    return Rule(
        rule.name,
        tuple(_rest(each) for each in rule.sources),
        tuple(_rest(each) for each in rule.operations),
        _rest(rule.conditions),
        rule.origin,
    )


def _rest(conditions: Conditions) -> Conditions:
    return tuple(each for each in conditions if each.attribute not in HTTP_ONLY)
