"""Matches of HTTP routes to conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds import virtual_service as kinds
from edgegate.istio.kinds.virtual_service import VirtualService, is_claim
from edgegate.istio.resources import Resource
from edgegate.model.claims import claim_name
from edgegate.model.expressions import check_regex
from edgegate.model.matching import HTTPMatch, Kind, StringMatch

_NEVER = StringMatch(Kind.REGEX)
_PRESENT = StringMatch(Kind.PRESENT)


def http_match(
    resource: Resource[VirtualService], path: Path, match: kinds.HTTPMatchRequest, problems: Problems
) -> HTTPMatch | None:
    """
    Compile a match but for where it can hold; L{None} for one that never holds.

    Such a one is in error, which is reported.
    """

    def text(name: str, given: kinds.StringMatch | None, ignore_case: bool = False) -> StringMatch | None:
        return None if given is None else _text(resource, (*path, name), given, problems, ignore_case)

    def texts(
        name: str, given: Mapping[str, kinds.StringMatch], spelling: Callable[[str], str]
    ) -> tuple[tuple[str, StringMatch], ...]:
        if not given:
            return ()
        found = ((spelling(key), _value(resource, (*path, name, key), each, problems)) for key, each in given.items())
        return tuple(found)

    uri = text("uri", match.uri, bool(match.ignore_uri_case))
    method, authority, scheme = (text(name, getattr(match, name)) for name in ("method", "authority", "scheme"))
    headers = texts("headers", match.headers, _named)
    without = texts("withoutHeaders", match.without_headers, _named)
    params = texts("queryParams", match.query_params, str)
    named = (each for _, each in (*headers, *without, *params))
    if any(each is _NEVER for each in (uri, method, authority, scheme, *named)):
        return None
    return HTTPMatch(
        uri,
        method,
        authority,
        headers,
        scheme=scheme,
        without_headers=without,
        query_params=params,
        stat_prefix=match.stat_prefix or "",
    )


def _named(name: str) -> str:
    """Return the name of a header, or that which a claim has."""
    return claim_name(name) if is_claim(name) else name.lower()


def _value(resource: Resource[VirtualService], path: Path, given: kinds.StringMatch, problems: Problems) -> StringMatch:
    """Compile a condition on what has a name. C{*} is no expression there but presence, as Istio has it."""
    if given.regex == "*":
        return _PRESENT
    return _text(resource, path, given, problems) or _PRESENT


def _text(
    resource: Resource[VirtualService],
    path: Path,
    given: kinds.StringMatch | None,
    problems: Problems,
    ignore_case: bool = False,
) -> StringMatch | None:
    """Compile a condition; L{None} where there is none, L{_NEVER} for one that is in error."""
    if given is None:
        return None
    if given.exact is not None:
        return StringMatch(Kind.EXACT, given.exact, ignore_case)
    if given.prefix is not None:
        return StringMatch(Kind.PREFIX, given.prefix, ignore_case)
    if given.regex is None:
        return _PRESENT
    try:
        check_regex(given.regex)
    except ValueError as error:
        resource.error(problems, (*path, "regex"), f"not a regular expression of RE2: {error}")
        return _NEVER
    return StringMatch(Kind.REGEX, given.regex)
