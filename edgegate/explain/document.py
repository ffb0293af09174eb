"""
An explanation as JSON, for programs.

C{version} changes where a key changes its meaning or goes away; that keys are added changes nothing for a reader who
passes over those that he does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from edgegate.explain.effects import NEW_REQUEST_ID, Answer, Copy, Destination
from edgegate.explain.explanation import Explanation
from edgegate.explain.nearness import Near, missing
from edgegate.explain.trials import Trial, name_of
from edgegate.explain.wording import balancing, header_changes, retries, template, text, upstream_tls
from edgegate.http.fields import Field
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute

VERSION: Final = 1

Document = dict[str, Any]


def document(found: Explanation) -> Document:
    """Return an explanation as values of JSON."""
    decision, effects = found.decision, found.effects
    question = decision.question
    return {
        "version": VERSION,
        "question": {
            "method": text(question.method),
            "url": question.url,
            "port": question.port,
            "sni": question.server_name or None,
            "alpn": text(question.alpn) or None,
            "headers": _fields(question.headers),
        },
        "served": found.served,
        "refusal": found.refused or (None if decision.refusal is None else decision.refusal.value),
        "listener": _listener(found),
        "server": _server(found),
        "request": _request(found),
        "virtual_host": None if decision.virtual_host is None else decision.virtual_host.domain,
        "virtual_services": [_place(each) for each in found.objects],
        "other_virtual_hosts": list(found.hosts[1:]),
        "policies": [
            {
                "policy": each.guard.origin.resource,
                "verdict": each.verdict.value,
                "words": each.words,
                **_place(each.guard.origin),
                "rules": [
                    {
                        "rule": trial.name,
                        "matches": trial.matches,
                        "words": trial.words,
                        **_place(trial.origin),
                    }
                    for trial in each.trials
                ],
            }
            for each in decision.guards
        ],
        "tried": [_trial(each) for each in found.trials],
        "behind": [{"route": _name(each), **_place(each.origin)} for each in found.behind],
        "left_out": [
            {"cause": each.cause.name, "reason": each.reason, "route": each.route or None, **_place(each.origin)}
            for each in found.left_out
        ],
        "route": _route(found),
        "answer": None if effects.answer is None else _answer(effects.answer),
        "delay": None if effects.delay is None else {"seconds": effects.delay[0], "share": effects.delay[1]},
        "abort": None if effects.abort is None else {**_answer(effects.abort[0]), "share": effects.abort[1]},
        "cors": _fields(effects.cors),
        "destinations": [_destination(each, found.health) for each in effects.destinations],
        "mirrors": [_copy(each) for each in effects.copies],
        "near": [_near(each) for each in found.near],
        "advice": [{"text": each.text, **_place(each.origin)} for each in found.advice],
    }


def _place(origin: Origin | None) -> Document:
    if origin is None:
        return {"resource": None, "file": None, "line": None}
    return {"resource": origin.resource, "file": origin.file, "line": origin.line}


def _fields(fields: Iterable[Field]) -> list[list[str]]:
    """Return fields as pairs: a name may come several times."""
    return [[text(name), "NEW" if value == NEW_REQUEST_ID else text(value)] for name, value in fields]


def _listener(found: Explanation) -> Document | None:
    listener = found.decision.listener
    if listener is None:
        return None
    return {"name": listener.name, "bind": str(listener.bind), "port": listener.port, **_place(listener.origin)}


def _server(found: Explanation) -> Document | None:
    chain = found.decision.chain
    if chain is None:
        return None
    shown = [
        {
            "name": each.name,
            "names": list(each.names),
            "fits": each.fits,
            "expired": each.ended is not None,
            "issued": each.issued,
        }
        for each in found.certificates
    ]
    return {
        "name": chain.name,
        "hosts": list(chain.hosts),
        "tls": chain.tls is not None,
        "certificates": shown,
        "found_by": found.servers[0][0] if found.servers else None,
        **_place(chain.origin),
    }


def _request(found: Explanation) -> Document | None:
    asked = found.decision.asked
    if asked is None:
        return None
    return {
        "method": text(asked.method),
        "path": text(asked.path),
        "query": text(asked.query),
        "host": name_of(found.decision),
    }


def _trial(trial: Trial) -> Document:
    failed = trial.failed
    said: Document | None = None
    if failed is not None:
        wanted = failed.wanted
        said = {
            "condition": failed.what,
            "kind": "exact" if wanted is None else wanted.kind.value,
            "wanted": failed.wanted_port if wanted is None else wanted.value,
            "there": [text(each) for each in failed.there],
        }
    why = trial.why or (None if failed is None else missing(failed))
    return {
        "route": _name(trial),
        "match": trial.number,
        "held": trial.held,
        "failed": said,
        "why": why,
        **_place(trial.origin),
    }


def _name(trial: Trial) -> str | None:
    return trial.route.name if isinstance(trial.route, HTTPRoute) else None


def _route(found: Explanation) -> Document | None:
    route = found.decision.route
    if route is None:
        return None
    taken = found.taken
    said: Document = {"name": None, **_place(route.origin), "match": _place(taken.origin if taken else route.origin)}
    if isinstance(route, HTTPRoute):
        said |= {"name": route.name, "timeout": route.timeout, "retries": retries(route.retries)}
    return said


def _answer(answer: Answer) -> Document:
    return {
        "status": answer.status,
        "headers": _fields(answer.fields),
        "body": answer.body.decode("utf-8", "replace"),
        "flags": answer.flags.split(",") if answer.flags else [],
        "details": answer.details or None,
        "reason": answer.reason or None,
    }


def _destination(each: Destination, health: Mapping[tuple[str, str], str]) -> Document:
    cluster, sent = each.cluster, each.sent
    removed = [] if each.said.request is None else [name for part in each.said.request.headers for name in part.remove]
    added = (
        []
        if each.said.request is None
        else [pair for part in each.said.request.headers for pair in (*part.set, *part.add)]
    )
    return {
        "cluster": each.said.cluster,
        "subset": each.said.cluster.split("|")[2] or None,
        "weight": each.said.weight,
        "share": each.share,
        "request": None
        if sent is None
        else {
            "method": text(sent.method),
            "target": text(sent.target),
            "authority": text(sent.authority),
            "headers": _fields(sent.fields),
            "removes": [text(name) for name in removed],
            "sets": [[text(name), template(value)] for name, value in added],
        },
        "response": list(header_changes(each.said.response)),
        "tls": None if cluster is None else upstream_tls(cluster.tls, each.server_name),
        "sni": each.server_name or None,
        "http": None if cluster is None else cluster.http.value,
        "balancing": None if cluster is None else balancing(cluster.balancer),
        "endpoints": [
            {
                "address": str(known.address),
                "weight": known.weight,
                "health": health.get((each.said.cluster, str(known.address))),
            }
            for known in each.endpoints
        ],
        "answer": None if each.answer is None else _answer(each.answer),
        "service": _place(None if cluster is None else cluster.origin),
        "destination_rule": None if cluster is None or cluster.rule is None else _place(cluster.rule),
    }


def _copy(copy: Copy) -> Document:
    sent = copy.sent
    return {
        "cluster": copy.cluster,
        "share": copy.share,
        "request": {
            "method": text(sent.method),
            "target": text(sent.target),
            "authority": text(sent.authority),
            "headers": _fields(sent.fields),
        },
    }


def _near(near: Near) -> Document:
    return {
        "route": near.route.name,
        "failed": [missing(each) for each in near.failed],
        "score": round(near.score, 3),
        "hint": near.hint or None,
        **_place(near.origin),
    }
