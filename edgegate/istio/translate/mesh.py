"""What MeshConfig says of the gateway as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from edgegate.istio.kinds.mesh_config import MeshConfig, Normalization
from edgegate.istio.resources import Resource


def path_normalization(meshes: Sequence[Resource[MeshConfig]]) -> str:
    """Return the form of paths that is asked for, as C{--path-normalization} names it; empty: none is."""
    given = meshes[0].spec.path_normalization if meshes else None
    if given is None or given.normalization is None:
        return ""
    if given.normalization is Normalization.DEFAULT:
        return "base"
    form: str = given.normalization.value
    return form.lower().replace("_", "-")
