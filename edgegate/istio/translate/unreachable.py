"""HTTP routes of one VirtualService that no request ever reaches."""

from __future__ import annotations

from collections.abc import Container

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.translate.merging import Part
from edgegate.istio.translate.rules import EVERYWHERE, Rules, Scope, delegation, takes_all
from edgegate.model import codes
from edgegate.model.matching import HTTPMatch
from edgegate.model.routes import HTTPRoute


def warn_of_unreachable(rules: Rules, problems: Problems, known: Container[Part] = ()) -> list[Path]:
    """
    Warn of HTTP routes that stand behind another of the same VirtualService which takes all that they ask for.

    @param known: Those of delegates that are never reached whoever delegates to them; they are not told again.
    @return: The paths of all such routes.
    """
    found: dict[Path, str] = {}
    seen: dict[tuple[Scope, HTTPMatch], HTTPRoute] = {}
    taken: HTTPRoute | None = None
    for rule in rules.http:
        if taken is not None:
            found[rule.path] = f"the route at {taken.origin} takes every request"
            continue
        if rules.resource.left_out(rule.path):
            continue  # what is left of it is not what it asks for
        keys = [(scope, match) for scope, match, _ in rule.matches]
        if keys and all(key in seen for key in keys):
            found[rule.path] = f"the route at {seen[keys[0]].origin} has the same conditions"
        for key in keys:
            seen.setdefault(key, rule.route)
        if any(scope == EVERYWHERE and takes_all(match) for scope, match in keys):
            taken = rule.route
    for path, why in found.items():
        if rules.resource.at(path) not in known:
            root = delegation(rules.resource, path)
            through = f" through {root}" if root is not None else ""
            rules.resource.warning(problems, path, f"never reached{through}: {why}", code=codes.UNREACHABLE_ROUTE)
    return list(found)
