"""What MeshConfig says of the gateway as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from edgegate.config.problems import Problems
from edgegate.istio.kinds.mesh_config import MeshConfig, Normalization
from edgegate.istio.kinds.proxy_config import (
    ConnectionSettings,
    EscapedSlashesAction,
    Profile,
    ProxyConfig,
    UnderscoresAction,
)
from edgegate.istio.resources import Resource
from edgegate.model.proxy import NO_SETTINGS, ProxySettings

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


_UNDERSCORES = {
    UnderscoresAction.ALLOW: "allow",
    UnderscoresAction.REJECT_REQUEST: "reject",
    UnderscoresAction.DROP_HEADER: "drop",
}

_EDGE = ConnectionSettings(
    http_headers_with_underscores_action=UnderscoresAction.REJECT_REQUEST,
    http_merge_slashes=True,
    http_path_with_escaped_slashes_action=EscapedSlashesAction.UNESCAPE_AND_REDIRECT,
)
"""What the profile C{EDGE} says beside what the gateway is anyway
(U{https://istio.io/latest/docs/ops/configuration/traffic-management/edge-proxy/})."""

_UNESCAPES = (EscapedSlashesAction.UNESCAPE_AND_REDIRECT, EscapedSlashesAction.UNESCAPE_AND_FORWARD)


def proxy_settings(mesh: Resource[MeshConfig] | None) -> ProxySettings:
    """Return what is said of the gateway as a whole."""
    if mesh is None:
        return NO_SETTINGS
    config = mesh.spec.default_config or ProxyConfig()
    said = config.connection_settings or ConnectionSettings()
    profile = _EDGE if said.profile is Profile.EDGE else ConnectionSettings()
    underscores = said.http_headers_with_underscores_action or profile.http_headers_with_underscores_action
    return ProxySettings(
        None if config.gateway_topology is None else config.gateway_topology.num_trusted_proxies,
        "" if underscores is None else _UNDERSCORES[underscores],
        _path_normalization(mesh.spec) or _paths_by(said, profile),
    )


def _paths_by(said: ConnectionSettings, profile: ConnectionSettings) -> str:
    escaped = said.http_path_with_escaped_slashes_action or profile.http_path_with_escaped_slashes_action
    if escaped in _UNESCAPES:
        return "decode-and-merge-slashes"
    merges = profile.http_merge_slashes if said.http_merge_slashes is None else said.http_merge_slashes
    return "merge-slashes" if merges else ""


def _path_normalization(mesh: MeshConfig) -> str:
    given = mesh.path_normalization
    if given is None or given.normalization is None:
        return ""
    if given.normalization is Normalization.DEFAULT:
        return "base"
    form: str = given.normalization.value
    return form.lower().replace("_", "-")
