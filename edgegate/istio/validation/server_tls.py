"""Istio's rules for C{ServerTLSSettings}."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.istio.kinds.gateway import ServerTLSSettings, TLSMode, TLSProtocol
from edgegate.istio.validation.ciphers import check_ciphers
from edgegate.istio.validation.findings import Findings
from edgegate.model import codes

VERIFYING = frozenset({TLSMode.MUTUAL, TLSMode.OPTIONAL_MUTUAL})
PASSING = frozenset({TLSMode.PASSTHROUGH, TLSMode.AUTO_PASSTHROUGH})

_MOST_CERTIFICATES = 2
_CERTIFICATES = {
    "serverCertificate": "server_certificate",
    "privateKey": "private_key",
    "caCertificates": "ca_certificates",
    "caCrl": "ca_crl",
    "credentialName": "credential_name",
    "credentialNames": "credential_names",
    "tlsCertificates": "tls_certificates",
    "caCertCredentialName": "ca_cert_credential_name",
}
_VERIFICATION = {
    "caCertificates": "ca_certificates",
    "caCertCredentialName": "ca_cert_credential_name",
    "subjectAltNames": "subject_alt_names",
    "verifyCertificateSpki": "verify_certificate_spki",
    "verifyCertificateHash": "verify_certificate_hash",
}
_OLD = frozenset({TLSProtocol.TLSV1_0, TLSProtocol.TLSV1_1})


def given(tls: ServerTLSSettings, names: dict[str, str]) -> list[str]:
    """Return which of some fields are given, by their JSON names."""
    return [name for name, attribute in names.items() if getattr(tls, attribute)]


def check_plain(findings: Findings, path: Path, tls: ServerTLSSettings, protocol: str, http: bool) -> None:
    """A server in the clear has no TLS settings, but for C{httpsRedirect} with HTTP."""
    if not http:
        findings.error(path, f"a server of protocol {protocol} has no TLS settings: was protocol TLS or HTTPS meant?")
        return
    extra = given(tls, _CERTIFICATES)
    if tls.mode not in (None, TLSMode.PASSTHROUGH):
        extra.insert(0, "mode")
    for name in extra:
        findings.error(
            (*path, name), f"a server of protocol {protocol} has only httpsRedirect: was protocol HTTPS meant?"
        )


def check_tls(findings: Findings, path: Path, tls: ServerTLSSettings) -> None:
    """The settings of a server of protocol HTTPS or TLS."""
    mode = tls.mode or TLSMode.PASSTHROUGH
    if tls.https_redirect:
        findings.warning(
            (*path, "httpsRedirect"), "changes nothing: only servers of protocol HTTP redirect", codes.SCHEMA_WARNING
        )
    if mode in PASSING:
        default = "" if tls.mode else ", which is the mode where none is given"
        for name in given(tls, _CERTIFICATES | _VERIFICATION):
            findings.warning((*path, name), f"changes nothing with {mode.value}{default}: TLS does not end here")
        return
    if mode is TLSMode.ISTIO_MUTUAL:
        for name in given(tls, _CERTIFICATES):
            findings.error((*path, name), "ISTIO_MUTUAL brings its own certificates")
        return
    _check_source(findings, path, tls, mode)
    _check_verification(findings, path, tls, mode)
    check_ciphers(findings, (*path, "cipherSuites"), tls.cipher_suites)
    if tls.min_protocol_version in _OLD and not tls.cipher_suites:
        message = "versions below TLSV1_2 need ciphers that are not among the defaults: name them in cipherSuites"
        findings.warning((*path, "minProtocolVersion"), message)


def _check_source(findings: Findings, path: Path, tls: ServerTLSSettings, mode: TLSMode) -> None:
    """Exactly one place says where the certificate is."""
    files = [name for name in _FILES if name in given(tls, _CERTIFICATES)]
    others = given(tls, {name: _CERTIFICATES[name] for name in _SOURCES})
    if not files and not others:
        hint = "serverCertificate and privateKey, or credentialName"
        findings.error(path, f"{mode.value} needs a certificate: {hint}")
    if len(others) + (len(files) == len(_FILES)) > 1:
        findings.error(path, f"only one place can say where the certificate is, not {' and '.join(files + others)}")
    elif files and others:
        findings.warning((*path, files[0]), f"changes nothing: {others[0]} says where the certificate is")
    elif len(files) == 1:
        missing = "privateKey" if files == ["serverCertificate"] else "serverCertificate"
        findings.error((*path, missing), f"missing: {files[0]} is of no use without it")
    for name in ("credentialNames", "tlsCertificates"):
        if len(getattr(tls, _CERTIFICATES[name])) > _MOST_CERTIFICATES:
            message = (
                f"more than {_MOST_CERTIFICATES}: Istio serves {_MOST_CERTIFICATES} at most; "
                "here of those with one kind of key the one for the SNI is shown"
            )
            findings.warning((*path, name), message)
    for index, certificate in enumerate(tls.tls_certificates):
        for name, value in (
            ("serverCertificate", certificate.server_certificate),
            ("privateKey", certificate.private_key),
        ):
            if not value:
                findings.error((*path, "tlsCertificates", index, name), "missing")


_FILES = ("serverCertificate", "privateKey")
_SOURCES = ("credentialName", "credentialNames", "tlsCertificates")


def _check_verification(findings: Findings, path: Path, tls: ServerTLSSettings, mode: TLSMode) -> None:
    """What clients' certificates are verified against."""
    secret = tls.credential_name or tls.credential_names
    if mode not in VERIFYING:
        for name in given(tls, _VERIFICATION):
            findings.warning((*path, name), f"changes nothing with {mode.value}: it asks clients for no certificate")
        if tls.ca_crl and secret:
            findings.warning((*path, "caCrl"), f"changes nothing with {mode.value}: it asks clients for no certificate")
        elif tls.ca_crl:
            findings.error((*path, "caCrl"), f"{mode.value} asks clients for no certificate that could be revoked")
        return
    authorities = tls.ca_certificates or tls.ca_cert_credential_name
    if not secret and not authorities and not any(each.ca_certificates for each in tls.tls_certificates):
        findings.error((*path, "caCertificates"), f"missing: {mode.value} verifies clients against it")
    if tls.ca_crl and secret:
        message = "counts in place of the secret's ca.crl; in a cluster it is not read where there is a credentialName"
        findings.warning((*path, "caCrl"), message)
