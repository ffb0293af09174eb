"""Services that say who may pass, C{envoyExtAuthzHttp} and C{envoyExtAuthzGrpc} of MeshConfig, to values."""

from __future__ import annotations

from collections.abc import Iterable

from edgegate.config.document import Path
from edgegate.config.problems import Role
from edgegate.config.values import show
from edgegate.istio.kinds.authorization_providers import BodyInCheck, GRPCAuthorization, HTTPAuthorization
from edgegate.istio.kinds.mesh_config import ExtensionProvider, MeshConfig
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.standing import Policies
from edgegate.istio.translate.members import Unusable
from edgegate.istio.translate.mesh import root_namespace
from edgegate.istio.translate.services import Service
from edgegate.istio.validation.authorizers import port_of, status_of
from edgegate.model import authorizers as values
from edgegate.model import codes
from edgegate.model.authorizers import DENIED, Authorizer, HeaderNames, Protocol
from edgegate.model.headers import Template
from edgegate.model.hosts import normalise


class NoAuthorizer(ValueError):
    """
    There is none of a name that can be asked.

    @ivar told: Whether what is wrong was told with the provider.
    """

    def __init__(self, words: str, told: bool = False) -> None:
        super().__init__(words)
        self.told = told


class Authorizers:
    """Makes each provider once that a policy names."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._suggestions = policies.suggestions
        self._found: dict[str, Authorizer | NoAuthorizer] = {}

    def of(self, name: str) -> Authorizer:
        """
        Return the provider of a name.

        @raise NoAuthorizer: There is none, or it can't be asked.
        """
        found = self._found.get(name)
        if found is None:
            try:
                found = self._authorizer(name)
            except NoAuthorizer as error:
                found = error
            self._found[name] = found
        if isinstance(found, NoAuthorizer):
            raise found
        return found

    def _authorizer(self, name: str) -> Authorizer:
        mesh = self._policies.mesh
        providers = () if mesh is None else mesh.spec.extension_providers
        for index, provider in enumerate(providers):
            if provider.name != name:
                continue
            assert mesh is not None
            path: Path = ("spec", "extensionProviders", index)
            http, grpc = provider.envoy_ext_authz_http, provider.envoy_ext_authz_grpc
            if http is not None:
                return self._http(name, mesh, (*path, "envoyExtAuthzHttp"), http)
            if grpc is not None:
                return self._grpc(name, mesh, (*path, "envoyExtAuthzGrpc"), grpc)
            raise NoAuthorizer(f"provider {show(name)} is none that is asked who may pass: see {mesh.origin_of(path)}")
        known = [each.name for each in providers if _is_authorizer(each)]
        raise NoAuthorizer(_unknown(name, known, mesh) + self._suggestions.like(name, known))

    def _http(self, name: str, mesh: Resource[MeshConfig], path: Path, said: HTTPAuthorization) -> Authorizer:
        sent = said.include_request_headers_in_check or said.include_headers_in_check
        added = []
        for header, value in said.include_additional_headers_in_check.items():
            try:
                added.append((header.lower().encode("latin-1", "replace"), Template.parse(value)))
            except ValueError:
                raise NoAuthorizer("", told=True) from None
        cluster, _ = self._cluster(mesh, path, said)
        return Authorizer(
            name,
            Protocol.HTTP,
            cluster,
            timeout=float(values.DEFAULT_TIMEOUT if said.timeout is None else said.timeout),
            fail_open=bool(said.fail_open),
            status_on_error=status_of(said.status_on_error) or DENIED,
            clears_route=bool(said.clear_route_cache),
            body=_body(said.include_request_body_in_check),
            path_prefix=(said.path_prefix or "").encode("latin-1", "replace"),
            sent=header_names(sent),
            added=tuple(added),
            to_upstream=header_names(said.headers_to_upstream_on_allow),
            to_client=header_names(said.headers_to_downstream_on_allow),
            to_denied=header_names(said.headers_to_downstream_on_deny),
            origin=mesh.origin_of(path),
        )

    def _grpc(self, name: str, mesh: Resource[MeshConfig], path: Path, said: GRPCAuthorization) -> Authorizer:
        cluster, host = self._cluster(mesh, path, said)
        return Authorizer(
            name,
            Protocol.GRPC,
            cluster,
            authority=f"{host}:{port_of(said.port)}".encode("latin-1", "replace"),
            timeout=float(values.DEFAULT_TIMEOUT if said.timeout is None else said.timeout),
            fail_open=bool(said.fail_open),
            status_on_error=status_of(said.status_on_error) or DENIED,
            clears_route=bool(said.clear_route_cache),
            body=_body(said.include_request_body_in_check),
            origin=mesh.origin_of(path),
        )

    def _cluster(
        self, mesh: Resource[MeshConfig], path: Path, said: HTTPAuthorization | GRPCAuthorization
    ) -> tuple[str, str]:
        """
        Return the name of the cluster of a provider's service, and its host; what is wrong is reported there.

        @raise NoAuthorizer: There is none.
        """
        namespace, _, name = said.service.rpartition("/")
        port = port_of(said.port)
        try:
            host = normalise(name)
        except ValueError:
            host = ""
        if not host or not port:
            raise NoAuthorizer("", told=True)
        home = namespace or root_namespace(mesh)
        service = self._policies.services.find(host, home)
        words = self._missing(service, host, namespace, port)
        at = (*path, "service")
        if words or service is None:
            mesh.error(self._policies.problems, at, words, Role.CONSEQUENCE, codes.REFERENCED_RESOURCE_NOT_FOUND)
            raise NoAuthorizer("", told=True)
        clusters = self._policies.clusters
        try:
            cluster = clusters.of_service(service, port, home, clusters.rule(service, home), None)
        except Unusable as error:
            if not any(declaration.faulty for declaration in service.declarations):
                mesh.error(self._policies.problems, at, str(error), code=codes.UNUSABLE_SERVICE)
            raise NoAuthorizer("", told=True) from None
        if not clusters.endpoints[cluster.name]:
            for declaration in service.declarations:
                declaration.warn_of_no_endpoints(self._policies.problems)
        return cluster.name, service.host

    def _missing(self, service: Service | None, host: str, namespace: str, port: int) -> str:
        """Return why a service can't be the one that is meant; nothing where it can."""
        if service is None or (namespace and service.namespace != namespace):
            where = f' in namespace "{namespace}"' if namespace else ""
            hint = self._suggestions.like(host, self._policies.services.names())
            return (
                f"no document declares {show(host)}{where}: add a ServiceEntry, or a Service with its endpoints{hint}"
            )
        if "*" in service.host:
            return f"{show(host)} is covered by {show(service.host)}, which stands for many hosts: declare it by itself"
        namespaces = self._policies.services.namespaces_of(service.host)
        if not namespace and len(namespaces) > 1:
            known = ", ".join(f"{each}/{service.host}" for each in namespaces)
            return f"{show(host)} is declared in several namespaces: say which, one of {known}"
        if service.ports is not None and port not in service.ports:
            declared = ", ".join(map(str, service.ports)) or "none"
            origin = service.declarations[0].origin
            return f"{origin.resource} at {origin} has no port {port}; it has {declared}"
        return ""


