"""Istio's rules for C{ClientTLSSettings}: TLS with backends."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.destination_rule import ClientTLSMode, ClientTLSSettings
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import is_address
from edgegate.model.hosts import normalise

_FIELDS = {
    "clientCertificate": "client_certificate",
    "privateKey": "private_key",
    "caCertificates": "ca_certificates",
    "caCrl": "ca_crl",
    "credentialName": "credential_name",
    "subjectAltNames": "subject_alt_names",
    "sni": "sni",
    "insecureSkipVerify": "insecure_skip_verify",
}
_CONFIG_MAP = "configmap://"
_FILES = ("clientCertificate", "privateKey", "caCertificates", "caCrl")
_CLIENT = ("clientCertificate", "privateKey")


def check_client_tls(findings: Findings, path: Path, tls: ClientTLSSettings) -> None:
    """What the gateway shows, and what it verifies backends by, come from one place each."""
    given = [name for name, attribute in _FIELDS.items() if getattr(tls, attribute)]
    mode = tls.mode or ClientTLSMode.DISABLE
    if mode is ClientTLSMode.ISTIO_MUTUAL:
        for name in given:
            if name != "sni":
                findings.warning((*path, name), "changes nothing with ISTIO_MUTUAL, which brings its own certificates")
        return
    if mode is ClientTLSMode.DISABLE:
        default = "" if tls.mode else ", which is the mode where none is given: was SIMPLE meant?"
        for name in given:
            findings.warning((*path, name), f"changes nothing with DISABLE{default}")
        return
    _check_names(findings, path, tls)
    if (tls.credential_name or "").startswith(_CONFIG_MAP):
        _check_config_map(findings, (*path, "credentialName"), tls.credential_name or "")
    _check_verification(findings, path, mode, given)
    _check_source(findings, path, tls, mode, given)


def _check_config_map(findings: Findings, path: Path, name: str) -> None:
    """A ConfigMap is one of the rule's own namespace."""
    parts = name.removeprefix(_CONFIG_MAP).split("/")
    if len(parts) > 2 or not all(parts):
        findings.error(path, f"{show(name)} is no ConfigMap: say {_CONFIG_MAP}NAME")
    elif len(parts) == 2 and parts[0] != findings.resource.namespace:
        findings.error(path, f"{show(name)} is a ConfigMap of another namespace than the rule's")


def _check_names(findings: Findings, path: Path, tls: ClientTLSSettings) -> None:
    """Names are such that a backend can have them; Istio takes others, and they come to nothing."""
    if tls.sni and not is_address(tls.sni):
        try:
            normalise(tls.sni.rstrip("."))
        except ValueError as error:
            findings.warning((*path, "sni"), f"backends are not told it: {error}")
    for index, name in enumerate(tls.subject_alt_names):
        if not name:
            findings.warning((*path, "subjectAltNames", index), "no certificate has an empty name")


def _check_source(
    findings: Findings, path: Path, tls: ClientTLSSettings, mode: ClientTLSMode, given: list[str]
) -> None:
    """What the gateway shows comes from a secret, or from two files."""
    if tls.credential_name:
        for name in _FILES:
            if name in given:
                findings.error((*path, name), "goes with no credentialName: the secret holds it")
    elif mode is ClientTLSMode.MUTUAL:
        for name in _CLIENT:
            if name not in given:
                findings.error((*path, name), "missing: MUTUAL shows a certificate, from files or by credentialName")
    else:
        for name in _CLIENT:
            if name in given:
                message = "changes nothing with SIMPLE, which shows no certificate: was MUTUAL meant?"
                findings.warning((*path, name), message)


def _check_verification(findings: Findings, path: Path, mode: ClientTLSMode, given: list[str]) -> None:
    """What is not verified has nothing to be verified by."""
    if "insecureSkipVerify" not in given:
        return
    unused = ["caCertificates", "subjectAltNames"]
    if mode is ClientTLSMode.SIMPLE:
        unused.append("credentialName")
    for name in unused:
        if name in given:
            findings.error((*path, name), "goes with no insecureSkipVerify, which verifies nothing")
