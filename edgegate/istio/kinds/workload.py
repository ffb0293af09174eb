"""Istio's C{WorkloadEntry} and C{WorkloadGroup}: endpoints by themselves, and what those of a kind have in common."""

from __future__ import annotations

from typing import Annotated

from edgegate.istio.kinds.base import Int32, Note, OneOf, Spec, UInt32

MESH_ONLY = Note("not honoured: only a mesh uses it").meta


class WorkloadEntry(Spec, frozen=True, kw_only=True):
    """An endpoint: an IP address, a name or C{unix:///path}."""

    address: str | None = None
    ports: dict[str, UInt32] = {}
    labels: dict[str, str] = {}
    network: Annotated[str | None, MESH_ONLY] = None
    locality: str | None = None
    weight: UInt32 | None = None
    service_account: Annotated[str | None, MESH_ONLY] = None


class GroupMetadata(Spec, frozen=True, kw_only=True):
    """The metadata of all entries of a group."""

    labels: dict[str, str] = {}
    annotations: Annotated[dict[str, str], Note("not honoured: nothing here reads them").meta] = {}


class HTTPHeader(Spec, frozen=True, kw_only=True):
    """A header of a probe's request."""

    name: str | None = None
    value: str | None = None


class HTTPHealthCheck(Spec, frozen=True, kw_only=True):
    """A probe over HTTP."""

    port: UInt32
    path: str | None = None
    host: str | None = None
    scheme: str | None = None
    http_headers: tuple[HTTPHeader, ...] = ()


class TCPHealthCheck(Spec, frozen=True, kw_only=True):
    """A probe that connects."""

    port: UInt32
    host: str | None = None


class GrpcHealthCheck(Spec, frozen=True, kw_only=True):
    """A probe that calls C{grpc.health.v1.Health/Check}."""

    port: UInt32 | None = None
    service: str | None = None


class ExecHealthCheck(Spec, frozen=True, kw_only=True):
    """A probe that runs a command in the workload."""

    command: tuple[str, ...]


class ReadinessProbe(OneOf, frozen=True, kw_only=True):
    """How the health of a group's entries is asked for. Times are in seconds; 0 is the default of its field."""

    one_of = ("http_get", "tcp_socket", "exec", "grpc")

    http_get: HTTPHealthCheck | None = None
    tcp_socket: TCPHealthCheck | None = None
    exec: Annotated[
        ExecHealthCheck | None,
        Note("not honoured: an edge has no workload to run a command in; endpoints count as healthy").meta,
    ] = None
    grpc: GrpcHealthCheck | None = None
    initial_delay_seconds: Int32 | None = None
    timeout_seconds: Int32 | None = None
    period_seconds: Int32 | None = None
    success_threshold: Int32 | None = None
    failure_threshold: Int32 | None = None


class WorkloadGroup(Spec, frozen=True, kw_only=True):
    """The C{spec} of a WorkloadGroup."""

    metadata: GroupMetadata | None = None
    template: WorkloadEntry | None = None
    probe: ReadinessProbe | None = None