def header_names(names: Iterable[str]) -> HeaderNames:
    """Return names of headers, of which some may be beginnings C{x-*} or ends C{*-id}."""
    lower = [name.lower() for name in names]
    return HeaderNames(
        tuple(_encoded(name for name in lower if "*" not in name)),
        tuple(_encoded(name[:-1] for name in lower if name.endswith("*") and name != "*")),
        tuple(_encoded(name[1:] for name in lower if name.startswith("*") and name != "*")),
    )


def _encoded(names: Iterable[str]) -> list[bytes]:
    return sorted({name.encode("latin-1", "replace") for name in names})


def _body(said: BodyInCheck | None) -> values.BodyInCheck | None:
    if said is None:
        return None
    return values.BodyInCheck(said.max_request_bytes, bool(said.allow_partial_message), bool(said.pack_as_bytes))


def _is_authorizer(provider: ExtensionProvider) -> bool:
    return provider.envoy_ext_authz_http is not None or provider.envoy_ext_authz_grpc is not None


def _unknown(name: str, known: list[str], mesh: Resource[MeshConfig] | None) -> str:
    if mesh is None:
        return (
            f"there is no provider {show(name)}: no MeshConfig is in the files, whose extensionProviders declare them"
        )
    if not known:
        return f"there is no provider {show(name)}: MeshConfig at {mesh.document.origin} declares none"
    return f"there is no provider {show(name)}; MeshConfig at {mesh.document.origin} declares {', '.join(known)}"
