"""The ConfigMap C{istio}, in which a cluster keeps its MeshConfig: YAML in a string."""

from __future__ import annotations

from textwrap import indent

from edgegate.config.document import Document
from edgegate.config.manifest import stream
from edgegate.config.problems import Problems

NAME, KEY = "istio", "mesh"

_HEAD = """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {{name: {name}, namespace: {namespace}}}
spec:"""


def mesh_config_in(document: Document, problems: Problems) -> Document | None:
    """
    Return the MeshConfig that a ConfigMap holds; L{None}: it holds none.

    Its lines are those of the file, as long as the string is written as a block (C{mesh: |-}); columns are right where
    the block is indented by four.
    """
    data = document.value.get("data")
    mesh = data.get(KEY) if isinstance(data, dict) else None
    if document.kind != "ConfigMap" or document.group or document.name != NAME or not isinstance(mesh, str):
        return None
    head = _HEAD.format(name=document.name, namespace=document.namespace)
    lines = max(document.origin_of(("data", KEY)).line - head.count("\n") - 1, 0)
    body = indent(mesh, "    ") if mesh.strip() else "  {}"
    return next(stream(document.file, "\n" * lines + head + "\n" + body, problems), None)
