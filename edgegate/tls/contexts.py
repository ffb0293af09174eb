"""
OpenSSL contexts, one for each server.

The context is chosen from the ClientHello, before the connection object exists,
so all that distinguishes a server lies in it: certificates, versions, ciphers,
whether a client must show a certificate, and the keys of the session tickets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from edgegate.model.tls import KeyPair, TLSRules, TLSVersion
from edgegate.tls.secrets import BadKeyMaterial, ResolvedTLS, load_key_pair
from edgegate.tls.verification import verify_clients

# Forward secrecy and authenticated encryption only; the cheaper of equally good ones first.
DEFAULT_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
# What TLS 1.0 and 1.1 know, for servers that ask for these versions.
OLD_CIPHERS = (
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-SHA",
    "AES256-SHA",
)
TLS13_CIPHERS = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")

MODE_NO_AUTO_CHAIN = 0x8  # SSL_MODE_NO_AUTO_CHAIN of openssl/ssl.h, which pyOpenSSL does not name
MODE_ENABLE_PARTIAL_WRITE = 0x1  # SSL_MODE_ENABLE_PARTIAL_WRITE, which pyOpenSSL sets by itself
_OP_PRIORITIZE_CHACHA = 1 << 21  # SSL_OP_PRIORITIZE_CHACHA: for clients that put it first, having no AES in hardware
_IANA = re.compile(r"TLS_(?:(ECDHE_ECDSA|ECDHE_RSA|RSA)_WITH)_(\w+)")
_CIPHER = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)*")


class NothingInCommon(SSL.Error):
    """A client offers protocols by ALPN, none of which the server speaks."""


def server_context(tls: ResolvedTLS, identity: str = "") -> SSL.Context:
    """
    Make the context of one server.

    A session that began on one context is never taken up on another: ticket
    keys are each context's own, and the session id context is a digest of
    C{identity} and everything that C{tls} says.

    @param identity: Tells servers apart that are alike in all the rest.

    @raise BadKeyMaterial: A certificate, key, authority, revocation list, list of ciphers or version is of no use.
    """
    context = unassigned_context(tls)
    assign(context, tls, identity)
    return context


def unassigned_context(tls: ResolvedTLS) -> SSL.Context:
    """
    Make a context that is no server's yet: L{assign} must come before its first connection.

    @raise BadKeyMaterial: See L{server_context}.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_options(
        SSL.OP_NO_SSLv3
        | SSL.OP_NO_COMPRESSION
        | SSL.OP_NO_RENEGOTIATION
        | SSL.OP_CIPHER_SERVER_PREFERENCE
        | _OP_PRIORITIZE_CHACHA
    )
    # An idle connection gives its buffers back. A chain is what the file says, never filled up from client CAs.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS | MODE_NO_AUTO_CHAIN)
    # One call writes all the records of what it is given, not one of them.
    context.clear_mode(MODE_ENABLE_PARTIAL_WRITE)
    # Tickets need no memory here, a cache does, and would keep client certificates in it.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    _use_versions(context, tls.rules)
    _use_ciphers(context, tls.rules)
    use_certificates(context, tls.certificates)
    if tls.rules.verification is not None:
        verify_clients(context, tls.rules.verification)
    return context


def check_presentable(pair: KeyPair) -> None:
    """
    See whether OpenSSL presents a key pair: by its settings it may refuse what can be read.

    @raise BadKeyMaterial: It does not.
    """
    use_certificates(SSL.Context(SSL.TLS_SERVER_METHOD), (pair,))


def assign(context: SSL.Context, tls: ResolvedTLS, identity: str) -> None:
    """
    Make a context that of one server. Once.

    What leaves a cycle of pyOpenSSL's behind is done here, so that contexts that are never served leave none.
    """
    context.set_session_id(_digest(tls, identity))
    if tls.alpn:
        # The server's preference decides; who speaks HTTP/1.1 speaks 1.0 too.
        older = (b"http/1.0",) if b"http/1.1" in tls.alpn else ()
        context.set_alpn_select_callback(_choosing(tls.alpn + older))


