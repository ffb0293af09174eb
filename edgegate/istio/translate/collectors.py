"""
Where spans and lines of access logs go by C{MeshConfig.extensionProviders}: the URL of a collector, and how it is
spoken to.
"""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.mesh_config import CollectorLog, ExtensionProvider, MeshConfig
from edgegate.istio.kinds.tracing_providers import HTTPHeader, HTTPService, TraceContextOption
from edgegate.istio.log_formats import collector_formats
from edgegate.istio.resources import Resource
from edgegate.istio.translate.members import Unusable
from edgegate.istio.translate.mesh import root_namespace
from edgegate.istio.translate.services import Service, ServiceIndex
from edgegate.model import codes
from edgegate.model.access_logs import LOG_NAME, OTLP, AccessLogFile
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Endpoint
from edgegate.model.hosts import normalise
from edgegate.model.log_formats import BadFormat, DefaultFormat
from edgegate.model.tracing import (
    COLLECTOR_PATHS,
    COLLECTOR_TIMEOUTS,
    Propagation,
    SpanFormat,
    TracingProvider,
)


class NoCollector(ValueError):
    """Nothing can go there. The message says why, after the name of the provider."""


class NoEndpoint(NoCollector):
    """Nothing can go there as long as the service has no endpoint; otherwise it is as it should be."""


class Collectors:
    """
    Finds collectors. The service that a provider names is one of the files, or else a name that is looked up as the
    system looks names up.
    """

    def __init__(self, mesh: Resource[MeshConfig], services: ServiceIndex, problems: Problems) -> None:
        self._mesh = mesh
        self._services = services
        self._problems = problems

    def of_spans(self, provider: ExtensionProvider, path: Path) -> TracingProvider:
        """
        Return where spans go.

        @param path: Where the provider is said.
        @raise NoCollector: They can't.
        """
        otlp, zipkin = provider.opentelemetry, provider.zipkin
        if otlp is not None:
            if otlp.http is None:
                raise NoCollector(
                    "takes spans by gRPC, which is not spoken: say `http`, and the port for it, which mostly is 4318"
                )
            url, headers = self._url(otlp.service, otlp.port, otlp.http, SpanFormat.OTLP, (*path, "opentelemetry"))
            return _provider(SpanFormat.OTLP, url, Propagation.W3C, otlp.http, headers)
        if zipkin is not None:
            http = HTTPService(path=zipkin.path, timeout=zipkin.timeout, headers=zipkin.headers)
            url, headers = self._url(zipkin.service, zipkin.port, http, SpanFormat.ZIPKIN, (*path, "zipkin"))
            both = zipkin.trace_context_option is TraceContextOption.USE_B3_WITH_W3C_PROPAGATION
            return _provider(SpanFormat.ZIPKIN, url, Propagation.B3_W3C if both else Propagation.B3, http, headers)
        raise NoCollector("is no collector that spans can go to: name one with opentelemetry or zipkin")

    def of_lines(self, name: str, wanted: CollectorLog, path: Path) -> AccessLogFile | None:
        """
        Return the log whose lines a provider takes; L{None}: there is none, which was told.

        @param name: The provider's.
        @param path: Of its C{envoyOtelAls}.
        """
        try:
            text, labels = collector_formats(wanted)
            _, address = self._place(wanted.service, wanted.port, path, "lines")
        except BadFormat:
            return None  # reported with the document
        except NoCollector as error:
            report = self._mesh.warning if isinstance(error, NoEndpoint) else self._mesh.error
            report(self._problems, (*path, "service"), f"{show(name)} {error}: no line is sent there")
            return None
        return AccessLogFile(
            f"{OTLP}http://{address}",
            text or DefaultFormat.TEXT,
            name,
            attributes=None if labels is None else labels.value,
            log_name=wanted.log_name or LOG_NAME,
            origin=self._mesh.origin_of(path[:-1]),
        )

    def _url(
        self, said: str, port: int, http: HTTPService, form: SpanFormat, path: Path
    ) -> tuple[str, tuple[HTTPHeader, ...]]:
        """Return the URL of a collector, and the headers that it gets: its own name where that is not in the URL."""
        asked, address = self._place(said, port, path, "spans")
        own = () if address == asked else (HTTPHeader(name="host", value=str(asked)),)
        return f"http://{address}{http.path or COLLECTOR_PATHS[form]}", (*own, *http.headers)

    def _place(self, said: str, port: int, path: Path, what: str) -> tuple[TCPAddress, TCPAddress]:
        """
        Return what a collector is called, and its address: the first endpoint of a service, or a name to look up.

        @param said: HOST, or NAMESPACE/HOST.
        @param path: Of what names it by C{service}.
        @param what: Goes there.
        @raise NoCollector: It is nowhere.
        """
        namespace, _, name = said.rpartition("/")
        try:
            host = normalise(name)
        except ValueError as error:
            raise NoCollector(f"is nowhere: {error}") from None
        asked = TCPAddress(host.strip("[]"), port)
        service = self._services.find(host, namespace or root_namespace(self._mesh))
        if service is None:
            return asked, asked
        addresses = _addresses(service, port)
        if len(addresses) > 1:
            message = f"{what} go to the first endpoint of {show(service.host)} alone: {addresses[0]}"
            self._mesh.warning(self._problems, (*path, "service"), message, code=codes.TELEMETRY_PROBLEM)
        return asked, addresses[0]


def _addresses(service: Service, port: int) -> list[TCPAddress]:
    """
    Return where a service is, which is somewhere.

    @raise NoCollector: It is nowhere.
    """
    if service.ports is not None and port not in service.ports:
        known = ", ".join(map(str, service.ports)) or "none"
        raise NoCollector(f"is at port {port}, which {show(service.host)} does not have: it has {known}")
    found: list[Endpoint] = []
    for declaration in service.declarations:
        if declaration.ports is None or port in declaration.ports:
            try:
                found.extend(declaration.members(port).endpoints)
            except Unusable as error:
                raise NoCollector(f"is at {show(service.host)}, and {error}") from None
    addresses = [each.address for each in found if isinstance(each.address, TCPAddress)]
    if not addresses:
        raise NoEndpoint(f"is at {show(service.host)}, which has no endpoint with an IP address or a name")
    return addresses


def zipkin_at(address: str) -> TracingProvider:
    """Return the Zipkin of C{ProxyConfig.tracing.zipkin.address}, HOST:PORT."""
    url = f"http://{address}{COLLECTOR_PATHS[SpanFormat.ZIPKIN]}"
    return _provider(SpanFormat.ZIPKIN, url, Propagation.B3, HTTPService())


def _provider(
    form: SpanFormat, url: str, propagation: Propagation, http: HTTPService, headers: tuple[HTTPHeader, ...] = ()
) -> TracingProvider:
    return TracingProvider(
        form,
        url,
        propagation,
        COLLECTOR_TIMEOUTS[form] if http.timeout is None else float(http.timeout),
        tuple((each.name, each.value) for each in headers if each.value is not None),
        tuple((each.name, each.env_name) for each in headers if each.env_name is not None),
    )
