"""Where the collectors of access logs are that MeshConfig names by their services."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.mesh_config import CollectorLog, MeshConfig
from edgegate.istio.log_formats import collector_formats
from edgegate.istio.resources import Resource
from edgegate.istio.translate.members import Unusable
from edgegate.istio.translate.services import ServiceIndex
from edgegate.model.access_logs import LOG_NAME, OTLP, AccessLogFile
from edgegate.model.addresses import TCPAddress
from edgegate.model.hosts import normalise
from edgegate.model.log_formats import BadFormat, DefaultFormat


class LogCollectors:
    """Makes logs of providers, and reports where a service leads nowhere."""

    def __init__(self, services: ServiceIndex, namespace: str, problems: Problems) -> None:
        """
        @param namespace: In which a service is looked for that is named without one.
        """
        self._services = services
        self._namespace = namespace
        self._problems = problems

    def log(self, mesh: Resource[MeshConfig], path: Path, name: str, wanted: CollectorLog) -> AccessLogFile | None:
        """
        Return the log that a provider means; L{None}: there is nobody to send it to, which was told.

        @param path: Of the provider's C{envoyOtelAls}.
        @param name: The provider's.
        """
        address = self._address(mesh, path, wanted)
        if address is None:
            return None
        try:
            text, labels = collector_formats(wanted)
        except BadFormat:
            return None  # reported with the document
        return AccessLogFile(
            f"{OTLP}http://{address}",
            text or DefaultFormat.TEXT,
            name,
            attributes=None if labels is None else labels.value,
            log_name=wanted.log_name or LOG_NAME,
            origin=mesh.origin_of(path[:-1]),
        )

    def _address(self, mesh: Resource[MeshConfig], path: Path, wanted: CollectorLog) -> TCPAddress | None:
        """Return the first endpoint of a service; of one that no document declares its name is looked up."""
        namespace, _, host = wanted.service.rpartition("/")
        try:
            host = normalise(host)
        except ValueError:
            return None  # reported with the document
        service = self._services.find(host, namespace or self._namespace)
        if service is None:
            return TCPAddress(host, wanted.port)
        if service.ports is not None and wanted.port not in service.ports:
            known = ", ".join(map(str, service.ports)) or "none"
            message = f"{show(service.host)} has no port {wanted.port}; its ports: {known}"
            mesh.error(self._problems, (*path, "port"), message)
            return None
        for declaration in service.declarations:
            if declaration.ports is not None and wanted.port not in declaration.ports:
                continue
            try:
                endpoints = declaration.members(wanted.port).endpoints
            except Unusable as error:
                mesh.error(self._problems, (*path, "service"), f"{show(service.host)}: {error}")
                return None
            found = next((each.address for each in endpoints if isinstance(each.address, TCPAddress)), None)
            if found is not None:
                return found
        message = f"{show(service.host)} has no endpoint with an address and a port: nothing is sent there"
        mesh.warning(self._problems, (*path, "service"), message)
        return None
