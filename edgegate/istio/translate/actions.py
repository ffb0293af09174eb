"""What HTTP routes do with requests, beside finding them: the fields of C{HTTPRoute} but C{match} and C{route}."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from edgegate.istio.kinds import virtual_service as kinds
from edgegate.istio.kinds.virtual_service import RedirectPort, UnmatchedPreflights
from edgegate.istio.validation.http_actions import GRPC_STATUSES
from edgegate.model.actions import REQUEST_PORT, DirectResponse, NewPath, Redirect, RequestChanges, Substitution
from edgegate.model.expressions import check_regex
from edgegate.model.headers import FRAMING, SET_LAST, HeaderChanges, Template, Value
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.policies import DEFAULT_RETRIES, Abort, CORSPolicy, Delay, Faults, RetryPolicy
from edgegate.model.routes import HTTPRoute

_PREFIX = b"/"
"""Stands for the prefix that matched until it is known which did."""

_AUTHORITY = (":authority", "host")
_OF_REQUESTS = FRAMING | {"host"}
_OF_RESPONSES = _OF_REQUESTS | SET_LAST
"""Headers that no operation changes; that some do was reported."""


def redirect(given: kinds.HTTPRedirect | None) -> Redirect | None:
    """Compile a redirect."""
    if given is None:
        return None
    path = NewPath(given.uri.encode(), whole="?" in given.uri) if given.uri else None
    if given.prefix_rewrite:
        path = NewPath(given.prefix_rewrite.encode(), _PREFIX)
    port = given.port
    if given.derive_port is not None:
        port = REQUEST_PORT if given.derive_port is RedirectPort.FROM_REQUEST_PORT else 0
    return Redirect(given.redirect_code or 301, path, _bytes(given.authority), _bytes(given.scheme), port)


def direct(given: kinds.HTTPDirectResponse | None) -> DirectResponse | None:
    """Compile a direct answer."""
    if given is None:
        return None
    body = b"" if given.body is None else given.body.bytes or (given.body.string or "").encode()
    return DirectResponse(given.status, bytes(body))


def new_path(given: kinds.HTTPRewrite | None) -> NewPath | Substitution | None:
    """
    Compile what a rewrite says of the path.

    @raise ValueError: The replacement is none.
    """
    if given is None:
        return None
    pattern = given.uri_regex_rewrite
    if pattern is not None:
        usable = pattern.match and pattern.rewrite and _is_expression(pattern.match)
        return Substitution(pattern.match or "", pattern.rewrite or "") if usable else None
    return NewPath(given.uri.encode(), _PREFIX) if given.uri else None


def request_changes(
    item: kinds.HTTPRoute, path: NewPath | Substitution | None, own: kinds.Headers | None
) -> RequestChanges | None:
    """
    Compile what is changed of requests that go to a destination of a route.

    Where both say the authority, the route's word counts.

    @param own: The destination's.
    """
    if item.rewrite is None and item.headers is None and own is None:
        return None
    operations = [None if headers is None else headers.request for headers in (item.headers, own)]
    authority = item.rewrite.authority if item.rewrite is not None else None
    for each in operations:
        authority = authority or _authority(each)
    headers = _in_order(operations, _OF_REQUESTS, single=len(item.route) == 1)
    found = RequestChanges(path, _bytes(authority), headers)
    return None if found == RequestChanges() else found


def response_changes(item: kinds.HTTPRoute, own: kinds.Headers | None) -> tuple[HeaderChanges, ...]:
    """Compile what is changed of answers that come from a destination of a route; C{own} is the destination's."""
    if item.headers is None and own is None:
        return ()
    operations = [None if headers is None else headers.response for headers in (item.headers, own)]
    return _in_order(operations, _OF_RESPONSES, single=len(item.route) == 1)


def own_response_changes(item: kinds.HTTPRoute) -> HeaderChanges | None:
    """Compile what is changed of a route's own answers: redirects and direct ones."""
    return None if item.headers is None else _header_changes([item.headers.response], _OF_RESPONSES)


def retries(given: kinds.HTTPRetry | None) -> RetryPolicy | None:
    """Compile retries: Istio's default where nothing is said, none where 0 attempts are."""
    if given is None:
        return DEFAULT_RETRIES
    if not given.attempts or given.attempts < 0:
        return None
    policy = replace(DEFAULT_RETRIES, attempts=given.attempts, per_try_timeout=given.per_try_timeout)
    if given.retry_on:
        words = [word.strip() for word in given.retry_on.split(",") if word.strip()]
        numbers = frozenset(int(word) for word in words if word.isdecimal())
        policy = replace(policy, conditions=frozenset(word for word in words if not word.isdecimal()), statuses=numbers)
    if given.backoff is not None:
        policy = replace(policy, backoff=float(given.backoff))
    return policy if given.retry_ignore_previous_hosts is not False else replace(policy, elsewhere=False)


