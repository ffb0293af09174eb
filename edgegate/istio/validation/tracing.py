"""What is said of traces, by itself: shares, tags, and collectors."""

from __future__ import annotations

import re
from collections.abc import Mapping

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.mesh_config import ExtensionProvider
from edgegate.istio.kinds.proxy_config import ProxyTracing
from edgegate.istio.kinds.telemetry import CustomTag, Tracing
from edgegate.istio.kinds.tracing_providers import HTTPHeader
from edgegate.istio.validation.collectors import MOST_PORT, check_place
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_header
from edgegate.model.hosts import normalise

_PATH = re.compile(r"/[\x21-\x7e]*")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def check_tracing(findings: Findings, path: Path, tracing: Tracing) -> None:
    """An item of C{Telemetry.tracing}: a share is one, and tags have values."""
    share = tracing.random_sampling_percentage
    if share is not None and not 0 <= share <= 100:
        findings.error((*path, "randomSamplingPercentage"), f"percent are 0 to 100, not {share:g}")
    for index, provider in enumerate(tracing.providers):
        if not provider.name:
            findings.error((*path, "providers", index, "name"), "a provider has a name")
    check_tags(findings, (*path, "customTags"), tracing.custom_tags)


def check_tags(findings: Findings, path: Path, tags: Mapping[str, CustomTag]) -> None:
    """Each tag has a name, and says where its value comes from."""
    for name, tag in tags.items():
        at: Path = (*path, name)
        if not name:
            findings.error(at, "a tag has a name")
        if tag.literal is not None:
            if not tag.literal.value:
                findings.error((*at, "literal"), "it has no value")
        elif tag.environment is not None:
            if not tag.environment.name:
                findings.error((*at, "environment"), "it names no variable")
        elif tag.header is not None:
            check_header(findings, (*at, "header", "name"), tag.header.name)
        elif tag.formatter is None:
            findings.error(at, "it says by literal, environment or header where its value comes from")


def check_proxy_tracing(findings: Findings, path: Path, tracing: ProxyTracing) -> None:
    """The same of C{defaultConfig.tracing}."""
    share = tracing.sampling
    if share is not None and not 0 <= share <= 100:
        findings.warning((*path, "sampling"), f"percent are 0 to 100, not {share:g}: it counts as 1, as in Istio")
    check_tags(findings, (*path, "customTags"), tracing.custom_tags)
    address = None if tracing.zipkin is None else tracing.zipkin.address
    if address and not valid_address(address):
        findings.error((*path, "zipkin", "address"), f"expected HOST:PORT, got {show(address)}")


def valid_address(text: str) -> bool:
    """Whether a text is HOST:PORT."""
    host, _, port = text.rpartition(":")
    if not re.fullmatch("[0-9]{1,5}", port, re.ASCII) or not 0 < int(port) <= MOST_PORT:
        return False
    try:
        normalise(host)
    except ValueError:
        return False
    return "*" not in host


def check_collector(findings: Findings, path: Path, provider: ExtensionProvider) -> None:
    """A collector is somewhere, and gets headers that there can be."""
    otlp, zipkin = provider.opentelemetry, provider.zipkin
    if otlp is not None:
        path = (*path, "opentelemetry")
        check_place(findings, path, otlp.service, otlp.port)
        if otlp.http is not None:
            _check_path(findings, (*path, "http", "path"), otlp.http.path)
            _check_headers(findings, (*path, "http", "headers"), otlp.http.headers)
            if otlp.grpc is not None:
                findings.error((*path, "grpc"), "only one of http and grpc can be given")
    elif zipkin is not None:
        path = (*path, "zipkin")
        check_place(findings, path, zipkin.service, zipkin.port)
        _check_path(findings, (*path, "path"), zipkin.path)
        _check_headers(findings, (*path, "headers"), zipkin.headers)


def _check_path(findings: Findings, path: Path, said: str | None) -> None:
    if said and not _PATH.fullmatch(said):
        findings.error(path, f"{show(said)} is no path: it begins with / and has no spaces")


def _check_headers(findings: Findings, path: Path, headers: tuple[HTTPHeader, ...]) -> None:
    for index, each in enumerate(headers):
        at: Path = (*path, index)
        check_header(findings, (*at, "name"), each.name)
        if each.value is None and not each.env_name:
            findings.error(at, "it says its value by value or envName")
        if each.value is not None and not _VALUE.fullmatch(each.value):
            # what it is may be a secret
            findings.error((*at, "value"), "it has characters that no header can have")
