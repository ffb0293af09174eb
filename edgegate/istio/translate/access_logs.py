"""
Which access logs are written, by MeshConfig and Telemetry (C{pilot/pkg/model/telemetry.go}).

Telemetry counts level by level, later ones win; see L{edgegate.istio.translate.telemetries}.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Severity
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.mesh_config import DefaultProviders, MeshConfig
from edgegate.istio.kinds.telemetry import AccessLogging, Mode, Telemetry
from edgegate.istio.log_formats import mesh_format, provider_format
from edgegate.istio.resources import Resource
from edgegate.istio.translate.collectors import Collectors
from edgegate.istio.translate.services import ServiceIndex
from edgegate.model import codes
from edgegate.model.access_logs import STANDARD_OUTPUT, AccessLogFile
from edgegate.model.log_formats import BadFormat, DefaultFormat, LogFormat
from edgegate.model.origin import Origin

_BUILT_IN = "envoy"
_UNREACHABLE = "has no collector to go to"
_NO_LOGS = frozenset(("prometheus", "stackdriver"))


@dataclass(frozen=True, slots=True)
class _Entry:
    """
    One item of C{accessLogging}, with where it is said.

    @ivar about: The providers that it is about, in lower case: those that it names, else those of the item before it,
        be that of a level before; before the first it is the default ones.
    """

    resource: Resource[Telemetry]
    path: Path
    item: AccessLogging
    about: tuple[str, ...]


@dataclass(slots=True)
class _Provider:
    """
    A log that may be chosen.

    @ivar file: L{None}: it is known, and is no log that can be written.
    @ivar why_not: Why.
    """

    file: AccessLogFile | None = field(default=None)
    why_not: str = "is no log in a file, nor one for a collector"


class AccessLogCompiler:
    """Finds out which logs are written, and reports what is wrong between documents."""

    def __init__(
        self,
        mesh: Resource[MeshConfig] | None,
        telemetries: Sequence[Resource[Telemetry]],
        services: ServiceIndex,
        problems: Problems,
    ) -> None:
        """
        @param telemetries: Those that are for this gateway, in their order.
        @param services: Collectors are among them.
        """
        self._problems = problems
        self._mesh = mesh
        spec = MeshConfig() if self._mesh is None else self._mesh.spec
        self._spec = spec
        self._defaults = (spec.default_providers or DefaultProviders()).access_logging
        self._collectors = None if mesh is None else Collectors(mesh, services, problems)
        self._providers = dict(self._declared())
        if self._mesh is not None:
            path: Path = ("spec", "defaultProviders", "accessLogging")
            for index, name in enumerate(self._defaults):
                self._check_name(self._mesh, (*path, index), name)
        self._about = tuple(each.lower() for each in self._defaults)  # the item that was read last
        self._levels = [list(self._entries(each)) for each in telemetries]

    def logs(self) -> tuple[AccessLogFile, ...] | None:
        """Return the logs that are written; L{None}: nothing is said of any."""
        logs = self._written()
        if logs is None or not self._spec.disable_envoy_listener_log:
            return logs
        return tuple(replace(each, unmatched=False) for each in logs)

    def _written(self) -> tuple[AccessLogFile, ...] | None:
        if not any(self._levels) and not self._defaults:
            return self._by_mesh()
        found: dict[str, AccessLogFile] = {}
        for name, (entry, expression) in self._in_scope().items():
            provider = self._providers.get(name)
            if provider is None or provider.file is None:
                continue
            file = provider.file
            origin = file.origin if entry is None else entry.resource.origin_of(entry.path)
            found[name] = replace(file, filter=expression, origin=origin)
        return tuple(found.values())

    # Telemetry --------------------------------------------------------------------------------------------------------

    def _entries(self, resource: Resource[Telemetry]) -> Iterator[_Entry]:
        """Yield what concerns a gateway, which is a client."""
        for index, item in enumerate(resource.spec.access_logging):
            path: Path = ("spec", "accessLogging", index)
            if item.match is not None and item.match.mode is Mode.SERVER:
                resource.document.problem(
                    self._problems,
                    Severity.INFO,
                    path,
                    "changes nothing here: SERVER is for what workloads receive",
                    code=codes.TELEMETRY_PROBLEM,
                )
                continue
            self._about = tuple(each.name.lower() for each in item.providers) or self._about
            entry = _Entry(resource, path, item, self._about)
            self._check(entry)
            yield entry

    def _check(self, entry: _Entry) -> None:
        item, path = entry.item, entry.path
        if not entry.about and not item.disabled:
            message = "no provider is named, and MeshConfig has no defaultProviders: nothing is logged"
            entry.resource.warning(self._problems, path, message, code=codes.NO_TELEMETRY_PROVIDER)
        for index, provider in enumerate(item.providers):
            self._check_name(entry.resource, (*path, "providers", index, "name"), provider.name)

    def _check_name(self, resource: Resource[Any], path: Path, name: str) -> None:
        """Report a provider that is none, or no log that can be written."""
        known = self._providers.get(name.lower())
        if known is None:
            hint = suggestion(name, self._providers)
            resource.warning(
                self._problems,
                path,
                f"{show(name)} is no provider of MeshConfig: left out{hint}",
                code=codes.TELEMETRY_PROBLEM,
            )
        elif known.file is None:
            resource.warning(
                self._problems, path, f"not honoured: {show(name)} {known.why_not}", code=codes.TELEMETRY_PROBLEM
            )

    def _in_scope(self) -> dict[str, tuple[_Entry | None, str]]:
        """Return the names of the logs that are written, each with what asks for it and its filter."""
        names = [each.lower() for each in self._defaults]
        if not any(self._levels):
            return dict.fromkeys(names, (None, ""))
        filters: dict[str, str] = {}
        for level in self._levels:
            names = [each.name.lower() for entry in level for each in entry.item.providers] or names
            for entry in level:
                filters.update((name, _expression(entry.item)) for name in entry.about)
        found: dict[str, tuple[_Entry | None, str]] = {}
        for entry in (entry for level in self._levels for entry in level):
            for name in entry.about:
                if name not in names:
                    continue
                if entry.item.disabled:
                    found.pop(name, None)
                else:
                    found[name] = entry, filters.get(name, "")
        return found

    # MeshConfig -------------------------------------------------------------------------------------------------------

    def _declared(self) -> Iterator[tuple[str, _Provider]]:
        """Yield all providers by their names in lower case."""
        built_in = AccessLogFile(STANDARD_OUTPUT, self._mesh_format(), _BUILT_IN, origin=self._origin())
        yield _BUILT_IN, _Provider(built_in)
        for name in _NO_LOGS:
            yield name, _Provider()
        for index, provider in enumerate(self._spec.extension_providers):
            log = provider.envoy_file_access_log
            name = provider.name.lower()
            collected = provider.envoy_otel_als
            if collected is not None and self._collectors is not None:
                path: Path = ("spec", "extensionProviders", index, "envoyOtelAls")
                yield name, _Provider(self._collectors.of_lines(provider.name, collected, path), _UNREACHABLE)
                continue
            if log is None:
                yield name, _Provider()
                continue
            try:
                form, _ = provider_format(log)
            except BadFormat:
                form = None  # reported with the document
            if form is None:
                form = self._mesh_format() if name == _BUILT_IN else DefaultFormat.TEXT
            origin = self._origin(("spec", "extensionProviders", index))
            yield name, _Provider(AccessLogFile(log.path or STANDARD_OUTPUT, form, provider.name, origin=origin))

    def _by_mesh(self) -> tuple[AccessLogFile, ...] | None:
        path = self._spec.access_log_file
        if path is None:
            return None
        if not path:
            return ()
        origin = self._origin(("spec", "accessLogFile"))
        return (AccessLogFile(path, self._mesh_format(), origin=origin),)

    def _mesh_format(self) -> LogFormat:
        try:
            return mesh_format(self._spec)
        except BadFormat:
            return DefaultFormat.TEXT  # reported with the document

    def _origin(self, path: Path = ("spec",)) -> Origin | None:
        return None if self._mesh is None else self._mesh.origin_of(path)


def _expression(item: AccessLogging) -> str:
    return "" if item.filter is None else item.filter.expression or ""
