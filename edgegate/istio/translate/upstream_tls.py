"""TLS with backends: C{tls} of a DestinationRule, with its key material from files and Secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.istio.kinds.destination_rule import ClientTLSMode, ClientTLSSettings
from edgegate.istio.kinds.secret import Secret
from edgegate.istio.resources import Resource
from edgegate.istio.translate.compile_options import InspectUpstream, Part
from edgegate.istio.translate.destination_rules import Said
from edgegate.istio.translate.key_sources import (
    CA_KEYS,
    CERTIFICATE_KEYS,
    CRL_KEYS,
    KEY_KEYS,
    KeySources,
    Unreadable,
    title,
)
from edgegate.model import codes
from edgegate.model.tls import KeyPair, UpstreamTLS

_TALKING = (ClientTLSMode.SIMPLE, ClientTLSMode.MUTUAL)


@dataclass(slots=True)
class _Material:
    """What has been found, and which field said so; C{broken} where something was reported."""

    certificate: KeyPair | None = None
    authorities: bytes | None = None
    revocations: bytes = b""
    places: dict[Part, Path] = field(default_factory=dict)
    broken: bool = False


class UpstreamTLSCompiler:
    """Compiles the TLS of clusters."""

    def __init__(self, sources: KeySources, inspect: InspectUpstream, problems: Problems) -> None:
        self._sources = sources
        self._inspect = inspect
        self._problems = problems

    def tls(self, said: Said[ClientTLSSettings], names: tuple[str, ...]) -> UpstreamTLS | None:
        """
        Compile the TLS of a cluster.

        @param names: Of the service itself (C{ServiceEntry.subjectAltNames}), which those of the rule replace.

        @return: L{None} where connections are in the clear, or something needed is missing or wrong, which is reported.
        """
        settings = said.value
        if settings.mode not in _TALKING:
            return None  # that ISTIO_MUTUAL is not honoured was said when it was decoded
        material = _Material()
        if settings.credential_name:
            self._of_secret(said, settings.credential_name, material)
        else:
            self._of_files(said, material)
        if material.broken:
            return None
        verified, pair = not settings.insecure_skip_verify, material.certificate
        tls = UpstreamTLS(
            sni=settings.sni or "",
            authorities=material.authorities if verified else None,
            credential=None if pair is None else pair.credential,
            revocations=material.revocations if verified else b"",
            names=(settings.subject_alt_names or names) if verified else (),
            verified=verified,
        )
        for finding in self._inspect(tls, pair):
            place = (*said.path, *material.places.get(finding.part, ()))
            code = codes.CERTIFICATE_TIME if finding.role is Role.TIME else codes.BAD_KEY_MATERIAL
            document = said.resource.document
            document.problem(self._problems, finding.severity, place, finding.message, finding.role, code)
        return tls

    def _of_files(self, said: Said[ClientTLSSettings], material: _Material) -> None:
        settings = said.value
        if settings.mode is ClientTLSMode.MUTUAL and settings.client_certificate and settings.private_key:
            chain = self._read(said, settings.client_certificate, "clientCertificate", material)
            key = self._read(said, settings.private_key, "privateKey", material)
            material.certificate = KeyPair(settings.client_certificate, chain, key, settings.private_key)
            material.places |= {Part.CERTIFICATE: ("clientCertificate",), Part.KEY: ("privateKey",)}
        if settings.ca_certificates:
            material.authorities = self._read(said, settings.ca_certificates, "caCertificates", material)
            material.places[Part.AUTHORITIES] = ("caCertificates",)
        if settings.ca_crl:
            material.revocations = self._read(said, settings.ca_crl, "caCrl", material)
            material.places[Part.REVOCATIONS] = ("caCrl",)

    def _of_secret(self, said: Said[ClientTLSSettings], name: str, material: _Material) -> None:
        """
        Take everything from a Secret, or the CA from the one of the same name with C{-cacert}.

        Secrets are looked for beside the rule, then where Istio's gateway would look.
        """
        path: Path = ("credentialName",)
        material.places = dict.fromkeys(Part, path)
        namespace = said.resource.namespace
        secret, beside = self._sources.secret(name, namespace), self._sources.secret(f"{name}-cacert", namespace)
        mutual = said.value.mode is ClientTLSMode.MUTUAL
        if secret is None and (mutual or beside is None):
            message, missing = self._sources.undeclared(name, namespace), codes.REFERENCED_RESOURCE_NOT_FOUND
            self._error(said, path, message, material, Role.CONSEQUENCE, missing)
            return
        if mutual and secret is not None:
            self._pair(said, secret, material)
        if said.value.insecure_skip_verify:
            return
        candidates = [each for each in (beside, secret) if each is not None]
        for candidate in candidates:
            authorities = candidate.spec.first(*CA_KEYS)
            if authorities is not None:
                material.authorities = authorities
                material.revocations = candidate.spec.first(*CRL_KEYS) or b""
                return
        named = title(candidates[-1])
        message = f"{named} has no ca.crt (or cacert) to verify backends by, and there is no Secret {name}-cacert"
        self._error(said, path, message, material, Role.CONSEQUENCE)

    def _pair(self, said: Said[ClientTLSSettings], secret: Resource[Secret], material: _Material) -> None:
        chain, key = secret.spec.first(*CERTIFICATE_KEYS), secret.spec.first(*KEY_KEYS)
        if chain is None or key is None:
            missing = "tls.crt (or cert)" if chain is None else "tls.key (or key)"
            message = f"MUTUAL shows a certificate: {title(secret)} at {secret.document.origin} has no {missing}"
            self._error(said, ("credentialName",), message, material, Role.CONSEQUENCE)
        else:
            material.certificate = KeyPair(title(secret), chain, key)

    def _read(self, said: Said[ClientTLSSettings], name: str, field_name: str, material: _Material) -> bytes:
        try:
            return self._sources.read(name)
        except Unreadable as error:
            self._error(said, (field_name,), str(error), material)
            return b""

    def _error(
        self,
        said: Said[ClientTLSSettings],
        path: Path,
        message: str,
        material: _Material,
        role: Role = Role.ITSELF,
        code: str = codes.BAD_KEY_MATERIAL,
    ) -> None:
        material.broken = True
        said.resource.error(self._problems, (*said.path, *path), message, role, code)
