"""Certificates that no Secret provides: which servers have them issued, by whom, and for which hosts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.config.values import show
from edgegate.istio.kinds import certificate_issuer as kinds
from edgegate.istio.kinds.secret_source import SecretSource
from edgegate.istio.resources import Resource
from edgegate.istio.translate.certificate_storage import storage_of
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.translate.dns_challenges import dns_challenges
from edgegate.istio.translate.issuable import not_issuable
from edgegate.istio.translate.key_sources import KEY_KEYS, ROOT_NAMESPACE, KeySources, Unreadable, title
from edgegate.istio.translate.on_demand import on_demand_of
from edgegate.istio.translate.servers import Server
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes
from edgegate.model.addresses import is_ip_address
from edgegate.model.certificates import (
    READINESS_TIMEOUT,
    ACMEAuthority,
    CertificateIssuer,
    ChallengeKind,
    ExternalAccount,
    KeyType,
    LocalAuthority,
    ManagedCertificate,
)
from edgegate.model.on_demand import OnDemand
from edgegate.model.servers import Traffic
from edgegate.model.tls import UpstreamTLS

ANNOTATION = "edgegate.io/certificate-issuer"
"""Of a Gateway: who issues what its servers lack."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_HMAC_KEYS = ("key", "hmac", *KEY_KEYS)

_Key = tuple[str, str]


