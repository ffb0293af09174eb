"""
What a client's certificate must satisfy, and what a backend is told about it.

OpenSSL verifies the chain; the checks that Istio puts on top of it
(C{subjectAltNames}, C{verifyCertificateSpki}, C{verifyCertificateHash}) run in its
callback, so that a client that fails them gets an alert instead of a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from urllib.parse import quote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

from edgegate.model.tls import ClientVerification
from edgegate.tls.secrets import load_certificates, load_revocations

MAX_DEPTH = 10
"""How many certificates may lie between a client's and its authority's."""

UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What reading a certificate may raise."""


def verify_clients(context: SSL.Context, verification: ClientVerification) -> None:
    """
    Make a context ask clients for a certificate and verify what comes.

    A certificate that does not verify ends the handshake, required or not.
    An intermediate authority may be trusted without its root, as in Envoy.

    @raise edgegate.tls.secrets.BadKeyMaterial: The authorities or the revocation lists are of no use.
    """
    for certificate in trust(context, verification.authorities, verification.revocations):
        context.add_client_ca(certificate)
    mode = SSL.VERIFY_PEER | (SSL.VERIFY_FAIL_IF_NO_PEER_CERT if verification.required else 0)
    context.set_verify(mode, _callback(verification))
    context.set_verify_depth(MAX_DEPTH)


def trust(context: SSL.Context, authorities: bytes | None, revocations: bytes) -> tuple[x509.Certificate, ...]:
    """
    Have a context trust authorities, but nothing that they revoked.

    @param authorities: Certificates as PEM; L{None}: none besides those that it trusts already.
    @param revocations: Revocation lists as PEM; empty: nothing is revoked. If there are any, each authority of a chain
        must have one.
    @return: The authorities.

    @raise edgegate.tls.secrets.BadKeyMaterial: They are of no use.
    """
    store = context.get_cert_store()
    if store is None:
        raise RuntimeError("OpenSSL made a context without a certificate store")
    certificates = () if authorities is None else load_certificates(authorities, "caCertificates")
    for certificate in certificates:
        store.add_cert(crypto.X509.from_cryptography(certificate))
    flags = crypto.X509StoreFlags.PARTIAL_CHAIN
    if revocations:
        for each in load_revocations(revocations, "caCrl"):
            store.add_crl(each)
        flags |= crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL
    store.set_flags(flags)
    return certificates


def reason_of_code(code: int, depth: int) -> str:
    """Return why OpenSSL refuses a certificate of a chain, in its words; the first one is at depth 0."""
    reason = _REASONS.get(code, f"error {code}")
    return reason if depth == 0 else f"{reason} (certificate {depth + 1} of its chain)"


def refusal(connection: SSL.Connection) -> str:
    """Return why a client's certificate was refused on this connection; empty if none was."""
    reason = connection.get_app_data()
    return reason if isinstance(reason, str) else ""


def objection(certificate: x509.Certificate, verification: ClientVerification) -> str:
    """Return why a certificate with a good chain does not satisfy the checks on top; empty if it does."""
    try:
        if verification.subject_alt_names and not _is_named(certificate, verification.subject_alt_names):
            return "none of its subject alternative names is allowed"
        if (verification.spki or verification.hashes) and not _is_pinned(certificate, verification):
            return "neither its public key nor its digest is allowed"
        forwarded_client_cert(certificate)  # what can't be told to a backend is refused while the client can be told
    except UNREADABLE:
        return "it can't be read"
    return ""


def forwarded_client_cert(certificate: x509.Certificate, server: x509.Certificate | None = None) -> bytes:
    """
    Return the value of C{x-forwarded-client-cert} for a verified client certificate.

    It is Envoy's C{SANITIZE_SET} with the details that Istio's gateways set:
    Hash, Cert, Subject, URI and DNS. Whatever the certificate holds, the value
    is printable ASCII in which no name can pass for another element.

    @param server: The certificate that the client was shown; its URI name, if it has one, is told as C{By}.

    @raise ValueError: The certificate's names can't be read; never for one that L{objection} let pass.
    """
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    names = alternative_names(certificate)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) or [""]
    by = alternative_names(server).get_values_for_type(x509.UniformResourceIdentifier)[:1] if server else []
    elements = [
        *(f"By={_element(uri)}" for uri in by),
        f"Hash={sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()}",
        f'Cert="{quote(pem, safe="")}"',
        f'Subject="{distinguished_name(certificate.subject)}"',
        *(f"URI={_element(uri)}" for uri in uris),
        *(f"DNS={_element(name)}" for name in names.get_values_for_type(x509.DNSName)),
    ]
    return ";".join(elements).encode("ascii")


