"""The names of cipher suites that C{cipherSuites} knows: those of TLS 1.2 and below, as OpenSSL or IANA spell them."""

from __future__ import annotations

from collections.abc import Sequence

from edgegate.config.document import Path
from edgegate.config.values import show, suggestion
from edgegate.istio.validation.findings import Findings

SUITES = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-SHA": "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "ECDHE-RSA-AES128-SHA": "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "ECDHE-ECDSA-AES256-SHA": "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "ECDHE-RSA-AES256-SHA": "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "AES128-GCM-SHA256": "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "AES256-GCM-SHA384": "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "AES128-SHA": "TLS_RSA_WITH_AES_128_CBC_SHA",
    "AES256-SHA": "TLS_RSA_WITH_AES_256_CBC_SHA",
    "DES-CBC3-SHA": "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
}
"""OpenSSL's names with IANA's."""

TLS13_SUITES = frozenset({"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"})

_OPENSSL = {iana: openssl for openssl, iana in SUITES.items()}


def check_ciphers(findings: Findings, path: Path, names: Sequence[str]) -> None:
    """Unknown suites, and those that come twice, are passed over with a warning."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        suite = _OPENSSL.get(name, name)
        if name in TLS13_SUITES:
            findings.warning((*path, index), f"{show(name)} changes nothing: the suites of TLS 1.3 are always offered")
        elif suite not in SUITES:
            hint = suggestion(name, [*SUITES, *_OPENSSL])
            findings.warning((*path, index), f"unknown cipher suite {show(name)}{hint}")
        elif suite in seen:
            findings.warning((*path, index), f"{show(name)} comes twice")
        seen.add(suite)
