"""What becomes of a request, compared with what became of it: by older files, or by what the log says."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

from edgegate.diff.behaviour import Answered, Refused, Relayed, Sent, ToHTTPS, between, service
from edgegate.errors import FAULT_ABORT
from edgegate.model.policies import Abort
from edgegate.replay.findings import Finding, Told, Verdict
from edgegate.replay.logged_request import Answer, LoggedRequest
from edgegate.replay.routing import Outcome, Placed, Possible, Routing, Way
from edgegate.replay.weighing import Weighed, together, weigh

_IN_SUMMARY: Final = frozenset(("destination", "outcome", "answer"))
"""Differences that the summaries of both sides show."""

_PORT: Final = "the port"
_TLS: Final = "whether it came by TLS"


class Comparison(ABC):
    """
    Judges requests by new files.

    @ivar new: Routes by them.
    """

    def __init__(self, new: Routing) -> None:
        self.new = new

    @property
    @abstractmethod
    def asked_more(self) -> bool:
        """Whether routes were met that ask about headers or the query."""

    @asked_more.setter
    @abstractmethod
    def asked_more(self, value: bool) -> None: ...

    @abstractmethod
    def asked(self) -> frozenset[str]:
        """Return the columns that any route asks about."""

    @abstractmethod
    def ways(self, request: LoggedRequest) -> list[Way]:
        """Return how a request may have come."""

    @abstractmethod
    def finding(self, request: LoggedRequest, way: Way) -> Finding:
        """Judge a request that came so."""

    def judge(self, request: LoggedRequest) -> Finding | str:
        """Return what becomes of a request beside what became of it, or why that can't be told."""
        ways = self.ways(request)
        if not ways:
            if request.port is None:
                return "no server of the files speaks HTTP"
            return (
                f"port {request.port} is none of the files' for HTTP: --map-port FILE:{request.port} says which it is"
            )
        findings = [self.finding(request, way) for way in ways]
        if len(findings) == 1:
            return findings[0]
        depends = _TLS if len({way.port for way in ways}) == 1 else _PORT
        return _together(findings, depends)


def _together(findings: Sequence[Finding], what: str) -> Finding:
    """Return what follows where a request may have come in several ways."""
    if len(set(findings)) == 1:
        return findings[0]
    verdict = together({each.verdict for each in findings})
    if verdict is Verdict.SAME:
        return findings[0]
    # of those that are the same there is nothing to show
    shown = max(findings, key=lambda each: (each.verdict in _OTHERS, each.verdict is not Verdict.SAME))
    return shown._replace(verdict=verdict, depends=tuple(sorted({*shown.depends, what})))


