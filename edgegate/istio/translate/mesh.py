"""What MeshConfig says of the gateway as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from edgegate.config.problems import Problems
from edgegate.istio.kinds.mesh_config import MeshConfig, Normalization
from edgegate.istio.resources import Resource

ROOT = "istio-system"
"""The root namespace, unless MeshConfig says another."""


def mesh_of(meshes: Sequence[Resource[MeshConfig]], problems: Problems) -> Resource[MeshConfig] | None:
    """Return the one MeshConfig, if there is any; others are errors."""
    for other in meshes[1:]:
        other.error(problems, (), f"a mesh has one MeshConfig, which is at {meshes[0].document.origin}")
    return meshes[0] if meshes else None


def root_namespace(mesh: Resource[MeshConfig] | None) -> str:
    """Return the namespace whose documents are for all."""
    return (mesh.spec.root_namespace if mesh is not None else None) or ROOT


def path_normalization(mesh: Resource[MeshConfig] | None) -> str:
    """Return the form of paths that is asked for, as C{--path-normalization} names it; empty: none is."""
    given = mesh.spec.path_normalization if mesh is not None else None
    if given is None or given.normalization is None:
        return ""
    if given.normalization is Normalization.DEFAULT:
        return "base"
    form: str = given.normalization.value
    return form.lower().replace("_", "-")
