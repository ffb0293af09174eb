"""
Which of a server's certificates are shown to a client, by the name that it asks for.

OpenSSL shows one certificate of each kind of key, whatever the name. So where a
server has several of one kind, it has a context for each choice among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cryptography import x509

from edgegate.model.tls import KeyPair
from edgegate.tls.secrets import ResolvedTLS, load_certificates, load_key_pair


@dataclass(frozen=True, slots=True)
class Choice:
    """
    The settings of one server by SNI name.

    @ivar usual: For names that no certificate bears.
    @ivar named: By the names of the certificates, wildcards included. Empty where all certificates are always offered.
    """

    usual: ResolvedTLS
    named: Mapping[str, ResolvedTLS]

    def all(self) -> Iterator[ResolvedTLS]:
        """Yield each once."""
        yield from dict.fromkeys((self.usual, *self.named.values()))


def choice(tls: ResolvedTLS) -> Choice:
    """
    Return what a server shows to whom, as Envoy chooses: of the certificates that bear the name, else of those with a
    wildcard for it, else of all, the first of each kind of key.

    @raise edgegate.tls.secrets.BadKeyMaterial: A certificate or key can't be served.
    """
    if len(tls.certificates) <= 1:
        # whoever makes the context reads them: a reload may have thousands, and mostly keeps their contexts
        return Choice(tls, {})
    kinds = [type(load_key_pair(pair)[1]) for pair in tls.certificates]
    if len(set(kinds)) == len(kinds) and len({frozenset(names_of(pair)) for pair in tls.certificates}) == 1:
        # any of them is right for each name: the client's kinds decide
        return Choice(tls, {})

    def first_of_each(numbers: list[int]) -> ResolvedTLS:
        found: dict[type, KeyPair] = {}
        for number in numbers:
            found.setdefault(kinds[number], tls.certificates[number])
        return replace(tls, certificates=tuple(found.values()))

    by_name: dict[str, list[int]] = {}
    for number, pair in enumerate(tls.certificates):
        for name in names_of(pair):
            by_name.setdefault(name, []).append(number)
    named = {name: first_of_each(numbers) for name, numbers in by_name.items()}
    return Choice(first_of_each(list(range(len(kinds)))), named)


def names_of(pair: KeyPair) -> Iterator[str]:
    """Yield the names that a certificate is for: DNS names, wildcards included, and IP addresses."""
    certificate = load_certificates(pair.chain, pair.name)[0]
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return
    for name in found.get_values_for_type(x509.DNSName):
        yield name.lower()
    for address in found.get_values_for_type(x509.IPAddress):
        yield f"[{address}]" if ":" in str(address) else str(address)
