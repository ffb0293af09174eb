"""All that is to be told of one question: the way that it takes, what else was tried, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from edgegate.explain.advice import Advice, advice
from edgegate.explain.certificates import Shown, shown
from edgegate.explain.decision import Decider, Decision
from edgegate.explain.effects import Effects, EffectsFinder
from edgegate.explain.nearness import Near, near_routes
from edgegate.explain.question import Question
from edgegate.explain.redirects import redirect_advice
from edgegate.explain.trials import Trial, behind, contenders, left_out_for, trials
from edgegate.model.clusters import Endpoints
from edgegate.model.notes import LeftOut, Notes
from edgegate.model.origin import Origin
from edgegate.routing.snapshot import FilterChain
from edgegate.tls.secret_store import Secrets

Health = Mapping[tuple[str, str], str]
"""What a gateway that runs knows of endpoints, in words, by cluster and address."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    What is told of one question.

    @ivar servers: The SNI patterns of the port that have the name, the one that wins first.
    @ivar hosts: The virtual hosts that have the request's host, likewise.
    @ivar objects: Where the objects begin whose routes the virtual host has, in their order.
    @ivar certificates: That the client is shown.
    @ivar refused: Why the client's certificate is refused; empty: it is not, or there is none.
    @ivar trials: What was tried, in its order; where a route takes it, that is the last.
    @ivar behind: What would take it as well.
    @ivar left_out: What the files say for this host and port and is not served there.
    @ivar near: What comes nearest, where no route takes it.
    @ivar advice: What to look at, and what to change.
    @ivar health: Of endpoints; empty: no gateway was asked.
    """

    decision: Decision
    effects: Effects
    servers: tuple[tuple[str, FilterChain], ...] = ()
    hosts: tuple[str, ...] = ()
    objects: tuple[Origin, ...] = ()
    certificates: tuple[Shown, ...] = ()
    refused: str = ""
    trials: tuple[Trial, ...] = ()
    behind: tuple[Trial, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    near: tuple[Near, ...] = ()
    advice: tuple[Advice, ...] = ()
    health: Health = field(default_factory=dict)

    @property
    def served(self) -> bool:
        """Whether the question is served: by a backend, or with what the files say, which no error is."""
        answer = self.effects.answer
        return self.decision.refusal is None and not self.refused and (answer is None or not answer.reason)

    @property
    def taken(self) -> Trial | None:
        """The match that takes it."""
        return self.trials[-1] if self.trials and self.trials[-1].held else None

    @property
    def disagrees(self) -> bool:
        """Whether the conditions tell another route than the one that the gateway takes: an error of ours."""
        if self.refused:
            return False
        taken = self.taken
        return (None if taken is None else taken.route) is not self.decision.route


class Explainer:
    """Explains what one L{Decider} makes of questions."""

    def __init__(
        self,
        decider: Decider,
        endpoints: Endpoints,
        notes: Notes,
        secrets: Secrets | None = None,
        health: Health | None = None,
        warnings: Sequence[Advice] = (),
        shadow_hosts: bool = False,
        most_names: int | None = None,
    ) -> None:
        """
        @param endpoints: Of the clusters of the Snapshot.
        @param notes: Of the Snapshot's compilation.
        @param secrets: What its servers' credentials name; L{None}: nothing is told of certificates.
        @param health: What a gateway that serves the Snapshot knows of endpoints.
        @param warnings: What was told when the files were compiled; where a question is not served, those about the
            objects that have a part in it are told again.
        @param shadow_hosts: As C{--shadow-hosts}.
        @param most_names: Of so many hosts the nearest ones are told, of more none; L{None}: of however many.
        """
        self._notes = notes
        self._secrets = secrets
        self._health = health or {}
        self._warnings = warnings
        self._most_names = most_names
        self._decider = decider
        self._effects = EffectsFinder(decider, endpoints, shadow_hosts)

    def explain(self, question: Question, refused: str = "", now: datetime | None = None) -> Explanation:
        """Explain one question; see L{explain_decision}."""
        return self.explain_decision(self._decider.decide(question), refused, now)

    def explain_decision(self, decision: Decision, refused: str = "", now: datetime | None = None) -> Explanation:
        """
        Explain what was decided of a question.

        @param refused: Why the server that the question comes to refuses the client's certificate, if it does.
        @param now: An aware time; by default the present.
        """
        notes, question = self._notes, decision.question
        listener, chain, asked, belongs = decision.listener, decision.chain, decision.asked, decision.owner
        servers = contenders(listener.secure, question.server_name) if listener is not None and question.tls else []
        hosts = contenders(belongs.http, asked.head.host) if asked and belongs is not None and belongs.http else []
        routes = () if decision.virtual_host is None else decision.virtual_host.routes
        certificates: tuple[Shown, ...] = ()
        if chain is not None and self._secrets is not None:
            certificates = shown(chain, self._secrets, question.server_name, now or datetime.now(timezone.utc))
        found = Explanation(
            decision,
            Effects() if decision.refusal is not None or refused else self._effects.of(decision),
            tuple(servers),
            tuple(pattern for pattern, _ in hosts),
            tuple(dict.fromkeys(notes.of(each).object for each in routes)),
            certificates,
            refused,
            trials=() if refused else tuple(trials(decision, notes)),
            left_out=tuple(left_out_for(decision, notes)),
            health=self._health,
        )
        return self._with_advice(found)

    def _with_advice(self, found: Explanation) -> Explanation:
        """Say as well what else would take the question, what comes nearest, and what to look at."""
        notes, decision, effects, taken = self._notes, found.decision, found.effects, found.taken
        if taken is not None and decision.asked is not None:
            found = replace(found, behind=tuple(behind(decision, notes, taken)))
        if taken is None and decision.asked is not None and decision.virtual_host is not None and decision.routed:
            found = replace(found, near=tuple(near_routes(decision.virtual_host, decision.asked, notes)))
        said = [*_of_certificates(found)]
        if not found.refused:
            said += advice(
                self._decider.snapshot, decision, effects, found.near, found.left_out, notes.left_out, self._most_names
            )
            said += redirect_advice(self._decider, self._effects, decision)
        found = replace(found, advice=tuple(said))
        return found if found.served else replace(found, advice=(*said, *self._warnings_about(found)))

    def _warnings_about(self, found: Explanation) -> Iterator[Advice]:
        """Yield the warnings about the objects that have a part in what is told."""
        told = {each.origin for each in found.advice}
        parts: list[Origin | None] = [*found.objects, *(each.origin for each in found.left_out), *told]
        parts += [each.origin for each in (found.decision.listener, found.decision.chain) if each is not None]
        for each in found.effects.destinations:
            if each.cluster is not None:
                parts += [each.cluster.origin, each.cluster.rule]
        objects = {(each.file, each.resource) for each in parts if each is not None}
        for warning in self._warnings:
            origin = warning.origin
            if origin is not None and origin not in told and (origin.file, origin.resource) in objects:
                yield warning


def _of_certificates(found: Explanation) -> Iterator[Advice]:
    """Yield what is wrong with the certificates of either side."""
    decision, chain = found.decision, found.decision.chain
    origin = None if chain is None else chain.origin
    if found.refused:
        text = f"the client's certificate does not satisfy the server, by its authorities or names: {found.refused}"
        yield Advice(text, origin)
    for each in found.certificates:
        if not each.fits:
            names = ", ".join(each.names) or "no name"
            what = f"certificate {each.name} is for {names}, not for {decision.question.server_name}"
            yield Advice(f"{what}: clients that verify it refuse the connection", origin)
        if not each.issued:
            yield Advice(f"certificate {each.name} is to be issued: until then the connection is refused", origin)
        if each.ended is not None:
            text = f"certificate {each.name} has ended on {each.ended:%Y-%m-%d}: clients refuse the connection"
            yield Advice(text, origin)
