# Hot path: asked of each request that rules look at.
"""Conditions of rules, made into what is asked of a request; a class for each thing that they look at."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

from edgegate.access.facts import Facts, joint, spelt
from edgegate.access.numbers import number_of
from edgegate.access.texts import Pattern, Texts
from edgegate.model.address_sets import address_set, parse_network
from edgegate.model.claims import NO_CLAIMS, claim_at
from edgegate.model.expressions import compiled
from edgegate.model.guards.authorization import Attribute, Condition
from edgegate.model.path_template import is_template, template_pattern

_SPIFFE: Final = "spiffe://"


class Check(ABC):
    """
    A condition, as it is asked.

    @ivar condition: That it was made of.
    """

    __slots__ = ("_negated", "condition")

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self._negated: bool = condition.negated

    def holds(self, facts: Facts) -> bool:
        """Whether it holds."""
        return self.fits(facts) != self._negated

    @abstractmethod
    def fits(self, facts: Facts) -> bool:
        """Whether one of its values fits."""

    @property
    def negated(self) -> bool:
        """Whether it holds where none does."""
        return self._negated


class _TextCheck(Check):
    """@ivar texts: Those that fit."""

    __slots__ = ("texts",)

    def __init__(self, condition: Condition, texts: Texts) -> None:
        super().__init__(condition)
        self.texts = texts


class PathCheck(_TextCheck):
    """
    The path.

    To a condition that would rather match too much C{%c3} is C{%C3}, as it is to backends.

    @ivar starts: How paths begin that fit, but for those that fit exactly; L{None}: they may begin in any way.
    """

    __slots__ = ("_lenient", "starts")

    def __init__(self, condition: Condition, texts: Texts, templates: list[str], lenient: bool) -> None:
        super().__init__(condition, texts)
        self._lenient = lenient
        self.starts: tuple[bytes, ...] | None = None
        if texts.plain:
            self.starts = (*texts.prefixes, *[each.partition("{")[0].encode() for each in templates])

    def fits(self, facts: Facts) -> bool:
        """See L{Check.fits}."""
        path = facts.path
        if self.texts.fits(path):
            return True
        if not self._lenient:
            return False
        spelt_path = facts.spelt_path
        return spelt_path is not path and self.texts.fits(spelt_path)


class _Method(_TextCheck):
    __slots__ = ()

    def fits(self, facts: Facts) -> bool:
        return self.texts.fits(facts.method)


class _Host(_TextCheck):
    """
    The authority, with its port (Envoy's C{:authority}).

    Here a name with a final dot is routed as the one without, which Envoy does not do. So a condition that would rather
    match too much looks at both: else a dot would lead past what denies a host.
    """

    __slots__ = ("_lenient",)

    def __init__(self, condition: Condition, texts: Texts, lenient: bool) -> None:
        super().__init__(condition, texts)
        self._lenient = lenient

    def fits(self, facts: Facts) -> bool:
        host = facts.host
        if not host:
            return False
        if self.texts.fits(host):
            return True
        if not self._lenient:
            return False
        normal = facts.normal_host
        return normal is not host and self.texts.fits(normal)


class _ServerName(_TextCheck):
    __slots__ = ()

    def fits(self, facts: Facts) -> bool:
        return self.texts.fits(facts.server_name)


class _Names(_TextCheck):
    """Names of the client's certificate: one that fits is enough."""

    __slots__ = ()

    def fits(self, facts: Facts) -> bool:
        return any(self.texts.fits(name) for name in facts.names)


class _Header(_TextCheck):
    """
    Each field of a name is looked at alone, but for those that Envoy keeps joined.

    A condition that would rather match too much looks at both.
    """

    __slots__ = ("_joint", "_lenient", "_name")

    def __init__(self, condition: Condition, texts: Texts, name: bytes, lenient: bool) -> None:
        super().__init__(condition, texts)
        self._name = name
        self._joint: bytes | None = joint(name)
        self._lenient = lenient

    def fits(self, facts: Facts) -> bool:
        values = facts.header(self._name)
        if self._lenient and self._name == b":authority" and self.texts.fits(facts.normal_host):
            return True
        between = self._joint
        if between is not None and len(values) > 1:
            # what is empty adds nothing (Envoy's HeaderMapImpl::appendToHeader)
            if self.texts.fits(between.join([value for value in values if value])):
                return True
            if not self._lenient:
                return False
        return any(self.texts.fits(value) for value in values)


class _Claim(_TextCheck):
    """A claim is a text that fits, or a list with one."""

    __slots__ = ("_path",)

    def __init__(self, condition: Condition, texts: Texts, path: tuple[str, ...]) -> None:
        super().__init__(condition, texts)
        self._path = path

    def fits(self, facts: Facts) -> bool:
        found = claim_at(facts.claims or NO_CLAIMS, self._path)
        return _text_fits(self.texts, found) or _one_fits(self.texts, found)


class _Metadata(Check):
    """A value of dynamic metadata; values in brackets are asked of lists."""

    __slots__ = ("_items", "_key", "_namespace", "_texts")

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition)
        self._namespace, self._key = condition.key
        lists = [each for each in condition.values if each[:1] == "[" and each[-1:] == "]"]
        self._items = Texts([each.strip("[]").encode() for each in lists])
        self._texts = Texts([each.encode() for each in condition.values if each not in lists])

    def fits(self, facts: Facts) -> bool:
        found = facts.metadata(self._namespace, self._key)
        return _text_fits(self._texts, found) or _one_fits(self._items, found)


