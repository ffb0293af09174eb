"""
Which Telemetry is for this gateway (C{pilot/pkg/model/telemetry.go}).

They count level by level, later ones win: that of the root namespace, then that of the gateway's namespace, then those
of that namespace whose selector chooses the gateway. Of a level without a selector the oldest counts. No file says in
which namespace the gateway is: it is taken to be in those of the Gateways that it serves, and in the root one, where
charts put it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from edgegate.config.problems import Problems, Severity
from edgegate.config.values import show
from edgegate.istio.kinds.telemetry import Telemetry
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.workloads import Workloads, chosen
from edgegate.model import codes


def telemetries_for(
    telemetries: Sequence[Resource[Telemetry]],
    root: str,
    namespaces: Collection[str],
    workloads: Workloads,
    problems: Problems,
) -> list[Resource[Telemetry]]:
    """
    Return those that count, in their order; what is for others, and what is one too many, is reported.

    @param telemetries: The oldest first.
    @param root: The root namespace.
    @param namespaces: Those of the Gateways that are served.
    @param workloads: What this gateway is, as far as selectors choose it.
    """
    ours = [root, *sorted(set(namespaces) - {root})]
    selecting: list[Resource[Telemetry]] = []
    first: dict[str, Resource[Telemetry]] = {}
    not_alone: set[str] = set()
    for each in telemetries:
        why_not = _elsewhere(each, ours, workloads)
        if why_not:
            each.document.problem(
                problems,
                Severity.INFO,
                (),
                f"{each.document.title} changes nothing here: {why_not}",
                code=codes.TELEMETRY_PROBLEM,
            )
        elif _labels(each.spec):
            _warn_of_second(each, selecting, problems)
            selecting.append(each)
        elif each.namespace in first:
            _warn_of_second_default(each, first[each.namespace], each.namespace not in not_alone, problems)
            not_alone.add(each.namespace)
        else:
            first[each.namespace] = each
    return [*(first[namespace] for namespace in ours if namespace in first), *selecting]


def _elsewhere(each: Resource[Telemetry], ours: Collection[str], workloads: Workloads) -> str:
    """Return why a Telemetry is for others than this gateway; nothing where it is for it."""
    if each.spec.target_ref is not None or each.spec.target_refs:
        return "targetRefs name gateways of the Gateway API"
    if each.namespace not in ours:
        return f"no Gateway that is served is in the namespace {show(each.namespace)}"
    labels = _labels(each.spec)
    if labels and not chosen(labels, workloads):
        wanted = ", ".join(f"{key}={value}" for key, value in labels.items())
        return f"no gateway here has the labels {wanted} of its selector"
    return ""


def _warn_of_second(each: Resource[Telemetry], before: Sequence[Resource[Telemetry]], problems: Problems) -> None:
    other = next((one for one in before if one.namespace == each.namespace), None)
    if other is not None:
        message = f"this gateway is chosen by {other.document.title} at {other.document.origin} already"
        each.warning(
            problems, ("metadata", "name"), f"{message}: both count, this one last", code=codes.CONFLICTING_TELEMETRIES
        )


def _warn_of_second_default(
    each: Resource[Telemetry], first: Resource[Telemetry], tell_both: bool, problems: Problems
) -> None:
    """Report one that is left out, and as Istio does the one that counts, once."""
    path = ("metadata", "name")
    if tell_both:
        message = (
            f"a namespace has one Telemetry without a selector: this one counts, not that at {each.document.origin}"
        )
        first.warning(problems, path, message, code=codes.MULTIPLE_TELEMETRIES)
    message = f"left out: a namespace has one Telemetry without a selector, which is at {first.document.origin}"
    each.warning(problems, path, message, code=codes.MULTIPLE_TELEMETRIES)


def _labels(telemetry: Telemetry) -> dict[str, str]:
    return {} if telemetry.selector is None else telemetry.selector.match_labels