def distinguished_name(name: x509.Name) -> str:
    """Return a name as RFC 2253 writes it, most specific part first, in printable ASCII (section 2.4, as OpenSSL)."""
    return ",".join("+".join(_attribute(each) for each in part) for part in reversed(name.rdns))


_KEYWORDS = {
    NameOID.COMMON_NAME: "CN",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C",
    NameOID.STREET_ADDRESS: "street",
    NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.USER_ID: "UID",
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.GIVEN_NAME: "GN",
    NameOID.SURNAME: "SN",
    NameOID.TITLE: "title",
}

_REASONS = {
    code: name.removeprefix("ERR_").replace("_", " ").lower()
    for name, code in vars(SSL.X509VerificationCodes).items()
    if name.startswith("ERR_")
}


def _callback(verification: ClientVerification) -> Callable[[SSL.Connection, crypto.X509, int, int, int], bool]:
    def verified(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, good: int) -> bool:
        if not good:
            connection.set_app_data(reason_of_code(error, depth))
            return False
        if depth:
            return True
        try:
            reason = objection(certificate.to_cryptography(), verification)
        except UNREADABLE:
            reason = "it can't be read"
        if reason:
            connection.set_app_data(reason)
        return not reason

    return verified


def _is_named(certificate: x509.Certificate, allowed: tuple[str, ...]) -> bool:
    names = alternative_names(certificate)
    exact = {
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.RFC822Name),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    }
    if not exact.isdisjoint(allowed):
        return True
    return any(_dns_match(name, each) for each in names.get_values_for_type(x509.DNSName) for name in allowed)


def _dns_match(allowed: str, name: str) -> bool:
    """Whether a DNS name of a certificate, maybe a wildcard for one label, stands for an allowed name (as in Envoy)."""
    allowed, name = allowed.lower(), name.lower()
    if name.startswith("*."):
        label, dot, rest = allowed.partition(".")
        return allowed == name or (bool(label and dot) and rest == name[2:])
    return allowed == name


def _is_pinned(certificate: x509.Certificate, verification: ClientVerification) -> bool:
    if verification.hashes and sha256(certificate.public_bytes(serialization.Encoding.DER)).digest() in (
        verification.hashes
    ):
        return True
    if not verification.spki:
        return False
    public = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(public).digest() in verification.spki


def alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    """Return the names that a certificate is for; empty where it says none. May raise any of L{UNREADABLE}."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _element(value: str) -> str:
    """Return a value as it may stand in the list: what no URI or name should hold encoded, in quotes if need be."""
    plain = quote(value, safe="!#$%&'()*+,-./:;<=>?@[]^_`{|}~")
    return f'"{plain}"' if any(delimiter in plain for delimiter in ",;=") else plain


def _attribute(attribute: x509.NameAttribute[str | bytes]) -> str:
    keyword = _KEYWORDS.get(attribute.oid, attribute.oid.dotted_string)
    value = attribute.value
    if isinstance(value, bytes):
        return f"{keyword}=#{value.hex()}"
    return f"{keyword}={''.join(_escaped(value))}"


def _escaped(value: str) -> Iterator[str]:
    last = len(value) - 1
    for at, character in enumerate(value):
        if character in ',+"<>;' or (character == " " and at in (0, last)) or (character == "#" and at == 0):
            yield "\\" + character
        elif " " <= character <= "~" and character != "\\":
            yield character
        else:
            # the backslash too, so that none ever stands right before a closing quote
            yield from (f"\\{byte:02X}" for byte in character.encode("utf-8"))
