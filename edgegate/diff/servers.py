"""How two sides take the connections of a port: in the clear and by TLS, and on what terms."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from edgegate.diff.fields import FieldChange, changes
from edgegate.diff.policies import between_chains
from edgegate.diff.sides import Side
from edgegate.diff.wording import words
from edgegate.explain.decision import Refusal, chain_of
from edgegate.explain.question import Question
from edgegate.model.tls import KeyPair, ServerTLS
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.secrets import BadKeyMaterial, load_certificates

Treatment = FilterChain | Refusal
"""The chain of a connection, or why there is none."""


def treatment(listener: Listener | None, question: Question) -> Treatment:
    """Return what takes a connection."""
    return Refusal.NO_LISTENER if listener is None else chain_of(listener, question)


def kind(taken: Treatment) -> str:
    """Return what is done with a connection, in words."""
    if isinstance(taken, Refusal):
        return f"closed: {taken.value}"
    if taken.http is not None:
        return "HTTPS" if taken.tls is not None else "HTTP"
    return "TLS ends here, bytes are relayed" if taken.tls is not None else "bytes are relayed"


def terms(old: FilterChain, new: FilterChain, old_side: Side, new_side: Side) -> Iterator[FieldChange]:
    """Yield how two chains of one kind differ in what they ask of clients and show to them."""
    if old.grpc_web != new.grpc_web:
        yield from changes(old.grpc_web, new.grpc_web, "gRPC-Web")
    yield from between_chains(old, new)
    if old.tls is None or new.tls is None:
        return
    yield from changes(old.tls.rules, new.tls.rules)
    if old.tls.alpn != new.tls.alpn:
        yield FieldChange("ALPN", _protocols(old.tls), _protocols(new.tls))
    if old.tls.on_demand != new.tls.on_demand:
        yield FieldChange("certificates on demand", old.tls.on_demand or "none", new.tls.on_demand or "none")
    before, after = _pairs(old.tls, old_side), _pairs(new.tls, new_side)
    if len(before) != len(after) or not all(map(_same, before, after)):
        yield FieldChange("certificate", _certificates(before), _certificates(after))


def _protocols(tls: ServerTLS) -> str:
    return ", ".join(each.decode("latin-1") for each in tls.alpn) or "none"


def _pairs(tls: ServerTLS, side: Side) -> list[KeyPair]:
    return [side.secrets.pair(each) for each in tls.credentials]


def _same(before: KeyPair, after: KeyPair) -> bool:
    """
    Whether two are one for clients. Placeholders are made anew each time that files are read; what takes their place is
    issued by the same issuer for the same host.
    """
    if before.placeholder or after.placeholder:
        return before.name == after.name
    return (before.chain, before.key) == (after.chain, after.key)


def _certificates(pairs: list[KeyPair]) -> str:
    return "; ".join(map(described, pairs)) or "none"


def described(pair: KeyPair) -> str:
    """Return which certificate it is, in words."""
    try:
        certificate = load_certificates(pair.chain, pair.name)[0]
    except BadKeyMaterial:
        return f"{pair.name} ({words(pair.chain, 'authorities')})"
    subject, ends = certificate.subject.rfc4514_string(), certificate.not_valid_after_utc
    return f"{_names(certificate) or subject} (serial {certificate.serial_number:x}, ends {ends:%Y-%m-%d %H:%M})"


def _names(certificate: x509.Certificate) -> str:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    return ", ".join(found.get_values_for_type(x509.DNSName))
