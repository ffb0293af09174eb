"""What the compiler is told besides the documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from edgegate.config.problems import Role, Severity
from edgegate.model.certificates import ManagedCertificate
from edgegate.model.notes import Notes
from edgegate.model.tls import KeyPair, ServerTLS, UpstreamTLS


class Part(Enum):
    """What of the key material of a server, or of TLS with backends, is meant."""

    CERTIFICATE = "certificate"
    KEY = "key"
    AUTHORITIES = "authorities"
    REVOCATIONS = "revocations"
    CIPHERS = "ciphers"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What is wrong with key material.

    @ivar number: Which of the server's certificates, from 0; 0 where there is only one of a part.
    @ivar role: What it has to do with other problems.
    @ivar code: One of L{edgegate.model.codes}.
    """

    severity: Severity
    part: Part
    message: str
    number: int = 0
    role: Role = Role.ITSELF
    code: str = ""


Inspect = Callable[[ServerTLS, tuple[KeyPair, ...], tuple[str, ...]], Iterable[Finding]]
"""Takes the key pairs that a server's credentials name, and looks at them and the host patterns that it is to serve."""


InspectUpstream = Callable[[UpstreamTLS, KeyPair | None], Iterable[Finding]]
"""Takes the key pair that the credential of TLS with backends names, if any, and looks at it and at authorities."""


Provide = Callable[[ManagedCertificate], KeyPair]
"""Returns what there is of a certificate that the gateway has issued itself: something to serve in any case."""


def read_nothing(name: str) -> bytes:
    """
    Be the folder in which there are no files.

    @raise FileNotFoundError: Always.
    """
    raise FileNotFoundError(2, "No such file or directory", name)


def inspect_nothing(tls: ServerTLS, pairs: tuple[KeyPair, ...], hosts: tuple[str, ...]) -> Iterable[Finding]:
    """Take all key material for good."""
    return ()


def inspect_no_upstream(tls: UpstreamTLS, pair: KeyPair | None) -> Iterable[Finding]:
    """Take all key material for good."""
    return ()


def provide_nothing(certificate: ManagedCertificate) -> KeyPair:
    """Have no certificate."""
    return KeyPair(certificate.credential.name, b"", b"")


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """
    What the compiler is told besides the documents.

    @ivar selector: Labels: only Gateways whose C{selector} they satisfy are served; L{None}: every Gateway.
    @ivar port_map: The numbers to bind in place of those in the files.
    @ivar read_file: Returns the content of a file as the documents name it, or raises L{OSError}.
    @ivar locate: Returns the absolute path of such a file, for who reads it while the gateway runs.
    @ivar inspect: Takes and looks at servers' key material, which the compiler only names in its result.
    @ivar inspect_upstream: Likewise that of TLS with backends.
    @ivar ignored_kinds: Kinds that keep others out, and that the user wants to be served without.
    @ivar gateway_namespace: In which namespace the gateway is, as far as policies choose it; L{None}: see
        L{edgegate.istio.translate.guards.targets.gateway_namespaces}.
    @ivar provide: Has the certificates that the gateway has issued itself.
    @ivar certificate_issuer: The name of the issuer of Gateways that name none; L{None}: they have none.
    @ivar notes: Where is noted what the Snapshot does not hold; L{None}: nowhere.
    """

    selector: Mapping[str, str] | None = None
    port_map: Mapping[int, int] = field(default_factory=dict)
    read_file: Callable[[str], bytes] = read_nothing
    inspect: Inspect = inspect_nothing
    inspect_upstream: InspectUpstream = inspect_no_upstream
    ignored_kinds: frozenset[str] = frozenset()
    notes: Notes | None = None
    gateway_namespace: str | None = None
    locate: Callable[[str], str] = str
    provide: Provide = provide_nothing
    certificate_issuer: str | None = None
