"""What servers show of the certificates that the gateway has issued itself, when the files are read."""

from __future__ import annotations

from functools import partial

from twisted.logger import Logger, LogLevel

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.sources.file_reader import FileReader
from edgegate.tls.acme.care import kept
from edgegate.tls.acme.keys import placeholder
from edgegate.tls.acme.store import CertificateStore

log = Logger(namespace=__name__)


class CertificateProvider:
    """
    Returns what the store has, and where it has nothing a placeholder, which stays the same from one reading of the
    files to the next. Nothing is written.
    """

    def __init__(self) -> None:
        self._placeholders: dict[ManagedCertificate, KeyPair] = {}
        self._read = FileReader()

    def __call__(self, certificate: ManagedCertificate) -> KeyPair:
        """Return what to serve for now."""
        try:
            found = self._read(partial(kept, CertificateStore(certificate.issuer), certificate)).pair
        except OSError as error:
            words = "the certificate for {host} can't be read: {reason}"
            log.emit(LogLevel.warn, words, host=certificate.host, reason=str(error))
            found = None
        if found is not None:
            self._placeholders.pop(certificate, None)
            return found
        made = self._placeholders.get(certificate)
        if made is None:
            made = self._placeholders[certificate] = placeholder(certificate)
        return made

    def close(self) -> None:
        """End the thread that reads."""
        self._read.close()