class AgainstFiles(Comparison):
    """Compares with what other files make of a request."""

    def __init__(self, old: Routing, new: Routing, clusters: Mapping[str, tuple[str, ...]]) -> None:
        """
        @param clusters: How clusters differ whose names did not change.
        """
        super().__init__(new)
        self._old = old
        self._clusters = clusters
        self._pairs: dict[tuple[Outcome, Outcome], tuple[str, ...] | None] = {}
        self._hosts: dict[tuple[int, int], bool] = {}
        self._weighed: dict[tuple[Possible, Possible], Finding] = {}

    @property
    def asked_more(self) -> bool:
        """Whether routes of either were met that ask about headers or the query."""
        return self._old.asked_more or self.new.asked_more

    @asked_more.setter
    def asked_more(self, value: bool) -> None:
        self._old.asked_more = self.new.asked_more = value

    def asked(self) -> frozenset[str]:
        """Return the columns that any route of either asks about."""
        return self._old.columns() | self.new.columns()

    def ways(self, request: LoggedRequest) -> list[Way]:
        """Return the ways on which the old files served; where they did not, the new ones."""
        return self._old.ways(request) or self.new.ways(request)

    def finding(self, request: LoggedRequest, way: Way) -> Finding:
        """Compare both."""
        before, after = self._old.placed(request, way), self.new.placed(request, way)
        if isinstance(before, Placed) and isinstance(after, Placed) and self._alike(before, after):
            return _SAME
        old, new = self._old.possible(request, before), self.new.possible(request, after)
        if isinstance(old, Outcome) and isinstance(new, Outcome):
            return self._finding(Weighed(self._verdict((old, new)), (old, new)))
        sides = _possible(old), _possible(new)
        found = self._weighed.get(sides)
        if found is None:
            if len(self._weighed) > _MOST_WEIGHED:
                self._weighed.clear()
            found = self._weighed[sides] = self._finding(weigh(sides, self._verdict))
        return found

    def _alike(self, old: Placed, new: Placed) -> bool:
        """Whether all requests for two hosts are answered alike, so that none need be routed."""
        if old.head is not new.head:
            # their paths have other normal forms
            return False
        key = id(old.host), id(new.host)
        found = self._hosts.get(key)
        if found is None:
            found = self._hosts[key] = not self._clusters and old.host == new.host
        return found

    def _verdict(self, outcomes: tuple[Outcome, ...]) -> Verdict:
        return Verdict.SAME if self._between(outcomes) is None else Verdict.OTHERWISE

    def _between(self, outcomes: tuple[Outcome, ...]) -> tuple[str, ...] | None:
        """Return how two outcomes differ, beside their summaries; L{None}: they don't."""
        old, new = outcomes
        if (old, new) in self._pairs:
            return self._pairs[old, new]
        found: tuple[str, ...] | None = None
        clusters = sorted(old.clusters & new.clusters & self._clusters.keys())
        if old.behaviour != new.behaviour or clusters:
            changes = [str(each) for each in between(old.behaviour, new.behaviour) if each.what not in _IN_SUMMARY]
            changes += [f"{service(name)}: {change}" for name in clusters for change in self._clusters[name]]
            found = tuple(changes)
        if len(self._pairs) > _MOST_WEIGHED:
            self._pairs.clear()
        self._pairs[old, new] = found
        return found

    def _finding(self, weighed: Weighed) -> Finding:
        if weighed.verdict is Verdict.SAME:
            return _SAME
        old, new = weighed.outcomes
        return Finding(weighed.verdict, told(old), told(new), self._between((old, new)) or (), weighed.depends)


class AgainstLog(Comparison):
    """Compares with what the log says of the answer."""

    @property
    def asked_more(self) -> bool:
        """Whether routes were met that ask about headers or the query."""
        return self.new.asked_more

    @asked_more.setter
    def asked_more(self, value: bool) -> None:
        self.new.asked_more = value

    def asked(self) -> frozenset[str]:
        """Return the columns that any route asks about."""
        return self.new.columns()

    def ways(self, request: LoggedRequest) -> list[Way]:
        """Return the ways on which the files serve."""
        return self.new.ways(request)

    def finding(self, request: LoggedRequest, way: Way) -> Finding:
        """Compare."""
        answer = request.answer
        new = self.new.possible(request, self.new.placed(request, way))
        if isinstance(new, Outcome):
            weighed = Weighed(relation(answer, new), (new,))
        else:
            weighed = weigh((new,), lambda outcomes: relation(answer, outcomes[0]))
        if weighed.verdict is Verdict.SAME:
            return _SAME
        outcome = told(weighed.outcomes[0])
        if weighed.verdict is Verdict.UNSAID:
            return Finding(Verdict.UNSAID, new=outcome, depends=weighed.depends)
        return Finding(weighed.verdict, answered(answer), outcome, depends=weighed.depends)


_OTHERS: Final = (Verdict.OTHERWISE, Verdict.MAYBE)
_SAME: Final = Finding(Verdict.SAME)
_MOST_WEIGHED: Final = 100_000
_TO_HTTPS: Final = 301
_CLIENT_GONE: Final = 499
"""What nginx logs where the client did not wait."""


