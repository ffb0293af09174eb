"""
How requests are traced, by MeshConfig and Telemetry (C{pilot/pkg/model/telemetry.go}, C{.../core/tracing.go}).

Each thing that C{Telemetry.tracing} says wins over what an item or a level before says of the same; see
L{edgegate.istio.translate.telemetries}. Where nobody says anything of it, and MeshConfig has no default provider,
C{defaultConfig.tracing} counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Severity
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.mesh_config import DefaultProviders, ExtensionProvider, MeshConfig
from edgegate.istio.kinds.proxy_config import ProxyConfig, ProxyTracing
from edgegate.istio.kinds.telemetry import CustomTag, Mode, Telemetry, Tracing
from edgegate.istio.resources import Resource
from edgegate.istio.translate.collectors import Collectors, NoCollector, zipkin_at
from edgegate.istio.translate.services import ServiceIndex
from edgegate.istio.validation.tracing import valid_address
from edgegate.model import codes
from edgegate.model import tracing as values
from edgegate.model.tracing import DeclaredTracing, TagSource, TracingProvider

_ONE = "traces go to one collector: only the first counts"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One item of C{tracing}, with where it is said."""

    resource: Resource[Telemetry]
    path: Path
    item: Tracing


class TracingCompiler:
    """Finds out how requests are traced, and reports what is wrong between documents."""

    def __init__(
        self,
        mesh: Resource[MeshConfig] | None,
        telemetries: Sequence[Resource[Telemetry]],
        services: ServiceIndex,
        problems: Problems,
    ) -> None:
        """
        @param telemetries: Those that are for this gateway, in their order.
        """
        self._problems = problems
        self._mesh = mesh
        self._spec = MeshConfig() if mesh is None else mesh.spec
        self._collectors = None if mesh is None else Collectors(mesh, services, problems)
        self._providers = {
            each.name.lower(): (index, each) for index, each in enumerate(self._spec.extension_providers)
        }
        self._entries = [entry for each in telemetries for entry in self._entries_of(each)]
        config = self._spec.default_config or ProxyConfig()
        self._proxy = config.tracing or ProxyTracing()

    def tracing(self) -> DeclaredTracing | None:
        """Return what is said of traces; L{None}: nothing."""
        names = (self._spec.default_providers or DefaultProviders()).tracing
        if not self._entries and not names:
            return self._by_mesh()
        said = DeclaredTracing()
        if names and self._mesh is not None:
            path: Path = ("spec", "defaultProviders", "tracing")
            said = self._provided(said, self._mesh, path, names)
        for entry in self._entries:
            said = self._merged(said, entry)
        named = bool(names) or any(entry.item.providers for entry in self._entries)
        if not named and not said.disabled:
            first = self._entries[0]
            message = "no provider is named, and MeshConfig has no defaultProviders.tracing: nothing is traced, "
            first.resource.warning(
                self._problems, first.path, f"{message}unless an option names a collector", code=codes.TELEMETRY_PROBLEM
            )
        proxy = self._proxy
        return replace(
            said,
            sampling=_proxy_sampling(proxy) if said.sampling is None else said.sampling,
            tags=said.tags or _tags(proxy.custom_tags),
            tag_length=said.tag_length or proxy.max_path_tag_length or None,
        )

    def _entries_of(self, resource: Resource[Telemetry]) -> Iterator[_Entry]:
        """Yield what concerns a gateway, which is a client."""
        for index, item in enumerate(resource.spec.tracing):
            path: Path = ("spec", "tracing", index)
            if item.match is not None and item.match.mode is Mode.SERVER:
                resource.document.problem(
                    self._problems,
                    Severity.INFO,
                    path,
                    "changes nothing here: SERVER is for what workloads receive",
                    code=codes.TELEMETRY_PROBLEM,
                )
            else:
                yield _Entry(resource, path, item)

    def _merged(self, said: DeclaredTracing, entry: _Entry) -> DeclaredTracing:
        """Return what is said with what one more item says."""
        item = entry.item
        if item.providers:
            names = tuple(each.name for each in item.providers)
            said = self._provided(said, entry.resource, (*entry.path, "providers"), names)
        if item.disable_span_reporting is not None:
            said = replace(said, disabled=item.disable_span_reporting)
        if item.random_sampling_percentage is not None:
            said = replace(said, sampling=item.random_sampling_percentage)
        if item.use_request_id_for_trace_sampling is not None:
            said = replace(said, by_request_id=item.use_request_id_for_trace_sampling)
        if item.enable_istio_tags is not None:
            said = replace(said, istio_tags=item.enable_istio_tags)
        if item.custom_tags:
            said = replace(said, tags=_tags(item.custom_tags))
        return replace(said, origin=said.origin or entry.resource.origin_of(entry.path))

    def _provided(
        self, said: DeclaredTracing, resource: Resource[Any], path: Path, names: Sequence[str]
    ) -> DeclaredTracing:
        """Return what is said with another provider: the first of those that are named at a place."""
        if len(names) > 1:
            resource.warning(self._problems, (*path, 1), _ONE, code=codes.TELEMETRY_PROBLEM)
        at: Path = (*path, 0, "name") if isinstance(resource.spec, Telemetry) else (*path, 0)
        name = names[0]
        index, found = self._providers.get(name.lower(), (0, None))
        provider: TracingProvider | None = None
        if found is None:
            hint = suggestion(name, self._providers)
            message = f"{show(name)} is no provider of MeshConfig: nothing is traced{hint}"
            resource.warning(self._problems, at, message, code=codes.TELEMETRY_PROBLEM)
        else:
            provider = self._collector(resource, at, index, found)
        return replace(
            said,
            provider=provider,
            propagates=not _field(found, "disable_context_propagation"),
            tag_length=_field(found, "max_tag_length") or None,
            origin=resource.origin_of(at),
        )

    def _collector(
        self, resource: Resource[Any], at: Path, index: int, found: ExtensionProvider
    ) -> TracingProvider | None:
        assert self._collectors is not None
        assert self._mesh is not None
        path: Path = ("spec", "extensionProviders", index)
        try:
            return self._collectors.of_spans(found, path)
        except NoCollector as error:
            where = self._mesh.origin_of(path)
            message = f"not honoured: {show(found.name)} ({where}) {error}; nothing is traced"
            resource.warning(self._problems, at, message, code=codes.TELEMETRY_PROBLEM)
            return None

    def _by_mesh(self) -> DeclaredTracing | None:
        """Return what C{defaultConfig.tracing} says."""
        proxy, mesh = self._proxy, self._mesh
        address = proxy.zipkin.address if proxy.zipkin is not None else None
        if mesh is None or (self._spec.default_config or ProxyConfig()).tracing is None:
            return None
        return DeclaredTracing(
            zipkin_at(address) if address and valid_address(address) else None,
            self._spec.enable_tracing is False,
            _proxy_sampling(proxy),
            tag_length=proxy.max_path_tag_length or None,
            tags=_tags(proxy.custom_tags),
            istio_tags=proxy.enable_istio_tags is not False,
            origin=mesh.origin_of(("spec", "defaultConfig", "tracing")),
        )


def _field(provider: ExtensionProvider | None, name: str) -> Any:
    """Return a field that both kinds of collectors have."""
    found = None if provider is None else provider.opentelemetry or provider.zipkin
    return None if found is None else getattr(found, name)


def _proxy_sampling(proxy: ProxyTracing) -> float | None:
    """Return C{sampling}: 0 says nothing, and what is no percentage means 1, as in Istio."""
    sampling = proxy.sampling
    if not sampling:
        return None
    return sampling if 0 <= sampling <= 100 else values.SAMPLING


def _tags(tags: Mapping[str, CustomTag]) -> tuple[values.CustomTag, ...]:
    """Return the tags that can be told, as values."""
    return tuple(each for name, tag in tags.items() if (each := _tag(name, tag)) is not None)


def _tag(name: str, tag: CustomTag) -> values.CustomTag | None:
    if tag.literal is not None:
        return values.CustomTag(name, TagSource.LITERAL, tag.literal.value)
    if tag.environment is not None:
        variable = tag.environment
        return values.CustomTag(name, TagSource.ENVIRONMENT, variable.name, variable.default_value or "")
    if tag.header is not None:
        header = tag.header
        return values.CustomTag(name, TagSource.HEADER, header.name.lower(), header.default_value or "")
    return None
