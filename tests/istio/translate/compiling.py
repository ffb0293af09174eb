"""Documents as text to the Snapshot, without any file."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from edgegate.istio.decode import decode
from edgegate.istio.resources import Resources
from edgegate.istio.translate import CompileOptions
from edgegate.istio.translate.clusters import ClusterCompiler
from edgegate.istio.translate.compile_options import (
    Inspect,
    inspect_no_upstream,
    inspect_nothing,
    read_nothing,
)
from edgegate.istio.translate.destination_rules import DestinationRules
from edgegate.istio.translate.key_sources import KeySources
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.istio.translate.upstream_tls import UpstreamTLSCompiler
from edgegate.model.tls import Credential, KeyPair, ServerTLS, UpstreamTLS
from edgegate.routing.snapshot import Listener, Snapshot
from edgegate.sources.compilation import compile_resources

NAME = "in.yaml"


class Files:
    """A folder that is not there: what reads from it gets what it holds."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents
        self.read: list[str] = []

    def __call__(self, name: str) -> bytes:
        self.read.append(name)
        if name not in self.contents:
            raise FileNotFoundError(2, "No such file or directory", name)
        return self.contents[name]


class Collected:
    """
    Takes key material, and finds nothing wrong with it.

    @ivar pairs: What it was given, by what names it.
    """

    def __init__(self) -> None:
        self.pairs: dict[Credential, KeyPair] = {}

    def servers(self, tls: ServerTLS, pairs: tuple[KeyPair, ...], hosts: tuple[str, ...]) -> tuple[()]:
        """Take that of a server."""
        self.pairs.update((pair.credential, pair) for pair in pairs)
        return ()

    def upstream(self, tls: UpstreamTLS, pair: KeyPair | None) -> tuple[()]:
        """Take that of TLS with backends."""
        if pair is not None:
            self.pairs[pair.credential] = pair
        return ()


def decoded(text: str) -> tuple[Resources, Problems]:
    """Decode the documents of a text."""
    problems = Problems()
    return decode(read(NAME, dedent(text), problems), problems), problems


def compiled(
    text: str,
    selector: Mapping[str, str] | None = None,
    port_map: Mapping[int, int] | None = None,
    files: Mapping[str, bytes] | None = None,
    inspect: Inspect = inspect_nothing,
    gateway_namespace: str | None = None,
) -> tuple[Snapshot, list[str]]:
    """Compile the documents of a text; return the Snapshot and all problems as they are printed."""
    resources, problems = decoded(text)
    reads = Files(files or {})
    options = CompileOptions(selector, port_map or {}, reads, inspect, gateway_namespace=gateway_namespace)
    return compile_resources(resources, options, problems).snapshot, [str(problem) for problem in problems]


def endpoints(text: str) -> dict[str, list[str]]:
    """Compile the documents of a text; return the addresses of all clusters by their names."""
    resources, problems = decoded(text)
    found = compile_resources(resources, CompileOptions(), problems).endpoints
    return {name: [str(endpoint.address) for endpoint in assigned] for name, assigned in found.items()}


def listener(snapshot: Snapshot, port: int) -> Listener:
    """Return the listener of a port by the files."""
    (found,) = [each for each in snapshot.listeners if each.port == port]
    return found


def gateway(name: str, *servers: str, namespace: str = "default") -> str:
    """Write a Gateway; each server is C{PORT PROTOCOL HOST,HOST [TLS as flow mapping]}."""
    lines = []
    for number, server in enumerate(servers):
        port, protocol, hosts, *tls = server.split(" ", 3)
        names = ", ".join(f'"{host}"' for host in hosts.split(","))
        rest = f", tls: {tls[0]}" if tls else ""
        lines.append(
            f"  - {{port: {{number: {port}, name: p{number}, protocol: {protocol}}}, hosts: [{names}]{rest}}}\n"
        )
    return (
        f"apiVersion: networking.istio.io/v1\nkind: Gateway\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  selector: {{istio: edge}}\n  servers:\n"
        f"{''.join(lines)}---\n"
    )


def virtual_service(name: str, hosts: str, body: str, gateways: str = "gw", namespace: str = "default") -> str:
    """Write a VirtualService; C{body} is what stands beside C{hosts}, as a flow mapping's inside."""
    names = ", ".join(f'"{host}"' for host in hosts.split(","))
    return (
        f"apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{hosts: [{names}], gateways: [{gateways}], {body}}}\n---\n"
    )


def route(host: str = "127.0.0.1", port: int | None = 80, **rest: str) -> str:
    """Write the inside of a route to one destination."""
    number = f", port: {{number: {port}}}" if port is not None else ""
    more = "".join(f"{key}: {value}, " for key, value in rest.items())
    return f'{{{more}route: [{{destination: {{host: "{host}"{number}}}}}]}}'


def secret(name: str, *keys: str, namespace: str = "default") -> str:
    """Write a Secret whose values are their keys."""
    entries = ", ".join(f"{key}: {name} {key}" for key in keys)
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"stringData: {{{entries}}}\n---\n"
    )


def no_rules(problems: Problems) -> ClusterCompiler:
    """Compile clusters of which no DestinationRule says anything."""
    tls = UpstreamTLSCompiler(KeySources([], read_nothing, Suggestions()), inspect_no_upstream, problems)
    return ClusterCompiler(DestinationRules([], problems), tls)
