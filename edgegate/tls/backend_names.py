"""Whether a backend's certificate is for the name that it is asked by."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator

import service_identity
from cryptography import x509
from service_identity import hazmat

from edgegate.model.addresses import is_ip_address
from edgegate.tls.verification import alternative_names

_SHOWN = 5


def is_for(certificate: x509.Certificate, names: Collection[str]) -> bool:
    """
    Whether a certificate is for one of some names: DNS names and IP addresses, or URIs and e-mail addresses, which
    must be the same to the letter (C{ClientTLSSettings.subjectAltNames}).

    May raise any of L{edgegate.tls.verification.UNREADABLE}.
    """
    listed = alternative_names(certificate)
    exact = {
        *listed.get_values_for_type(x509.UniformResourceIdentifier),
        *listed.get_values_for_type(x509.RFC822Name),
        *(name.lower() for name in listed.get_values_for_type(x509.DNSName)),
    }
    patterns = tuple(_patterns(listed))
    return any(name in exact or name.lower() in exact or _identifies(patterns, name) for name in names)


def shown_names(certificate: x509.Certificate) -> str:
    """Return the names that a certificate is for, as the log may show them."""
    listed = alternative_names(certificate)
    names = [
        *listed.get_values_for_type(x509.DNSName),
        *(str(address) for address in listed.get_values_for_type(x509.IPAddress)),
        *listed.get_values_for_type(x509.UniformResourceIdentifier),
    ]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(ascii(name)[1:-1] for name in names[:_SHOWN]) + more or "no name"


def _identifies(patterns: tuple[hazmat.CertificatePattern, ...], name: str) -> bool:
    """Whether a name of the certificate, maybe a wildcard for one label, stands for this name (RFC 9525)."""
    try:
        wanted = hazmat.IPAddress_ID(name) if is_ip_address(name) else hazmat.DNS_ID(name)
        hazmat.verify_service_identity(patterns, [wanted], [])
    except (ValueError, service_identity.CertificateError, service_identity.VerificationError):
        return False
    return True


def _patterns(listed: x509.SubjectAlternativeName) -> Iterator[hazmat.CertificatePattern]:
    """Yield what service-identity makes of a certificate's names; of one that it can't take nothing."""
    for name in listed.get_values_for_type(x509.DNSName):
        try:
            yield hazmat.DNSPattern.from_bytes(name.encode("utf-8"))
        except (ValueError, service_identity.CertificateError):
            continue
    for address in listed.get_values_for_type(x509.IPAddress):
        # networks are for authorities' constraints only
        if isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address):
            yield hazmat.IPAddressPattern(address)
