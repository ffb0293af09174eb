"""
One conversation with an authority (RFC 8555), for threads: it waits for the network.

What is asked of the authority is C{acme}'s; here is what comes when, and what is made of errors.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from josepy.b64 import b64encode
from josepy.errors import Error as JOSEError
from josepy.jwk import JWK, JWKEC, JWKRSA
from requests.exceptions import RequestException

from edgegate.model.certificates import ACMEAuthority, CertificateIssuer, ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.acme.issuing import NotIssued, Window
from edgegate.tls.acme.keys import new_key, signing_request
from edgegate.tls.acme.network import Network
from edgegate.tls.acme.revocation import Unknown, is_revoked
from edgegate.tls.acme.solvers.preference import preferred, solvers
from edgegate.tls.acme.solvers.solver import Challenge, NotAnswered
from edgegate.tls.acme.store import Account, CertificateStore
from edgegate.tls.authority import key_pem
from edgegate.tls.contexts import check_presentable
from edgegate.tls.secrets import BadKeyMaterial, load_key_pair

PATIENCE = 120.0
"""Seconds for the validation of a host, and again for the certificate."""

_FIRST_POLL, _LONGEST_POLL = 0.25, 5.0

_NOT_UNDERSTOOD = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class Authority:
    """
    A conversation about one certificate.

    @ivar issuer: Who is asked.
    """

    def __init__(self, store: CertificateStore, issuer: CertificateIssuer) -> None:
        assert isinstance(issuer.authority, ACMEAuthority)
        self.issuer = issuer
        self._asked = issuer.authority
        self._store = store

    def issue(self, certificate: ManagedCertificate) -> KeyPair:
        """
        Have a certificate issued, with a key that is new.

        @raise NotIssued: It was not.
        @raise OSError: The store can't be written.
        """
        with self._conversation() as (network, acme):
            order = self._ordered(network, acme, certificate)
            with ExitStack() as answered:
                for authorization in order.authorizations:
                    self._prove(acme, network, authorization, certificate.host, answered)
                self._validated(acme, network, order)
            return self._finalized(acme, order, certificate)

    def window(self, pair: KeyPair) -> Window | None:
        """
        Ask when a certificate should be renewed; L{None}: the authority does not say such things.

        @raise NotIssued: It does not answer.
        @raise OSError: The store can't be written.
        """
        with self._conversation(account=False) as (network, acme):
            try:
                base = acme.directory["renewalInfo"]
            except KeyError:
                return None
            url = f"{str(base).rstrip('/')}/{renewal_name(load_key_pair(pair)[0][0])}"
            found = messages.RenewalInfo.from_json(network.get(url).json()).suggested_window
            return Window(found.start.timestamp(), found.end.timestamp(), network.retry_after)

    def is_revoked(self, pair: KeyPair) -> bool:
        """See L{Issuing<edgegate.tls.acme.issuing.Issuing>}."""
        try:
            return is_revoked(pair)
        except Unknown as error:
            raise NotIssued(_words(error)) from error

    def revoke(self, pair: KeyPair, reason: int) -> None:
        """
        See L{Issuing<edgegate.tls.acme.issuing.Issuing>}; RFC 8555 section 7.6: by the account, or by the certificate's
        own key where it was issued to another account, as when ours was lost.
        """
        leaf = load_key_pair(pair)[0][0]
        with self._conversation() as (network, acme):
            try:
                acme.revoke(leaf, reason)
            except messages.Error as error:
                if error.code == "alreadyRevoked":
                    return
                if error.code not in ("unauthorized", "accountDoesNotExist"):
                    raise
                network.sign_by(_jwk_of_certificate(pair))
                try:
                    acme.revoke(leaf, reason)
                except messages.Error as second:
                    if second.code != "alreadyRevoked":
                        raise

    # ------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _conversation(self, account: bool = True) -> Iterator[tuple[Network, client.ClientV2]]:
        network: Network | None = None
        try:
            with self._store.authorities() as trusted:
                known = self._store.account() or Account(key_pem(new_key_of_account()))
                network = Network(_jwk(known), trusted)
                try:
                    directory = client.ClientV2.get_directory(self._asked.server, network)
                    acme = client.ClientV2(directory, network)
                    if account:
                        self._log_in(acme, network)
                    yield network, acme
                finally:
                    network.session.close()
        except (errors.Error, messages.Error, RequestException, JOSEError, BadKeyMaterial, NotAnswered) as error:
            raise NotIssued(_words(error), 0.0 if network is None else network.retry_after) from error
        except _NOT_UNDERSTOOD as error:
            # what is no ACME: the library takes much of what it reads for granted
            raise NotIssued(f"the authority answers what is not understood ({_words(error)})") from error

    def _log_in(self, acme: client.ClientV2, network: Network) -> None:
        """Have the account used, which is made where there is none."""
        with self._store.account_lock():
            account = self._store.account()
            if account is None:
                account = Account(key_pem(new_key_of_account()))
                self._store.put_account(account)
            network.key = _jwk(account)
            if not account.url:
                account = Account(account.key, self._registered(acme, network.key))
                self._store.put_account(account)
        network.account = messages.RegistrationResource(uri=account.url, body=messages.Registration())

    def _registered(self, acme: client.ClientV2, key: JWK) -> str:
        external, binding = self._asked.external_account, None
        if external is not None:
            binding = messages.ExternalAccountBinding.from_data(
                key.public_key(), external.key_id, external.key, acme.directory, "HS256"
            )
        elif acme.external_account_required():
            raise NotIssued("the authority wants an externalAccountBinding")
        contact = (f"mailto:{self._asked.email}",) if self._asked.email else ()
        wanted = messages.NewRegistration(
            terms_of_service_agreed=True, external_account_binding=binding, **({"contact": contact} if contact else {})
        )
        try:
            return str(acme.new_account(wanted).uri)
        except errors.ConflictError as error:
            # the key is known there
            return str(error.location)

    def _ordered(
        self, network: Network, acme: client.ClientV2, certificate: ManagedCertificate
    ) -> messages.OrderResource:
        key = new_key(certificate.issuer.key_type)
        self._key = key_pem(key)
        request = signing_request(key, certificate.host)
        try:
            return acme.new_order(request)
        except messages.Error as error:
            if error.code != "accountDoesNotExist":
                raise
        account = self._store.account()
        if account is not None:
            with self._store.account_lock():
                self._store.put_account(Account(account.key))
        network.account = None
        self._log_in(acme, network)
        return acme.new_order(request)

    def _prove(
        self,
        acme: client.ClientV2,
        network: Network,
        authorization: messages.AuthorizationResource,
        host: str,
        answered: ExitStack,
    ) -> None:
        """Have the challenge answered that is preferred, as long as the stack is open, and the authority told."""
        if authorization.body.status != messages.STATUS_PENDING:
            return
        offered = {}
        for each in authorization.body.challenges:
            # as they came: the library does not know all kinds
            fields = each.chall.to_partial_json()
            offered[str(fields["type"])] = each, fields
        solver = preferred(solvers(self._store, self._asked), host, offered)
        body, fields = offered[solver.kind.value]
        token = str(fields["token"])
        assert network.key is not None
        authorized = f"{token}.{b64encode(network.key.thumbprint()).decode('ascii')}"
        answered.enter_context(network.meanwhile(solver.answered(Challenge(host, token, authorized))))
        # an empty object, whatever the kind (RFC 8555 section 7.5.1)
        acme.answer_challenge(body, challenges.KeyAuthorizationChallengeResponse(key_authorization=authorized))

    def _validated(self, acme: client.ClientV2, network: Network, order: messages.OrderResource) -> None:
        """Wait until the authority has seen that the hosts are ours."""
        end = time.monotonic() + PATIENCE
        for authorization in order.authorizations:
            delay = _FIRST_POLL
            current = authorization
            while current.body.status in (messages.STATUS_PENDING, messages.STATUS_PROCESSING):
                if time.monotonic() > end:
                    raise NotIssued(f"the authority has not asked for the challenge within {PATIENCE:.0f} s")
                time.sleep(min(max(delay, network.retry_after), _LONGEST_POLL))
                delay = min(delay * 2, _LONGEST_POLL)
                current, _ = acme.poll(current)
            if current.body.status != messages.STATUS_VALID:
                raise NotIssued(_refusal(current))

    def _finalized(
        self, acme: client.ClientV2, order: messages.OrderResource, certificate: ManagedCertificate
    ) -> KeyPair:
        wanted = self._asked.preferred_chain
        deadline = datetime.now() + timedelta(seconds=PATIENCE)
        try:
            done = acme.finalize_order(order, deadline, fetch_alternative_chains=bool(wanted))
        except errors.TimeoutError as error:
            raise NotIssued(f"the authority has not issued it within {PATIENCE:.0f} s") from error
        chains = [done.fullchain_pem, *(done.alternative_fullchains_pem or ())]
        pairs = [KeyPair(certificate.credential.name, each.encode("ascii"), self._key) for each in chains]
        chosen = next((pair for pair in pairs if wanted and ends_with(pair, wanted)), pairs[0])
        check_presentable(chosen)
        chain, _ = load_key_pair(chosen)
        names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if certificate.host not in [each.lower() for each in names.get_values_for_type(x509.DNSName)]:
            raise NotIssued("the authority has issued a certificate for another host")
        return chosen


def ends_with(pair: KeyPair, issuer: str) -> bool:
    """Whether the last certificate of a chain is issued by who has this common name."""
    last = load_key_pair(pair)[0][-1]
    return any(each.value == issuer for each in last.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME))


def renewal_name(leaf: x509.Certificate) -> str:
    """
    Return what a certificate is called where its renewal is asked about (RFC 9773 section 4.1).

    @raise ValueError: It does not say by which key it was signed.
    """
    try:
        authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        authority = None
    if authority is None:
        raise ValueError("the certificate has no authority key identifier")
    serial = leaf.serial_number
    # as in DER: a byte more where the first bit would be taken for a sign
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return ".".join(urlsafe_b64encode(each).decode("ascii").rstrip("=") for each in (authority, number))


def new_key_of_account() -> ec.EllipticCurvePrivateKey:
    """Make the key of an account."""
    return ec.generate_private_key(ec.SECP256R1())


def _jwk(account: Account) -> JWK:
    try:
        key = load_pem_private_key(account.key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        # it may be had from a backup: no other account is made in its place
        raise NotIssued("the key of the account in the storage, accounts/*.key, is none on P-256: restore or remove it")
    return JWKEC(key=key)


def _jwk_of_certificate(pair: KeyPair) -> JWK:
    key = load_pem_private_key(pair.key, None)
    return JWKRSA(key=key) if isinstance(key, rsa.RSAPrivateKey) else JWKEC(key=key)


def _refusal(authorization: messages.AuthorizationResource) -> str:
    """Say why an authority does not take a host for ours."""
    for each in authorization.body.challenges:
        if each.error is not None:
            return _words(each.error)
    return f"the authority holds the host for {authorization.body.status.name}"


def _words(error: BaseException) -> str:
    """Return what is wrong in one line that is not too long; authorities write what they like."""
    if isinstance(error, RequestException):
        # of pools, retries and objects within objects the last words are the reason
        cause = getattr(error.args[0], "reason", error) if error.args else error
        said = f"the authority can't be reached: {str(cause).rpartition(': ')[2] or type(error).__name__}"
    else:
        said = f"{error.typ}: {error.detail}" if isinstance(error, messages.Error) else str(error)
    text = said or type(error).__name__
    printable = "".join(each if each.isprintable() else " " for each in text)
    return printable if len(printable) <= 500 else f"{printable[:500]}..."
