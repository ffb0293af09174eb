"""Requests that are made up, and what policies as users write them make of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import indent

from edgegate.access.authorization import Authorizer
from edgegate.access.facts import Facts
from edgegate.http.guards.authorization import authorization_refusal
from edgegate.http.target import PathNormalisation, normal_path
from edgegate.istio.translate.guards.authorization_rules import RulesCompiler, action_of
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.guards.authorization import Action, Authorization
from tests.istio.translate.compiling import decoded

_BOUND = TCPAddress("0.0.0.0", 443)
_PEER = TCPAddress("192.0.2.10", 50000)
_LOCAL = TCPAddress("198.51.100.1", 443)


@dataclass
class Port:
    """What took a connection."""

    port: int = 443
    bind: Address = _BOUND


@dataclass
class Connected:
    """A connection."""

    listener: Port = field(default_factory=Port)
    peer: Address = _PEER
    introducer: Address | None = None
    local: Address = _LOCAL
    server_name: str = "app.example.com"
    client_certificate: bytes = b""


@dataclass
class Asked:
    """A request."""

    method: bytes = b"GET"
    path: bytes = b"/"
    query: bytes = b""
    scheme: bytes = b"https"
    authority: bytes = b"app.example.com"
    headers: Sequence[tuple[bytes, bytes]] = ()
    client_address: bytes = b"192.0.2.10"
    metadata: dict[str, dict[str, object]] | None = None


def asked(target: str = "/", *fields: str, paths: PathNormalisation = PathNormalisation.BASE, **parts: object) -> Asked:
    """Return a request as a client sends it: its target, and fields with their colons."""
    path, _, query = target.partition("?")
    split = [each.partition(":") for each in fields]
    headers = [(name.lower().encode(), value.strip().encode()) for name, _, value in split]
    return Asked(path=normal_path(path.encode(), paths), query=query.encode(), headers=headers, **parts)  # type: ignore[arg-type]


def with_claims(request: Asked, **claims: object) -> Asked:
    """Have a request bear a verified token."""
    request.metadata = {"envoy.filters.http.jwt_authn": {"payload": claims}}
    return request


def policy(spec: str, name: str = "p0", metadata: str = "") -> str:
    """Return a document."""
    head = f"---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}{metadata}}}\n"
    return f"{head}spec:\n{indent(spec, '  ')}\n" if spec else f"{head}spec: {{}}\n"


def authorizations(*specs: str, mesh: str = "") -> list[Authorization]:
    """Return the guards of policies C{p0}, C{p1} and so on, in their order; nothing may be wrong with them."""
    documents = [each if each.startswith("---") else policy(each, f"p{at}") for at, each in enumerate(specs)]
    resources, told = decoded("".join(documents) + mesh)
    assert not [each for each in map(str, told) if " error: " in each], [*map(str, told)]
    meshes = resources.mesh_configs
    compiler = RulesCompiler(meshes[0].spec if meshes else None)
    found = []
    for action in (Action.AUDIT, Action.DENY, Action.ALLOW):
        chosen = [each for each in resources.authorization_policies if action_of(each) is action]
        if chosen:
            found.append(compiler.guard(action, chosen))
    return found


class Judge:
    """Judges requests as the filters of the gateway do, one after the other."""

    def __init__(self, *specs: str, mesh: str = "") -> None:
        self.guards = authorizations(*specs, mesh=mesh)

    def refused(self, request: Asked | None, connection: Connected | None = None) -> str | None:
        """Return the details with which a request is refused, or a connection without one; L{None}: it passes."""
        facts = Facts(connection or Connected(), request)
        for guard in self.guards:
            authorizer = Authorizer(guard, of_connection=request is None)
            matched = authorizer.rules.first(facts)
            if not authorizer.admits(matched):
                return authorization_refusal(matched).details
        return None