class _RequestPrincipal(Check):
    """Issuer and subject of a verified token."""

    __slots__ = ("_pairs",)

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition)
        self._pairs: list[tuple[Texts, Texts]] = [_issuer_and_subject(each) for each in condition.values]

    def fits(self, facts: Facts) -> bool:
        claims = facts.claims
        if claims is None:
            return False
        issuer, subject = claims.get("iss"), claims.get("sub")
        if not isinstance(issuer, str) or not isinstance(subject, str):
            return False
        issuer_bytes, subject_bytes = issuer.encode("utf-8", "replace"), subject.encode("utf-8", "replace")
        return any(issuers.fits(issuer_bytes) and subjects.fits(subject_bytes) for issuers, subjects in self._pairs)


class _Port(Check):
    __slots__ = ("_ports",)

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition)
        self._ports: frozenset[int] = frozenset(int(each) for each in condition.values)

    def fits(self, facts: Facts) -> bool:
        named, bound = facts.ports
        return named in self._ports or bound in self._ports


class _Blocks(Check):
    """@ivar _blocks: Those of one of the three addresses."""

    __slots__ = ("_blocks",)

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition)
        self._blocks = address_set(map(parse_network, condition.values))

    def hold(self, address: str) -> bool:
        """Whether an address is in one of them; what is none is in none."""
        version, number = number_of(address)
        return version > 0 and self._blocks.holds(number, version)


class _Peer(_Blocks):
    __slots__ = ()

    def fits(self, facts: Facts) -> bool:
        return self.hold(facts.peer)


class _Client(_Blocks):
    __slots__ = ()

    def fits(self, facts: Facts) -> bool:
        return self.hold(facts.client)


class _Local(_Blocks):
    __slots__ = ()

    def fits(self, facts: Facts) -> bool:
        return self.hold(facts.local)


def _text_fits(texts: Texts, found: object) -> bool:
    return isinstance(found, str) and texts.fits(found.encode("utf-8", "replace"))


def _one_fits(texts: Texts, found: object) -> bool:
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        return False
    return any(_text_fits(texts, each) for each in found)


# Making them ----------------------------------------------------------------------------------------------------------


def check_of(condition: Condition, matches_more: bool) -> Check:
    """
    Make what is asked of a request.

    @param matches_more: Whether its rule had better match too much than too little: what is not quite told apart
        counts as a fit then, or under C{negated} as none.
    @raise ValueError: A value of it is none of the field's.
    """
    return _MAKERS[condition.attribute](condition, matches_more != condition.negated)


def _path(condition: Condition, lenient: bool) -> Check:
    values = list(condition.values)
    if lenient:
        values = [*dict.fromkeys([*values, *[spelt(each.encode()).decode() for each in values]])]
    templates = [each for each in values if is_template(each)]
    patterns: list[Pattern] = [template_pattern(each, lenient) for each in templates]
    texts = Texts(_encoded([each for each in values if not is_template(each)]), patterns)
    return PathCheck(condition, texts, templates, lenient)