def faults(given: kinds.HTTPFaultInjection | None) -> Faults | None:
    """
    Compile faults; L{None} where they come to nothing.

    One without a C{percentage} harms no request (Istio's C{translateFault}); a delay's C{percent} is its old spelling.
    """
    if given is None:
        return None
    delay = abort = None
    if given.delay is not None and given.delay.fixed_delay is not None:
        old = kinds.Percent(value=given.delay.percent or 0.0)
        delay = Delay(float(given.delay.fixed_delay), share(given.delay.percentage or old))
    if given.abort is not None:
        status, name = given.abort.http_status, given.abort.grpc_status
        part = share(given.abort.percentage or kinds.Percent(value=0.0))
        if status is not None:
            abort = Abort(status, None, part)
        elif name in GRPC_STATUSES:
            abort = Abort(200, GRPC_STATUSES.index(name), part)
    if delay is not None and not delay.share:
        delay = None
    if abort is not None and not abort.share:
        abort = None
    return Faults(delay, abort) if delay is not None or abort is not None else None


def share(percentage: kinds.Percent | None) -> float:
    """Return a percentage as a number between 0 and 1; where none is given, all."""
    return 1.0 if percentage is None else (percentage.value or 0.0) / 100


def cors(given: kinds.CorsPolicy | None) -> CORSPolicy | None:
    """Compile a CORS policy."""
    if given is None:
        return None
    origins = [StringMatch(Kind.EXACT, origin) for origin in given.allow_origin]
    if given.allow_origins:
        origins = [_origin(origin) for origin in given.allow_origins if _is_expression(origin.regex or "")]
    return CORSPolicy(
        tuple(origins),
        ",".join(given.allow_methods).encode(),
        ",".join(given.allow_headers).encode(),
        ",".join(given.expose_headers).encode(),
        b"%d" % given.max_age if given.max_age is not None else b"",
        bool(given.allow_credentials),
        given.unmatched_preflights is not UnmatchedPreflights.IGNORE,
    )


def depends_on_match(route: HTTPRoute) -> bool:
    """Whether what a route does depends on which of its conditions on the path held."""
    paths = [each.request.path for each in route.destinations if each.request is not None]
    if route.redirect is not None:
        paths.append(route.redirect.path)
    return any(isinstance(path, NewPath) and path.prefix is not None for path in paths)


def for_match(route: HTTPRoute, uri: StringMatch | None) -> HTTPRoute:
    """Return the route as it is where this condition on the path was the one that held."""
    return replace(
        route,
        redirect=None if route.redirect is None else route.redirect.matched(uri),
        destinations=tuple(
            each if each.request is None else replace(each, request=each.request.matched(uri))
            for each in route.destinations
        ),
    )


def _is_expression(text: str) -> bool:
    """Whether a text is a regular expression; one that is none was reported."""
    try:
        check_regex(text)
    except ValueError:
        return False
    return True


def _origin(match: kinds.StringMatch) -> StringMatch:
    if match.prefix is not None:
        return StringMatch(Kind.PREFIX, match.prefix)
    if match.regex is not None:
        return StringMatch(Kind.REGEX, match.regex)
    return StringMatch(Kind.EXACT, match.exact or "")


def _in_order(
    operations: list[kinds.HeaderOperations | None], fixed: frozenset[str], single: bool
) -> tuple[HeaderChanges, ...]:
    """
    Return a route's and its destination's operations as Istio has Envoy do them.

    With one destination they are joined, and where both set a header the
    destination's word counts; with several the destination's come first, and
    the route's word counts.
    """
    groups = [operations] if single else [[each] for each in reversed(operations)]
    return tuple(changes for group in groups if (changes := _header_changes(group, fixed)) is not None)


def _header_changes(operations: Iterable[kinds.HeaderOperations | None], fixed: frozenset[str]) -> HeaderChanges | None:
    """
    Join operations: all removals come first, and of what is set twice the last one counts.

    @param fixed: Names that are left alone.
    """
    given = [each for each in operations if each is not None]
    removed = (name.lower() for each in given for name in each.remove if not name.startswith(":"))
    changes = HeaderChanges(
        tuple(dict.fromkeys(name.encode() for name in removed if name not in fixed)),
        tuple(dict(value for each in given for value in _values(each.set, fixed)).items()),
        tuple(value for each in given for value in _values(each.add, fixed)),
    )
    return None if changes == HeaderChanges() else changes


def _values(given: dict[str, str], fixed: frozenset[str]) -> list[Value]:
    """Return names and values in the order of the names, as Istio sorts them; what is none was reported."""
    found = []
    for name, text in sorted(given.items()):
        try:
            template = Template.parse(text)
        except ValueError:
            continue
        if not name.startswith(":") and name.lower() not in fixed:
            found.append((name.lower().encode(), template))
    return found


def _authority(operations: kinds.HeaderOperations | None) -> str | None:
    if operations is None:
        return None
    named = {name.lower(): value for given in (operations.add, operations.set) for name, value in given.items()}
    return next((named[name] for name in _AUTHORITY if named.get(name)), None)


def _bytes(text: str | None) -> bytes | None:
    return text.encode() if text else None