class CertificateIssuers:
    """
    Finds who issues the certificates of servers.

    @ivar certificates: All that were asked for, each once.
    @ivar on_demand: Those that issue what no file names, by their names.
    """

    def __init__(
        self,
        issuers: Iterable[Resource[kinds.CertificateIssuer]],
        sources: KeySources,
        options: CompileOptions,
        problems: Problems,
        servers: Collection[Server] = (),
    ) -> None:
        """
        @param servers: Those that are opened.
        """
        self._in_the_clear = any(server.traffic is Traffic.HTTP for server in servers)
        self._declared = {(each.namespace, each.name): each for each in issuers}
        self._sources = sources
        self._options = options
        self._problems = problems
        self._values: dict[_Key, CertificateIssuer | None] = {}
        self._used: dict[_Key, Server] = {}
        self.certificates: dict[ManagedCertificate, ManagedCertificate] = {}
        self.on_demand: dict[str, OnDemand] = {}

    def named_by(self, server: Server) -> str:
        """Return the name of the issuer that a server's certificates are from; empty: they are from nobody."""
        return _annotation(server) or self._options.certificate_issuer or ""

    def issued(self, server: Server) -> tuple[ManagedCertificate, ...]:
        """
        Return the certificates of a server's hosts. What can't be issued is reported, and left out.

        @return: Nothing where its issuer is not there, or wrong in itself.
        """
        key = self._find(server)
        if key is None:
            return ()
        self._used.setdefault(key, server)
        if key not in self._values:
            self._values[key] = self._value(self._declared[key])
        issuer = self._values[key]
        if issuer is None:
            return ()
        found = []
        for host in server.hosts:
            if host.pattern[0] == "*" and self.issues_on_demand(server):
                continue
            why = not_issuable(host.pattern, issuer)
            if why:
                message = f"{show(host.pattern)}: {why}"
                server.gateway.error(self._problems, host.origin.path, message, code=codes.NOT_ISSUABLE)
                continue
            certificate = ManagedCertificate(host.pattern, issuer, host.origin)
            found.append(self.certificates.setdefault(certificate, certificate))
        if isinstance(issuer.authority, LocalAuthority):
            # who asks for an address sends no SNI, and is shown the first
            found.sort(key=lambda each: not is_ip_address(each.host.strip("[]")))
        return tuple(dict.fromkeys(found))

    def issues_on_demand(self, server: Server) -> str:
        """
        Return the name of the issuer that issues certificates on demand for the names that a server's wildcards stand
        for; empty: none does.
        """
        if not any(host.pattern[0] == "*" for host in server.hosts):
            return ""
        for key in _keys(self.named_by(server), server.gateway.namespace):
            if key not in self._declared:
                continue
            issuer, rules = self._values.get(key), self._declared[key].spec.on_demand
            if issuer is None or rules is None:
                return ""
            if issuer.name not in self.on_demand:
                self.on_demand[issuer.name] = on_demand_of(self._declared[key], rules, issuer)
            return issuer.name
        return ""

    def warn(self) -> None:
        """Report issuers that issue nothing, and that challenges can't be answered."""
        for key, declared in self._declared.items():
            if key not in self._used:
                message = (
                    f"no server has a certificate from it: its Gateway names it by the annotation {ANNOTATION}, and "
                    "has a credentialName that no Secret provides"
                )
                declared.warning(self._problems, ("metadata", "name"), message, code=codes.WITHOUT_EFFECT)
            elif declared.spec.on_demand is not None and "/".join(key) not in self.on_demand:
                message = "no server that has its certificates from it has a wildcard among its hosts"
                declared.warning(self._problems, ("spec", "onDemand"), message, code=codes.WITHOUT_EFFECT)
        for key in self._used:
            issuer = self._values[key]
            if issuer is not None and _challenges(issuer) == (ChallengeKind.HTTP_01,) and not self._in_the_clear:
                message = (
                    "authorities ask for HTTP-01 at port 80 of each host, which no server opens: add TLS-ALPN-01, "
                    "which is answered at port 443, or a server with protocol HTTP (httpsRedirect does not keep them "
                    "out)"
                )
                path: Path = ("spec", "acme", "challenges")
                self._declared[key].warning(self._problems, path, message, code=codes.CHALLENGES_UNANSWERED)

    # ------------------------------------------------------------------------------------------------------------------

    def _find(self, server: Server) -> _Key | None:
        name = self.named_by(server)
        keys = _keys(name, server.gateway.namespace)
        found = next((key for key in keys if key in self._declared), None)
        if found is None:
            near = [each for _, each in self._declared]
            hint = Suggestions().like(keys[0][1], near)
            where = " or ".join(show(namespace) for namespace, _ in keys)
            whose = "" if _annotation(server) else " (--certificate-issuer)"
            message = f"no document declares CertificateIssuer {show(keys[0][1])}{whose} in namespace {where}{hint}"
            path: Path = ("metadata", "annotations", ANNOTATION)
            server.gateway.error(self._problems, path, message, Role.CONSEQUENCE, codes.REFERENCED_RESOURCE_NOT_FOUND)
        return found

    def _value(self, resource: Resource[kinds.CertificateIssuer]) -> CertificateIssuer | None:
        acme, local = resource.spec.acme, resource.spec.local
        storage = storage_of(resource, self._secret, self._options, self._problems)
        if storage is None or (acme is not None and local is not None):
            return None  # which was told
        authority: ACMEAuthority | LocalAuthority | None = None
        key_type: kinds.IssuedKeyType | None = None
        if acme is not None:
            authority, key_type = self._acme(resource, acme), acme.key_type
        elif local is not None:
            authority, key_type = _local(local), local.key_type
        if authority is None:
            return None
        name, (waits, timeout) = f"{resource.namespace}/{resource.name}", _readiness(resource.spec)
        return CertificateIssuer(name, authority, storage, _key_type(key_type), waits, timeout)

    def _acme(self, resource: Resource[kinds.CertificateIssuer], acme: kinds.ACMEIssuer) -> ACMEAuthority | None:
        if not acme.server:
            return None  # which was told
        authorities = self._authorities(resource, acme.ca_certificates) if acme.ca_certificates else b""
        challenges = self._preference(acme)
        dns = dns_challenges(resource, acme.dns01, self._secret, self._options, self._problems)
        if dns is None and ChallengeKind.DNS_01 in challenges:
            return None  # which was told
        binding = acme.external_account_binding
        account = None if binding is None else self._account(resource, binding)
        return ACMEAuthority(
            acme.server,
            acme.email or "",
            authorities,
            account,
            acme.preferred_chain or "",
            challenges,
            dns,
        )

    def _authorities(self, resource: Resource[kinds.CertificateIssuer], name: str) -> bytes:
        """Return the certificates by which an authority is trusted; what is wrong with them was told."""
        path: Path = ("spec", "acme", "caCertificates")
        try:
            authorities = self._sources.read(name)
        except Unreadable as error:
            resource.error(self._problems, path, str(error), code=codes.BAD_KEY_MATERIAL)
            return b""
        if b"-----BEGIN CERTIFICATE-----" not in authorities:
            message = f"{show(name)} holds no certificate as PEM"
            resource.error(self._problems, path, message, code=codes.BAD_KEY_MATERIAL)
            return b""
        for finding in self._options.inspect_upstream(UpstreamTLS(authorities=authorities), None):
            code = codes.CERTIFICATE_TIME if finding.role is Role.TIME else codes.BAD_KEY_MATERIAL
            message = f"{name}: {finding.message}"
            resource.document.problem(self._problems, finding.severity, path, message, finding.role, code)
        return authorities

    def _preference(self, acme: kinds.ACMEIssuer) -> tuple[ChallengeKind, ...]:
        """Return how hosts are proved, in order: not by what no server answers, if there is another way."""
        wanted = tuple(dict.fromkeys(ChallengeKind[each.name] for each in acme.challenges))
        if self._in_the_clear:
            return wanted or (ChallengeKind.HTTP_01,)
        if not wanted:
            return (ChallengeKind.TLS_ALPN_01,)
        return tuple(kind for kind in wanted if kind is not ChallengeKind.HTTP_01) or wanted

    def _account(
        self, resource: Resource[kinds.CertificateIssuer], binding: kinds.ExternalAccountBinding
    ) -> ExternalAccount | None:
        path: Path = ("spec", "acme", "externalAccountBinding", "key")
        if binding.key is None:
            return None
        content, name = self._secret(resource, path, binding.key, _HMAC_KEYS)
        if content is None or not binding.key_id:
            return None
        key = content.decode("latin-1").strip()
        # four characters are three bytes, and one is none
        if not _BASE64URL.fullmatch(key) or len(key.rstrip("=")) % 4 == 1:
            message = f"{name} is no key in base64url, as the authority has given it"
            resource.error(self._problems, path, message, code=codes.BAD_CREDENTIALS)
            return None
        return ExternalAccount(binding.key_id, key.rstrip("="))

    def _secret(
        self, resource: Resource[kinds.CertificateIssuer], path: Path, source: SecretSource, entries: tuple[str, ...]
    ) -> tuple[bytes | None, str]:
        """Return the content of a secret, and what messages call it; L{None}: there is none, which was told."""
        if source.file:
            try:
                return self._sources.read(source.file), source.file
            except Unreadable as error:
                resource.error(self._problems, (*path, "file"), str(error), code=codes.BAD_CREDENTIALS)
                return None, ""
        path, name = (*path, "secretName"), source.secret_name or ""
        secret = self._sources.secret(name, resource.namespace)
        if secret is None:
            message = self._sources.undeclared(name, resource.namespace)
            resource.error(self._problems, path, message, Role.CONSEQUENCE, codes.REFERENCED_RESOURCE_NOT_FOUND)
            return None, ""
        content = secret.spec.first(*entries)
        if content is None:
            message = f"{title(secret)} at {secret.document.origin} has no key"
            resource.error(self._problems, path, message, Role.CONSEQUENCE, codes.BAD_CREDENTIALS)
        return content, title(secret)