def _possible(found: Possible | Outcome) -> Possible:
    return ((frozenset(), found),) if isinstance(found, Outcome) else found


def told(outcome: Outcome) -> Told:
    """Return an outcome for people."""
    return Told(outcome.summary, outcome.name, outcome.place)


def answered(answer: Answer) -> Told:
    """Return for people how a request was answered."""
    backend = _backend(answer)
    if backend:
        return Told(f"to {service(backend)}", answer.route)
    if _no_route(answer):
        return Told(f"{answer.status} (no route)")
    details = f" ({answer.details})" if answer.details and answer.details != "via_upstream" else ""
    return Told(f"{answer.status}{details}", answer.route)


def _no_route(answer: Answer) -> bool:
    return "NR" in answer.flags.split(",") or answer.details == "route_not_found"


_POLICY: Final = re.compile(
    r"(?s:(?:rbac_access_denied|jwt_authn_|ext_authz_|address_list_|(?:local_|request_)?rate_limit|concurrency_limited"
    r"|oidc_|basic_auth_|guard_failed|(?:missing|unknown)_api_key|(?:no|invalid)_credential).*)"
)
"""How the details of a refusal begin that is a policy's, edgegate's or Envoy's."""

_POLICY_FLAGS: Final = frozenset(("RL", "RLSE", "UAEX"))


def _refused_by_policy(answer: Answer) -> bool:
    """Whether a policy has refused a request: its line does not tell where it would have gone."""
    return bool(_POLICY.fullmatch(answer.details)) or not _POLICY_FLAGS.isdisjoint(answer.flags.split(","))


def _aborted(answer: Answer) -> bool:
    return FAULT_ABORT.flag in answer.flags.split(",")


def _backend(answer: Answer) -> str | None:
    """Return the cluster that got the request. Envoy names the route's also where a fault has aborted it."""
    return "" if _aborted(answer) else answer.cluster


def relation(answer: Answer, outcome: Outcome) -> Verdict:
    """Compare how a request was answered with what would become of it, as far as the first is said."""
    behaviour = outcome.behaviour
    if isinstance(behaviour, Relayed) or _refused_by_policy(answer):
        return Verdict.UNSAID
    abort = behaviour.faults.abort if isinstance(behaviour, Sent | Answered) and behaviour.faults else None
    if abort is not None and abort.share >= 1:
        return _by_gateway(answer, abort.status)
    if isinstance(behaviour, Sent):
        return _sent(answer, behaviour, abort)
    verdict = _by_gateway(answer, _status(behaviour))
    return verdict if abort is None or _backend(answer) else Verdict.UNSAID


def _by_gateway(answer: Answer, status: int) -> Verdict:
    """Compare with an answer of the gateway's own."""
    if _backend(answer):
        return Verdict.OTHERWISE
    if answer.status in (0, _CLIENT_GONE):
        return Verdict.UNSAID
    return Verdict.SAME if answer.status == status else Verdict.OTHERWISE


def _sent(answer: Answer, behaviour: Sent, abort: Abort | None) -> Verdict:
    """
    Compare with where a request would be sent.

    @param abort: What becomes of some of them.
    """
    backend = _backend(answer)
    if backend:
        # a copy's answer is nobody's: mirrors do not count
        if all(each.cluster != backend for each in behaviour.destinations):
            return Verdict.OTHERWISE
        return Verdict.SAME if abort is None else Verdict.UNSAID
    if _no_route(answer) or (backend == "" and answer.details == "direct_response"):
        return Verdict.OTHERWISE
    return Verdict.OTHERWISE if abort is None and _aborted(answer) else Verdict.UNSAID


def _status(behaviour: Answered | ToHTTPS | Refused) -> int:
    if isinstance(behaviour, ToHTTPS):
        return _TO_HTTPS
    if isinstance(behaviour, Refused):
        return behaviour.status
    if behaviour.redirect is not None:
        return behaviour.redirect.code
    return 0 if behaviour.direct is None else behaviour.direct.status
