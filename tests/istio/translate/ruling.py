"""DestinationRules for tests: a Gateway, a route to one service, and whatever is said of that."""

from __future__ import annotations

from textwrap import indent

from edgegate.config.problems import Problems
from edgegate.istio.translate import CompileOptions
from edgegate.istio.translate.compile_options import InspectUpstream, inspect_no_upstream
from edgegate.model.clusters import Cluster
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import Files, decoded

ISTIO = "apiVersion: networking.istio.io/v1"
FRONT = f"""\
{ISTIO}
kind: Gateway
metadata: {{name: gw}}
spec: {{servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}]}}
---
{ISTIO}
kind: ServiceEntry
metadata: {{name: web}}
spec:
  hosts: [web.example]
  ports: [{{number: 80, name: http, protocol: HTTP}}, {{number: 81, name: other, protocol: HTTP}}]
  resolution: STATIC
  endpoints: [{{address: 10.0.0.1, labels: {{version: v1}}}}, {{address: 10.0.0.2, labels: {{version: v2}}}}]
"""


def route(*destinations: str, namespace: str = "default") -> str:
    """Return a VirtualService with destinations of equal weight."""
    routes = "".join(f"  - {{destination: {each}, weight: 1}}\n" for each in destinations)
    return (
        f"{ISTIO}\nkind: VirtualService\nmetadata: {{name: web, namespace: {namespace}}}\nspec:\n"
        f"  hosts: [{namespace}.example]\n  gateways: [default/gw]\n  http:\n  - route:\n{indent(routes, '  ')}"
    )


def rule(spec: str, name: str = "web", namespace: str = "default") -> str:
    """Return a DestinationRule of a spec in flow style."""
    return f"{ISTIO}\nkind: DestinationRule\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}}}\n"


def clusters(
    *documents: str, files: Files | None = None, inspect: InspectUpstream = inspect_no_upstream
) -> tuple[dict[str, Cluster], list[str]]:
    """Return the clusters of documents beside L{FRONT}, and what is told, without the file's name and place."""
    resources, problems = decoded("---\n".join((FRONT, *documents)))
    options = CompileOptions(read_file=files or Files({}), inspect_upstream=inspect)
    snapshot = compile_resources(resources, options, problems).snapshot
    return dict(snapshot.clusters), told(problems)


def told(problems: Problems) -> list[str]:
    """Return what is told, without the file's name and place."""
    return [str(problem).split(": ", 1)[1] for problem in problems]
