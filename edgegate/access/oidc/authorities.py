"""Certificates that a provider's own may be from."""

from __future__ import annotations

from cryptography import x509


def authorities_fault(pem: bytes) -> str:
    """Say what is wrong with certificates in a file; empty: nothing."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except (ValueError, TypeError):
        return "a certificate can't be read" if b"-----BEGIN CERTIFICATE-----" in pem else "no certificate found"
    return "" if found else "no certificate found"