def _readiness(spec: kinds.CertificateIssuer) -> tuple[bool, float]:
    """
    Return whether first certificates are waited for, and for how many seconds at most.

    Nobody but this process keeps one waiting for those of an authority of the gateway's own, so they are.
    """
    timeout = spec.readiness_timeout
    usual = kinds.UntilIssued.PLACEHOLDER if spec.local is None else kinds.UntilIssued.WAIT
    waits = (spec.until_issued or usual) is kinds.UntilIssued.WAIT
    return waits, READINESS_TIMEOUT if timeout is None else float(timeout)


def _annotation(server: Server) -> str:
    metadata = server.gateway.document.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(ANNOTATION) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else ""


def _keys(name: str, namespace: str) -> list[_Key]:
    """Return the namespaces and names that an issuer's name may mean, in order, as with a credential's."""
    scope, slash, rest = name.partition("/")
    return [(scope, rest)] if slash else list(dict.fromkeys([(namespace, name), (ROOT_NAMESPACE, name)]))


def _local(local: kinds.LocalIssuer) -> LocalAuthority:
    usual = LocalAuthority()
    return LocalAuthority(local.name or usual.name, float(local.validity or usual.validity))


def _key_type(given: kinds.IssuedKeyType | None) -> KeyType:
    return KeyType[(given or kinds.IssuedKeyType.ECDSA_P256).name]


def _challenges(issuer: CertificateIssuer) -> tuple[ChallengeKind, ...]:
    """Return by which challenges an issuer's hosts are proved, the first one first; none where they need no proof."""
    return issuer.authority.challenges if isinstance(issuer.authority, ACMEAuthority) else ()
