"""
An authority of the gateway's own, which signs in this process. For threads.

Its root is in the store, where it is made once, whoever comes first: clients are told to trust it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from twisted.logger import Logger, LogLevel

from edgegate.model.certificates import LocalAuthority, ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.acme.issuing import NotIssued, Window
from edgegate.tls.acme.keys import new_key
from edgegate.tls.acme.store import CertificateStore
from edgegate.tls.authority import CLOCK_SKEW, Authority, Issued
from edgegate.tls.secrets import BadKeyMaterial, load_key_pair

log = Logger(namespace=__name__)


class LocalIssuing:
    """Signs certificates."""

    def __init__(
        self, store: CertificateStore, authority: LocalAuthority, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._authority = authority
        self._clock = clock

    def issue(self, certificate: ManagedCertificate) -> KeyPair:
        """
        Sign a certificate, with a key that is new.

        @raise NotIssued: What the store has for a root can't sign.
        @raise OSError: The store can't be read or written.
        """
        now = datetime.fromtimestamp(self._clock(), timezone.utc)
        validity = timedelta(seconds=self._authority.validity)
        root = self._root(now, validity)
        key = new_key(certificate.issuer.key_type)
        issued = root.server([certificate.host.strip("[]")], now, validity + CLOCK_SKEW, key)
        return KeyPair(certificate.credential.name, issued.chain_pem, issued.key_pem)

    def window(self, pair: KeyPair) -> Window | None:
        """Suggest no time for a renewal: two thirds of its life are right."""
        return None

    def is_revoked(self, pair: KeyPair) -> bool:
        """Say that it is not: nothing by it can be."""
        return False

    def revoke(self, pair: KeyPair, reason: int) -> None:
        """
        Refuse it: no client would learn of it.

        @raise NotIssued: Always.
        """
        raise NotIssued(
            "an authority of the gateway's own tells nobody what it has revoked; it can be renewed by --force"
        )

    def _root(self, now: datetime, validity: timedelta) -> Authority:
        """Return the root, which is made where there is none, or where it ends before what it is to sign."""
        with self._store.root_lock():
            kept = self._store.root()
            found = None if kept is None else _authority_of(kept)
            if found is not None and found.own.certificate.not_valid_after_utc >= now + validity:
                return found
            made = Authority.new(self._authority.name, now, path_length=0)
            self._store.put_root(made.own.key_pem, made.own.chain_pem)
        if found is None:
            log.info("the root of {name} is made, in {place}", name=self._authority.name, place=self._store.root_name)
        else:
            words = "the root of {name} ends at {end}: a new one is made, in {place}, which clients have to trust"
            end = found.own.certificate.not_valid_after_utc
            log.emit(
                LogLevel.warn,
                words,
                name=self._authority.name,
                place=self._store.root_name,
                end=f"{end:%Y-%m-%d %H:%M} UTC",
            )
        return made


def _authority_of(kept: KeyPair) -> Authority:
    """
    Return the authority whose certificate and key these are.

    @raise NotIssued: They are no authority's.
    """
    try:
        chain, key = load_key_pair(kept)
    except BadKeyMaterial as error:
        raise NotIssued(f"its root can't be used: {error}") from error
    if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)) or not _may_sign(chain[0]):
        raise NotIssued(f"its root can't be used: {kept.name} is no authority's")
    return Authority(Issued(chain[0], key, ()))


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, ValueError):
        return False
