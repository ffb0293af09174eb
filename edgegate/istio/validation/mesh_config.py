"""What a MeshConfig must be by itself."""

from __future__ import annotations

import re
from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.mesh_config import CollectorLog, ExtensionProvider, FileLog, MeshConfig
from edgegate.istio.log_formats import collector_formats, mesh_format, provider_format
from edgegate.istio.resources import Resource
from edgegate.istio.validation.authorizers import check_authorizer
from edgegate.istio.validation.collectors import check_place
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.tracing import check_collector, check_proxy_tracing
from edgegate.model.log_formats import BadFormat, DefaultFormat, LogFormat, operators_in
from edgegate.model.log_paths import check_log_path
from edgegate.model.operators import EMPTY_AT_THE_END, OPERATORS, UnknownOperator

_GRPC = 4317
"""The port at which collectors take OTLP over gRPC, by convention."""

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?", re.IGNORECASE)


def validate_mesh_config(resource: Resource[Any], problems: Problems) -> None:
    """Formats are formats, and each provider has a name of its own."""
    findings = Findings(resource, problems)
    mesh: MeshConfig = resource.spec
    path: Path = ("spec", "accessLogFormat")
    try:
        warn_of_empty(findings, path, mesh_format(mesh), nested=False)
    except BadFormat as error:
        findings.error(path, in_words(error))
    _check_path(findings, ("spec", "accessLogFile"), mesh.access_log_file)
    if mesh.default_config is not None and mesh.default_config.tracing is not None:
        check_proxy_tracing(findings, ("spec", "defaultConfig", "tracing"), mesh.default_config.tracing)
    names: set[str] = set()
    for index, provider in enumerate(mesh.extension_providers):
        at: Path = ("spec", "extensionProviders", index)
        name = provider.name.lower()
        if not _NAME.fullmatch(name):
            findings.error((*at, "name"), f"{show(provider.name)} is no name of a provider: letters, digits, - and .")
        elif name in names:
            findings.error((*at, "name"), f"there is a provider {show(provider.name)} already")
        names.add(name)
        _check_provider(findings, at, provider)


def _check_provider(findings: Findings, at: Path, provider: ExtensionProvider) -> None:
    if all(getattr(provider, each) is None for each in provider.one_of):
        findings.error(at, "it says what it is by one of its fields, such as envoyFileAccessLog")
    check_collector(findings, at, provider)
    check_authorizer(findings, at, provider)
    if provider.envoy_file_access_log is not None:
        _check_file(findings, (*at, "envoyFileAccessLog"), provider.envoy_file_access_log)
    if provider.envoy_otel_als is not None:
        _check_log_collector(findings, (*at, "envoyOtelAls"), provider.envoy_otel_als)


def _check_file(findings: Findings, path: Path, log: FileLog) -> None:
    _check_path(findings, (*path, "path"), log.path)
    try:
        form, where = provider_format(log)
    except BadFormat as error:
        findings.error((*path, *error.path), in_words(error))
        return
    if log.omit_empty_values and (form is None or isinstance(form, DefaultFormat)):
        findings.warning(
            (*path, "omitEmptyValues"), "changes nothing: a default format has all its values; say one of your own"
        )
    if form is not None:
        warn_of_empty(findings, (*path, *where), form)


def _check_log_collector(findings: Findings, path: Path, log: CollectorLog) -> None:
    check_place(findings, path, log.service, log.port)
    if log.port == _GRPC:
        findings.warning(
            (*path, "port"),
            f"lines are sent by OTLP over HTTP, and {_GRPC} is where collectors take gRPC: name the other port, as a "
            "rule 4318",
        )
    try:
        text, labels = collector_formats(log)
    except BadFormat as error:
        findings.error((*path, *error.path), in_words(error))
        return
    for form, where in ((text, "text"), (labels, "labels")):
        if form is not None:
            warn_of_empty(findings, (*path, "logFormat", where), form)


def _check_path(findings: Findings, at: Path, path: str | None) -> None:
    try:
        check_log_path(path or "")
    except ValueError as error:
        findings.error(at, str(error))


def in_words(error: BadFormat) -> str:
    """Return what is wrong with a format, with a suggestion."""
    cause = error.cause
    return f"{cause}{suggestion(cause.name, OPERATORS)}" if isinstance(cause, UnknownOperator) else str(cause)


def warn_of_empty(findings: Findings, path: Path, form: LogFormat, nested: bool = True) -> None:
    """
    Report operators that stand for nothing.

    @param nested: Whether the keys of a JSON format are places of the file.
    """
    for keys, each in operators_in(form):
        if each.name in EMPTY_AT_THE_END:
            where = (*path, *keys) if nested else path
            findings.warning(where, f"%{each.name}% stands for nothing here: {EMPTY_AT_THE_END[each.name]}")
