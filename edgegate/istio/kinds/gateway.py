"""Istio's C{Gateway}: what may enter, by port, name and TLS."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from edgegate.istio.kinds.base import NOT_YET, Note, Spec, UInt32

_NO_MESH = "not honoured: it needs a mesh; the server is not opened"


class TLSMode(Enum):
    """How a server treats TLS."""

    PASSTHROUGH = "PASSTHROUGH"
    SIMPLE = "SIMPLE"
    MUTUAL = "MUTUAL"
    AUTO_PASSTHROUGH = "AUTO_PASSTHROUGH"
    ISTIO_MUTUAL = "ISTIO_MUTUAL"
    OPTIONAL_MUTUAL = "OPTIONAL_MUTUAL"


class TLSProtocol(Enum):
    """A version of TLS; C{TLS_AUTO} is the default of its field."""

    TLS_AUTO = "TLS_AUTO"
    TLSV1_0 = "TLSV1_0"
    TLSV1_1 = "TLSV1_1"
    TLSV1_2 = "TLSV1_2"
    TLSV1_3 = "TLSV1_3"


class Port(Spec, frozen=True, kw_only=True):
    """The port of a server. C{protocol} may be written in any case."""

    number: UInt32
    protocol: str
    name: str
    target_port: UInt32 | None = None


class TLSCertificate(Spec, frozen=True, kw_only=True):
    """One certificate of several, as file names."""

    server_certificate: str | None = None
    private_key: str | None = None
    ca_certificates: str | None = None


class ServerTLSSettings(Spec, frozen=True, kw_only=True):
    """The TLS of a server. Without a mode it is C{PASSTHROUGH}, but for a server of protocol HTTP."""

    https_redirect: bool | None = None
    mode: Annotated[TLSMode | None, Note(values=(("AUTO_PASSTHROUGH", _NO_MESH), ("ISTIO_MUTUAL", _NO_MESH))).meta] = (
        None
    )
    server_certificate: str | None = None
    private_key: str | None = None
    ca_certificates: str | None = None
    ca_crl: str | None = None
    credential_name: str | None = None
    credential_names: tuple[str, ...] = ()
    tls_certificates: tuple[TLSCertificate, ...] = ()
    ca_cert_credential_name: str | None = None
    subject_alt_names: tuple[str, ...] = ()
    verify_certificate_spki: tuple[str, ...] = ()
    verify_certificate_hash: tuple[str, ...] = ()
    insecure_skip_verify: Annotated[bool | None, NOT_YET] = None
    min_protocol_version: TLSProtocol | None = None
    max_protocol_version: TLSProtocol | None = None
    cipher_suites: tuple[str, ...] = ()


class Server(Spec, frozen=True, kw_only=True):
    """One entry of C{Gateway.servers}."""

    port: Port
    hosts: tuple[str, ...]
    bind: str | None = None
    tls: ServerTLSSettings | None = None
    default_endpoint: Annotated[str | None, NOT_YET] = None
    name: str | None = None


class Gateway(Spec, frozen=True, kw_only=True):
    """The C{spec} of a Gateway."""

    selector: dict[str, str] = {}
    servers: tuple[Server, ...] = ()
