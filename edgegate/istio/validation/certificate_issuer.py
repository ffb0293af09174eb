"""What a C{CertificateIssuer} must be by itself."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.certificate_issuer import (
    ACMEIssuer,
    CertificateIssuer,
    CertificateStorage,
    LocalIssuer,
    UntilIssued,
)
from edgegate.istio.resources import Resource
from edgegate.istio.validation.dns_challenges import check_dns01
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.on_demand import check_on_demand
from edgegate.istio.validation.redis import check_key_prefix, check_redis
from edgegate.model import codes

LONGEST_NAME = 64
"""Characters of a common name (RFC 5280 appendix A.1, ub-common-name)."""

SHORTEST_VALIDITY, LONGEST_VALIDITY = 3600, 397 * 86400
"""Seconds that a certificate of a local authority is valid."""

_EMAIL = re.compile(r"(?!mailto:)[^@\s,?&]+@[^@\s,?&]+\.[^@\s,?&]+")

LONGEST_READINESS = 3600.0
"""Seconds for which the gateway may not be ready for want of certificates."""


def validate_certificate_issuer(resource: Resource[Any], problems: Problems) -> None:
    """It says whom to ask, that its terms are agreed to, and where to keep what it issues."""
    findings = Findings(resource, problems)
    spec: CertificateIssuer = resource.spec
    if spec.acme is None and spec.local is None:
        findings.error(("spec",), "it says no authority: either acme or local is required")
    if spec.acme is not None:
        _check_acme(findings, ("spec", "acme"), spec.acme)
    if spec.local is not None:
        _check_local(findings, ("spec", "local"), spec.local)
    _check_storage(findings, ("spec", "storage"), spec.storage or CertificateStorage())
    _check_readiness(findings, spec)
    if spec.on_demand is not None:
        check_on_demand(findings, ("spec", "onDemand"), spec.on_demand, spec.local is not None)


def _check_storage(findings: Findings, path: Path, storage: CertificateStorage) -> None:
    redis = storage.redis
    if redis is None:
        if not storage.directory:
            message = "a directory is required, or redis: certificates and keys are kept there"
            findings.error((*path, "directory"), message)
        return
    path = (*path, "redis")
    check_redis(findings, path, redis)
    check_key_prefix(findings, (*path, "keyPrefix"), redis.key_prefix)
    source = redis.encryption_key
    if source is None or not (source.file or source.secret_name):
        message = "either file or secretName is required: what lies in Redis is encrypted"
        findings.error((*path, "encryptionKey"), message)


def _check_readiness(findings: Findings, spec: CertificateIssuer) -> None:
    timeout = spec.readiness_timeout
    if timeout is None:
        return
    path: Path = ("spec", "readinessTimeout")
    if timeout > LONGEST_READINESS:
        findings.error(path, f"it is more than {LONGEST_READINESS / 3600:g}h")
    elif spec.until_issued is UntilIssued.PLACEHOLDER or (spec.until_issued is None and spec.local is None):
        findings.warning(path, "it is of no effect without untilIssued: Wait", code=codes.WITHOUT_EFFECT)


def _check_acme(findings: Findings, path: Path, acme: ACMEIssuer) -> None:
    _check_server(findings, (*path, "server"), acme.server or "")
    if not acme.agree_to_terms:
        findings.error(
            (*path, "agreeToTerms"), "the authority's terms have to be read and agreed to: agreeToTerms: true"
        )
    if acme.email is not None and not _EMAIL.fullmatch(acme.email):
        findings.error((*path, "email"), f"{show(acme.email)} is no address of mail")
    check_dns01(findings, path, acme)
    binding = acme.external_account_binding
    if binding is not None:
        inner = (*path, "externalAccountBinding")
        if not binding.key_id:
            findings.error((*inner, "keyId"), "it is required: the authority has given it with the key")
        if binding.key is None or not (binding.key.file or binding.key.secret_name):
            findings.error((*inner, "key"), "either file or secretName is required")


def _check_local(findings: Findings, path: Path, local: LocalIssuer) -> None:
    name = local.name
    if name is not None and not (0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
        findings.error((*path, "name"), f"{show(name)} is no name of an authority: 1 to {LONGEST_NAME} characters")
    if local.validity is not None and not SHORTEST_VALIDITY <= local.validity <= LONGEST_VALIDITY:
        findings.error(
            (*path, "validity"),
            f"a certificate is valid for {SHORTEST_VALIDITY // 3600}h to {LONGEST_VALIDITY // 3600}h "
            "(397 days: what browsers take)",
        )


def _check_server(findings: Findings, path: Path, server: str) -> None:
    try:
        url = urlsplit(server)
        sound = url.scheme == "https" and bool(url.hostname) and url.port != 0 and url.username is None
    except ValueError:
        sound = False
    if not server:
        findings.error(path, "it is required: the URL of the authority's directory")
    elif not sound or not server.isascii() or not server.isprintable() or " " in server:
        findings.error(path, f"{show(server)} is no URL that begins with https://")