def _choosing(served: tuple[bytes, ...]) -> Callable[[SSL.Connection, list[bytes]], bytes]:
    """
    Return pyOpenSSL's callback for ALPN. It stays with a cycle of pyOpenSSL's, and so knows as little as can be.

    A client all of whose protocols are unknown is refused with C{no_application_protocol} (RFC 7301 section 3.2),
    which OpenSSL sends when this raises; one that offers none is not asked.
    """

    def choose(_: SSL.Connection, wanted: list[bytes]) -> bytes:
        for each in served:
            if each in wanted:
                return each
        raise NothingInCommon([("SSL routines", "", "no application protocol in common")])

    return choose


def openssl_cipher(name: str) -> str:
    """Return OpenSSL's name of a TLS 1.2 cipher suite that is given by it or by IANA's."""
    match = _IANA.fullmatch(name)
    if match is None:
        return name
    exchange, cipher = match.groups()
    cipher = re.sub(r"AES_(\d+)", r"AES\1", cipher).replace("_CBC_", "_").replace("3DES_EDE", "DES_CBC3")
    if cipher == "CHACHA20_POLY1305_SHA256":
        cipher = "CHACHA20_POLY1305"
    return (cipher if exchange == "RSA" else f"{exchange}_{cipher}").replace("_", "-")


def _use_versions(context: SSL.Context, rules: TLSRules) -> None:
    try:
        context.set_min_proto_version(rules.minimum.value)
        context.set_max_proto_version(rules.maximum.value)
    except SSL.Error:
        raise BadKeyMaterial(
            "minProtocolVersion", f"this OpenSSL speaks no version from {rules.minimum.name} to {rules.maximum.name}"
        ) from None


def _use_ciphers(context: SSL.Context, rules: TLSRules) -> None:
    old = rules.minimum.value < TLSVersion.TLSV1_2.value
    context.set_tls13_ciphersuites(":".join(TLS13_CIPHERS).encode("ascii"))
    if rules.minimum is TLSVersion.TLSV1_3:
        return
    names = [openssl_cipher(name) for name in rules.ciphers] or [*DEFAULT_CIPHERS, *(OLD_CIPHERS if old else ())]
    # Only plain names: what else a cipher string may say (groups, security levels) is not the file's to say.
    listed = [name for name in names if _CIPHER.fullmatch(name)]
    # TLS below 1.2 signs with SHA-1, which OpenSSL 3 does only at security level 0.
    level = ["@SECLEVEL=0"] if old else []
    try:
        context.set_cipher_list(":".join([*listed, *level]).encode("ascii"))
    except SSL.Error:
        listed = []
    if not listed:
        raise BadKeyMaterial("cipherSuites", f"OpenSSL knows none of {', '.join(rules.ciphers)} for TLS 1.2")


def use_certificates(context: SSL.Context, pairs: Sequence[KeyPair]) -> None:
    """
    Give a context the certificates that it shows.

    @raise BadKeyMaterial: One is of no use, or two are of one kind.
    """
    loaded = [load_key_pair(pair) for pair in pairs]
    kinds = {type(key) for _, key in loaded}
    if len(kinds) < len(loaded):
        raise BadKeyMaterial(pairs[-1].name, "two certificates of one server must be one RSA and one ECDSA")
    issuers = {chain[1:] for chain, _ in loaded}
    for pair, (chain, key) in zip(pairs, loaded, strict=True):
        try:
            if len(issuers) == 1:
                context.use_certificate(chain[0])
            else:
                _use_chain(context, chain)
            context.use_privatekey(key)
        except SSL.Error:
            raise BadKeyMaterial(
                pair.name, "OpenSSL refuses the certificate: its key or signature is too weak"
            ) from None
    if len(issuers) == 1:
        for certificate in issuers.pop():
            context.add_extra_chain_cert(certificate)


def _use_chain(context: SSL.Context, chain: Iterable[x509.Certificate]) -> None:
    """Give one of two certificates issuers of its own, which pyOpenSSL does only by way of a file."""
    with NamedTemporaryFile(suffix=".pem") as file:
        file.write(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain))
        file.flush()
        context.use_certificate_chain_file(file.name)


def _digest(tls: ResolvedTLS, identity: str) -> bytes:
    """Return 32 bytes that are the same after a reload, and differ for servers that differ in anything."""
    chains = tuple(sha256(pair.chain).hexdigest() for pair in tls.certificates)
    return sha256(repr((identity, tls, chains)).encode("utf-8")).digest()
