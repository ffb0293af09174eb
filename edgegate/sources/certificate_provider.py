"""What servers show of the certificates that the gateway has issued itself, when the files are read."""

from __future__ import annotations

from functools import partial

from twisted.logger import Logger, LogLevel

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.tls import Credential, KeyPair
from edgegate.sources.file_reader import FileReader
from edgegate.tls.acme.care import kept
from edgegate.tls.acme.keys import placeholder
from edgegate.tls.acme.store import CertificateStore

log = Logger(namespace=__name__)


class CertificateProvider:
    """
    Returns what the store has. Where it has nothing, or is away, what it had when it was read last, as that may be
    served; else a placeholder, which stays the same from one reading of the files to the next. Nothing is written.

    @ivar unread: Why a store could not be read, for certificates that it did not have when the files were read before,
        and may have by now.
    """

    def __init__(self) -> None:
        self._known: dict[Credential, KeyPair] = {}
        self._placeholders: dict[ManagedCertificate, KeyPair] = {}
        self._told: set[str] = set()
        self.unread: dict[ManagedCertificate, str] = {}
        self._read = FileReader()

    def begin(self) -> None:
        """The files are read anew."""
        self.unread = {}

    def __call__(self, certificate: ManagedCertificate) -> KeyPair:
        """Return what to serve for now."""
        try:
            found = self._read(partial(kept, CertificateStore(certificate.issuer), certificate)).pair
        except OSError as error:
            self._tell(certificate, str(error))
            if certificate in self._placeholders:
                self.unread[certificate] = str(error)
            found = None
        else:
            self._told.clear()
        if found is not None:
            self._placeholders.pop(certificate, None)
            self._known[certificate.credential] = found
            return found
        known = self._known.get(certificate.credential)
        if known is not None:
            return known
        made = self._placeholders.get(certificate)
        if made is None:
            made = self._placeholders[certificate] = placeholder(certificate)
        return made

    def _tell(self, certificate: ManagedCertificate, why: str) -> None:
        """Log why a certificate can't be read; once, where it is so for many."""
        if why not in self._told:
            self._told.add(why)
            words = "the certificate for {host} can't be read: {reason}"
            log.emit(LogLevel.warn, words, host=certificate.host, reason=why)

    def close(self) -> None:
        """End the thread that reads."""
        self._read.close()
