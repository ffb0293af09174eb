"""Made-up folders and requests, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tests.istio.translate.compiling import gateway, virtual_service

HOSTS = ("a.example", "b.example", "*.example", "x.a.example", "*.a.example", "*")
PATHS = ("/", "/a", "/a/", "/a/b", "/A", "/ab", "/b", "/b/c/d", "/a/b?x=1", "/b?x=2&y", "/%61", "/a/../b", "/a//b")
REGEXES = ("/a.*", "/[ab]+", "/a|/b", "/(a|b)/[a-z]+", ".*b")
METHODS = ("GET", "POST", "PUT", "OPTIONS")
HEADERS = (("x-user", "qa"), ("x-user", "x"), ("x-team", "a"), ("cookie", "s=1; t=2"), ("x-user", ""))


def folder(
    random: Random, ports: Sequence[object] = (81, 82), listener: object = 80, hosts: Sequence[str] = HOSTS
) -> str:
    """
    Write a Gateway and VirtualServices with many routes.

    @param ports: Those of backends.
    """
    served = random.sample(hosts, random.randint(2, 4))
    text = gateway("gw", f"{listener} HTTP {','.join(served)}")
    for number in range(random.randint(1, 3)):
        routes = ",\n  ".join(_route(random, f"r{number}-{at}", ports) for at in range(random.randint(1, 6)))
        text += virtual_service(f"v{number}", random.choice(hosts), f"http: [{routes}]")
    return text


def _route(random: Random, name: str, ports: Sequence[object]) -> str:
    matches = ",\n    ".join(_match(random) for _ in range(random.choice((0, 1, 1, 2, 3))))
    match = f"match: [{matches}], " if matches else ""
    return f"{{name: {name}, {match}{_action(random, ports)}}}"


def _action(random: Random, ports: Sequence[object]) -> str:
    to = f"route: [{{destination: {{host: 127.0.0.1, port: {{number: {random.choice(ports)}}}}}}}]"
    return random.choice(
        (
            to,
            f"rewrite: {{uri: /new}}, {to}",
            f"headers: {{request: {{set: {{x-set: '1'}}, remove: [x-user]}}}}, timeout: 5s, {to}",
            f"fault: {{abort: {{httpStatus: 429, percentage: {{value: 100}}}}}}, {to}",
            f"corsPolicy: {{allowOrigins: [{{exact: 'https://o.example'}}], allowMethods: [PUT]}}, {to}",
            "redirect: {uri: /else, redirectCode: 302}",
            "redirect: {authority: other.example}",
            "directResponse: {status: 418, body: {string: tea}}",
        )
    )


def _match(random: Random) -> str:
    parts = []
    if random.random() < 0.8:
        kind = random.choice(("exact", "prefix", "prefix", "regex"))
        value = random.choice(REGEXES) if kind == "regex" else random.choice(PATHS).partition("?")[0]
        folded = ", ignoreUriCase: true" if kind != "regex" and random.random() < 0.2 else ""
        parts.append(f"uri: {{{kind}: '{value}'}}{folded}")
    if random.random() < 0.2:
        parts.append(f"method: {{exact: {random.choice(METHODS)}}}")
    if random.random() < 0.3:
        name, value = random.choice(HEADERS[:3])
        where = random.choice(("headers", "headers", "withoutHeaders"))
        condition = random.choice((f"{{exact: {value}}}", "{prefix: q}", "{regex: 'q.*|a'}", "{}"))
        parts.append(f"{where}: {{{name}: {condition}}}")
    if random.random() < 0.15:
        parts.append(f"queryParams: {{x: {{exact: '{random.choice((1, 2))}'}}}}")
    if random.random() < 0.1:
        parts.append(f"authority: {{prefix: {random.choice('ab')}}}")
    if random.random() < 0.1:
        parts.append("port: 81")
    return f"{{{', '.join(parts)}}}"


Made = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""Method, target, host and further headers."""


def requests(random: Random, count: int) -> Iterator[Made]:
    """Yield requests; a host that no pattern has is among theirs."""
    hosts = ("a.example", "b.example", "x.a.example", "y.example", "A.example", "a.example.", "other.test")
    for _ in range(count):
        headers = tuple(each for each in HEADERS if random.random() < 0.25)
        if random.random() < 0.15:
            headers = (*headers, ("origin", "https://o.example"), ("access-control-request-method", "PUT"))
        yield random.choice(METHODS), random.choice(PATHS), random.choice(hosts), headers
