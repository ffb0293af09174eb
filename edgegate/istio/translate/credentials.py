"""A server's TLS settings: certificates from files and Secrets, and what clients must show."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.istio.kinds.gateway import ServerTLSSettings, TLSMode, TLSProtocol
from edgegate.istio.kinds.secret import Secret
from edgegate.istio.resources import Resource
from edgegate.istio.translate.certificates import CertificateIssuers
from edgegate.istio.translate.compile_options import CompileOptions, Finding, Part
from edgegate.istio.translate.key_sources import (
    CA_KEYS,
    CERTIFICATE_KEYS,
    CRL_KEYS,
    KEY_KEYS,
    KeySources,
    Unreadable,
    title,
)
from edgegate.istio.translate.servers import Server
from edgegate.model import codes
from edgegate.model.servers import Traffic
from edgegate.model.tls import ClientVerification, KeyPair, ServerTLS, TLSRules, TLSVersion

HTTP_ALPN: tuple[bytes, ...] = (b"h2", b"http/1.1")
"""What HTTPS servers offer."""

_VERIFYING = (TLSMode.MUTUAL, TLSMode.OPTIONAL_MUTUAL)


@dataclass(slots=True)
class _Material:
    """
    What has been found of a server's key material, and which field said so.

    @ivar issued: Which of the pairs the gateway has issued itself: their time is its own affair.
    @ivar on_demand: See L{ServerTLS}.
    """

    pairs: list[KeyPair] = field(default_factory=list)
    authorities: list[bytes] = field(default_factory=list)
    revocations: list[bytes] = field(default_factory=list)
    places: dict[tuple[Part, int], Path] = field(default_factory=dict)
    issued: set[int] = field(default_factory=set)
    on_demand: str = ""

    def add_pair(self, pair: KeyPair, chain_path: Path, key_path: Path) -> None:
        self.places[Part.CERTIFICATE, len(self.pairs)] = chain_path
        self.places[Part.KEY, len(self.pairs)] = key_path
        self.pairs.append(pair)

    def add_authorities(self, pem: bytes, path: Path) -> None:
        self.places[Part.AUTHORITIES, 0] = path
        self.authorities.append(pem)

    def add_revocations(self, pem: bytes, path: Path) -> None:
        self.places[Part.REVOCATIONS, 0] = path
        self.revocations.append(pem)


class CredentialCompiler:
    """Compiles the TLS of servers."""

    def __init__(
        self, sources: KeySources, options: CompileOptions, problems: Problems, issuers: CertificateIssuers
    ) -> None:
        self._sources = sources
        self._options = options
        self._problems = problems
        self._issuers = issuers

    def server_tls(self, server: Server) -> ServerTLS | None:
        """
        Compile the TLS of a server that ends it.

        @return: L{None} where something needed is missing or wrong, which is reported.
        """
        settings = server.spec.tls
        assert settings is not None
        material = _Material()
        self._collect(server, settings, material)
        rules = self._rules(server, settings, material)
        if rules is None or not (material.pairs or material.on_demand):
            return None
        alpn = HTTP_ALPN if server.traffic is Traffic.HTTPS else ()
        pairs = tuple(material.pairs)
        tls = ServerTLS(tuple(pair.credential for pair in pairs), rules, alpn, material.on_demand)
        hosts = tuple(host.pattern for host in server.hosts if host.pattern[0] != "*" or not material.on_demand)
        for finding in self._options.inspect(tls, pairs, hosts):
            if finding.number in material.issued and finding.part is Part.CERTIFICATE and finding.role is Role.TIME:
                continue
            path = material.places.get((finding.part, finding.number), ("cipherSuites",))
            place = (*server.path, "tls", *path)
            code = _code_of(finding, path)
            server.gateway.document.problem(
                self._problems, finding.severity, place, finding.message, finding.role, code
            )
        return tls

    # What the fields name ----------------------------------------------------------------------------------------

    def _collect(self, server: Server, settings: ServerTLSSettings, material: _Material) -> None:
        verifying = settings.mode in _VERIFYING
        secrets = settings.credential_name or settings.credential_names
        if (settings.server_certificate or settings.private_key) and not secrets:
            self._files_of(server, settings.server_certificate, settings.private_key, (), material)
        for index, each in enumerate(settings.tls_certificates):
            path: Path = ("tlsCertificates", index)
            self._files_of(server, each.server_certificate, each.private_key, path, material)
            if verifying and each.ca_certificates and not material.authorities:
                self._authorities_file(server, each.ca_certificates, (*path, "caCertificates"), material)
        named: list[tuple[str, Path]] = [
            (name, ("credentialNames", index)) for index, name in enumerate(settings.credential_names)
        ]
        if settings.credential_name:
            named.insert(0, (settings.credential_name, ("credentialName",)))
        for name, path in named:
            if self._find(server, name) is None and self._issuers.named_by(server):
                self._issue(server, path, material)
                continue
            secret = self._secret(server, name, path)
            if secret is not None:
                self._pair_of_secret(server, secret, path, material)
        if verifying:
            if settings.ca_certificates:
                self._authorities_file(server, settings.ca_certificates, ("caCertificates",), material)
            self._authorities_secret(server, settings, named, material)
            if settings.ca_crl:
                found = self._read(server, settings.ca_crl, ("caCrl",))
                if found is not None:
                    material.add_revocations(found, ("caCrl",))

    def _issue(self, server: Server, path: Path, material: _Material) -> None:
        """Take the certificates that the gateway has issued for a server's hosts, once."""
        if material.issued or material.on_demand:
            return
        for certificate in self._issuers.issued(server):
            material.issued.add(len(material.pairs))
            material.add_pair(self._options.provide(certificate), path, path)
        material.on_demand = self._issuers.issues_on_demand(server)

    def _files_of(
        self, server: Server, certificate: str | None, key: str | None, path: Path, material: _Material
    ) -> None:
        chain_path, key_path = (*path, "serverCertificate"), (*path, "privateKey")
        chain = self._read(server, certificate, chain_path) if certificate else None
        private = self._read(server, key, key_path) if key else None
        if certificate and key and chain is not None and private is not None:
            material.add_pair(KeyPair(certificate, chain, private, key), chain_path, key_path)

    def _authorities_file(self, server: Server, name: str, path: Path, material: _Material) -> None:
        found = self._read(server, name, path)
        if found is not None:
            material.add_authorities(found, path)

    def _pair_of_secret(self, server: Server, secret: Resource[Secret], path: Path, material: _Material) -> None:
        chain = secret.spec.first(*CERTIFICATE_KEYS)
        key = secret.spec.first(*KEY_KEYS)
        name = title(secret)
        if chain is None or key is None:
            missing = "tls.crt (or cert)" if chain is None else "tls.key (or key)"
            self._error(
                server,
                path,
                f"{name} at {secret.document.origin} has no {missing}",
                Role.CONSEQUENCE,
                codes.INVALID_GATEWAY_CREDENTIAL,
            )
            return
        material.add_pair(KeyPair(name, chain, key), path, path)

    def _authorities_secret(
        self, server: Server, settings: ServerTLSSettings, named: list[tuple[str, Path]], material: _Material
    ) -> None:
        """
        Find the CA of a server whose certificates are in Secrets: in the one that C{caCertCredentialName} names,
        else in C{NAME-cacert}, else beside the certificate.
        """
        if settings.ca_cert_credential_name:
            path: Path = ("caCertCredentialName",)
            secret = self._secret(server, settings.ca_cert_credential_name, path)
            candidates = [secret] if secret is not None else []
        elif named and not material.authorities:
            path = named[0][1]
            found = [self._find(server, named[0][0] + suffix) for suffix in ("-cacert", "")]
            candidates = [secret for secret in found if secret is not None]
        else:
            return
        for secret in candidates:
            authorities = secret.spec.first(*CA_KEYS)
            if authorities is not None:
                material.add_authorities(authorities, path)
                revocations = secret.spec.first(*CRL_KEYS)
                if revocations is not None and not settings.ca_crl:
                    material.add_revocations(revocations, path)
                return
        if not candidates and (material.issued or material.on_demand):
            assert settings.mode is not None
            message = f"{settings.mode.value} needs a CA: there is no Secret {named[0][0]}-cacert"
            self._error(server, path, message, Role.CONSEQUENCE, codes.INVALID_GATEWAY_CREDENTIAL)
        if candidates:
            first = candidates[-1]
            more = "" if settings.ca_cert_credential_name else f", and there is no Secret {first.name}-cacert"
            assert settings.mode is not None
            message = f"{settings.mode.value} needs a CA: {title(first)} has no ca.crt (or cacert){more}"
            self._error(server, path, message, Role.CONSEQUENCE, codes.INVALID_GATEWAY_CREDENTIAL)

    def _secret(self, server: Server, name: str, path: Path) -> Resource[Secret] | None:
        found = self._find(server, name)
        if found is None:
            message = self._sources.undeclared(name, server.gateway.namespace)
            self._error(server, path, message, Role.CONSEQUENCE, codes.REFERENCED_RESOURCE_NOT_FOUND)
        return found

    def _find(self, server: Server, name: str) -> Resource[Secret] | None:
        return self._sources.secret(name, server.gateway.namespace)

    def _read(self, server: Server, name: str, path: Path) -> bytes | None:
        try:
            return self._sources.read(name)
        except Unreadable as error:
            self._error(server, path, str(error), code=codes.BAD_KEY_MATERIAL)
            return None

    # On what terms -----------------------------------------------------------------------------------------------

    def _rules(self, server: Server, settings: ServerTLSSettings, material: _Material) -> TLSRules | None:
        minimum = _version(settings.min_protocol_version, TLSVersion.TLSV1_2)
        # A minimum of 1.3 needs no maximum; a maximum below 1.2 lowers the default minimum with it.
        maximum = _version(settings.max_protocol_version, TLSVersion.TLSV1_3)
        if settings.min_protocol_version in (None, TLSProtocol.TLS_AUTO) and maximum.value < minimum.value:
            minimum = maximum
        if minimum.value > maximum.value:
            self._error(server, ("minProtocolVersion",), f"{minimum.name} is above maxProtocolVersion {maximum.name}")
            return None
        ciphers = tuple(dict.fromkeys(settings.cipher_suites))
        if settings.mode not in _VERIFYING:
            return TLSRules(minimum, maximum, ciphers)
        spki = self._digests(server, settings.verify_certificate_spki, "verifyCertificateSpki", _base64)
        hashes = self._digests(server, settings.verify_certificate_hash, "verifyCertificateHash", _hexadecimal)
        if not material.authorities or spki is None or hashes is None:
            return None
        verification = ClientVerification(
            required=settings.mode is TLSMode.MUTUAL,
            authorities=b"\n".join(material.authorities),
            revocations=b"\n".join(material.revocations),
            subject_alt_names=settings.subject_alt_names,
            spki=spki,
            hashes=hashes,
        )
        return TLSRules(minimum, maximum, ciphers, verification)

    def _digests(
        self, server: Server, texts: tuple[str, ...], field_name: str, decode: Callable[[str], bytes]
    ) -> tuple[bytes, ...] | None:
        found = []
        for index, text in enumerate(texts):
            try:
                digest = decode(text)
            except ValueError as error:
                self._error(server, (field_name, index), str(error))
            else:
                found.append(digest)
        return tuple(found) if len(found) == len(texts) else None

    def _error(self, server: Server, path: Path, message: str, role: Role = Role.ITSELF, code: str = "") -> None:
        server.error(self._problems, ("tls", *path), message, role, code)


def _code_of(finding: Finding, path: Path) -> str:
    """Return the code of what is wrong with key material: Istio has one for that of a Secret."""
    if finding.code:
        return finding.code
    if path[0] in ("credentialName", "credentialNames") and finding.part in (Part.CERTIFICATE, Part.KEY):
        return codes.INVALID_GATEWAY_CREDENTIAL
    return codes.CERTIFICATE_TIME if finding.role is Role.TIME else codes.BAD_KEY_MATERIAL


def _version(given: TLSProtocol | None, default: TLSVersion) -> TLSVersion:
    return default if given in (None, TLSProtocol.TLS_AUTO) else TLSVersion[given.name]


def _base64(text: str) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 32:
        raise ValueError("expected a SHA-256 digest in base64 (44 characters)")
    return digest


def _hexadecimal(text: str) -> bytes:
    try:
        digest = binascii.unhexlify(text.replace(":", ""))
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 32:
        raise ValueError("expected a SHA-256 digest in hexadecimal (64 digits, colons between bytes allowed)")
    return digest