def _header(condition: Condition, lenient: bool) -> Check:
    name = condition.key[0].lower().encode("latin-1", "replace")
    texts = Texts(_encoded(condition.values), empty=True)
    return _Header(condition, texts, b":authority" if name == b"host" else name, lenient)


def _host(condition: Condition, lenient: bool) -> Check:
    return _Host(condition, Texts([each.lower() for each in _encoded(condition.values)]), lenient)


def _names(condition: Condition, lenient: bool) -> Check:
    return _Names(condition, _names_of(condition))


_MAKERS: Final[dict[Attribute, Callable[[Condition, bool], Check]]] = {
    Attribute.HOST: _host,
    Attribute.METHOD: lambda condition, lenient: _Method(condition, Texts(_encoded(condition.values), empty=True)),
    Attribute.PATH: _path,
    Attribute.PORT: lambda condition, lenient: _Port(condition),
    Attribute.HEADER: _header,
    Attribute.PEER: lambda condition, lenient: _Peer(condition),
    Attribute.CLIENT: lambda condition, lenient: _Client(condition),
    Attribute.LOCAL: lambda condition, lenient: _Local(condition),
    Attribute.PRINCIPAL: _names,
    Attribute.NAMESPACE: _names,
    Attribute.SERVICE_ACCOUNT: _names,
    Attribute.TRUST_DOMAIN: _names,
    Attribute.REQUEST_PRINCIPAL: lambda condition, lenient: _RequestPrincipal(condition),
    Attribute.CLAIM: lambda condition, lenient: _Claim(condition, Texts(_encoded(condition.values)), condition.key),
    Attribute.SERVER_NAME: lambda condition, lenient: _ServerName(condition, Texts(_encoded(condition.values))),
    Attribute.METADATA: lambda condition, lenient: _Metadata(condition),
}


def _issuer_and_subject(principal: str) -> tuple[Texts, Texts]:
    """
    Return the issuers and the subjects that a principal of requests stands for.

    It is split at its last slash, whatever the issuer is (Istio's C{requestPrincipalGenerator}): one that ends in a
    C{*} before it has a whole issuer stands for another one than was meant.
    """
    issuer, slash, subject = principal.rpartition("/")
    if principal == "*":
        return _texts("*"), _texts("*")
    if principal.startswith("*"):
        return (_texts(issuer), _exactly(subject)) if slash else (_texts("*"), _texts(principal))
    if principal.endswith("*"):
        return (_exactly(issuer), _texts(subject)) if slash else (_texts(principal), _texts("*"))
    return (_exactly(issuer), _exactly(subject)) if slash else (_exactly(principal), _exactly(""))


def _texts(value: str) -> Texts:
    return Texts([value.encode()])


def _exactly(value: str) -> Texts:
    return Texts((), literal=[value.encode()])


def _names_of(condition: Condition) -> Texts:
    """Return the names of certificates that fit a condition on identities of SPIFFE."""
    values = condition.values
    if condition.attribute is Attribute.PRINCIPAL:
        ends = [each for each in values if each[:1] == "*" and each != "*"]
        others = [each if each == "*" else _SPIFFE + each for each in values if each not in ends]
        return Texts(_encoded(others), [_expression(f"{_SPIFFE}.*{re.escape(each[1:])}") for each in ends])
    if condition.attribute is Attribute.NAMESPACE:
        return Texts((), [_expression(f".*/ns/{_starred(each)}/.*") for each in values])
    if condition.attribute is Attribute.TRUST_DOMAIN:
        return Texts((), [_expression(f"{_SPIFFE}{_starred(each)}/.*") for each in values])
    accounts = [each.partition("/") for each in values]
    return Texts((), [_expression(_ACCOUNT % (re.escape(each[0]), re.escape(each[2]))) for each in accounts])


_ACCOUNT: Final = "spiffe://.+/ns/%s/(.+/|)sa/%s(/.+)?"


def _expression(expression: str) -> Pattern:
    return compiled(f"(?s){expression}")


def _starred(value: str) -> str:
    """Return the expression of a text in which each C{*} stands for anything."""
    return ".*".join(re.escape(each) for each in value.split("*"))


def _encoded(values: Sequence[str]) -> list[bytes]:
    return [value.encode() for value in values]
