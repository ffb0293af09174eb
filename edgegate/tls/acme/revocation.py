"""
Whether a certificate is on the list of those that its authority has revoked (RFC 5280 section 5), for threads.

This is for authorities that suggest no renewal windows: those that do say by the window that one is to be replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from acme.errors import Error
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from requests.exceptions import RequestException

from edgegate.model.tls import KeyPair
from edgegate.tls.acme.network import fetch
from edgegate.tls.secrets import load_key_pair

BIGGEST_LIST = 8 << 20
"""Bytes of a list; those of large authorities have some hundred thousand."""

MOST_LISTS = 2
"""Lists that are fetched for one certificate."""

_SEQUENCE = b"\x30"
_NO_LIST = "what is in the place of the list of revoked certificates is none"

Fetch = Callable[[str, int], bytes]


class Unknown(Exception):
    """It can't be said whether a certificate is revoked."""


def is_revoked(pair: KeyPair, fetch: Fetch = fetch) -> bool:
    """
    Return whether a list that a certificate names says that it is revoked.

    @param fetch: Returns what is at a URL, of so many bytes at most.
    @return: L{False} also where it names no list by http, or comes without who has signed it.
    @raise Unknown: A list can't be had, or is not of the certificate's issuer.
    """
    chain, _ = load_key_pair(pair)
    if len(chain) < 2:
        return False
    leaf, issuer = chain[:2]
    return any(is_listed(leaf, issuer, _fetched(url, fetch)) for url in islice(list_urls(leaf), MOST_LISTS))


def list_urls(leaf: x509.Certificate) -> Iterator[str]:
    """Return where the lists are: of each one that the issuer itself signs the first URL by http."""
    try:
        points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return
    for point in points:
        if not point.crl_issuer:
            names = [each.value for each in point.full_name or () if isinstance(each, x509.UniformResourceIdentifier)]
            yield from [each for each in names if each.startswith("http://")][:1]


def is_listed(leaf: x509.Certificate, issuer: x509.Certificate, content: bytes) -> bool:
    """
    Return whether a certificate is on a list.

    Taking one apart and seeing who has signed it keeps the interpreter from all else for half a second where it is
    large; so that is done only where the certificate's number is in it. A list that lacks it tells nothing, whoever has
    made it.

    @param content: The list as DER.
    @raise Unknown: It is none, or not signed by the issuer. How old it is does not matter: what was revoked stays so.
    """
    if not content.startswith(_SEQUENCE):
        raise Unknown(_NO_LIST)
    if _integer(leaf.serial_number) not in content:
        return False
    try:
        found = x509.load_der_x509_crl(content)
        sound = found.issuer == leaf.issuer and found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        if not sound:
            raise Unknown("the list of revoked certificates is not signed by who has issued it")
        return found.get_revoked_certificate_by_serial_number(leaf.serial_number) is not None
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise Unknown(_NO_LIST) from error


def _integer(number: int) -> bytes:
    """Return a serial number, of 20 bytes at most (RFC 5280 section 4.1.2.2), as it stands in DER."""
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((2, len(content))) + content


def _fetched(url: str, fetch: Fetch) -> bytes:
    try:
        return fetch(url, BIGGEST_LIST)
    except (Error, RequestException, ValueError, OSError) as error:
        raise Unknown(f"the list of revoked certificates can't be had from {url[:200]}: {error}"[:500]) from error
