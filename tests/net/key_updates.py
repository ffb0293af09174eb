"""A client of TLS 1.3 that sends key updates (RFC 8446 section 4.6.3), of which no library sends as many."""

from __future__ import annotations

import contextlib
import socket

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from OpenSSL import SSL

from tests.net.pairs import until

_HANDSHAKE = 22
_APPLICATION_DATA = 23
_KEY_UPDATE = 24


def _derived(secret: bytes, label: bytes, size: int) -> bytes:
    """Expand a secret (RFC 8446 section 7.1)."""
    name = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes((len(name),)) + name + b"\0"
    return HKDFExpand(hashes.SHA256(), size, info).derive(secret)


class Updating:
    """
    A client whose handshake OpenSSL makes, and whose records are made here afterwards, with the keys of that.

    What it is sent OpenSSL reads.
    """

    def __init__(self, sock: socket.socket) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_tls13_ciphersuites(b"TLS_AES_128_GCM_SHA256")
        context.set_keylog_callback(lambda _, line: self._keys.append(line))
        self._keys: list[bytes] = []
        self._socket = sock
        self._number = 0
        self.connection = SSL.Connection(context, sock)
        self.connection.set_tlsext_host_name(b"a.example")
        self.connection.set_connect_state()

    async def shake(self) -> None:
        """Shake hands."""
        await until(self._shaken)
        [line] = [line for line in self._keys if line.startswith(b"CLIENT_TRAFFIC_SECRET_0 ")]
        self._secret = bytes.fromhex(line.split()[2].decode())

    def _shaken(self) -> bool:
        with contextlib.suppress(SSL.WantReadError):
            self.connection.do_handshake()
            return True
        return False

    def _record(self, kind: int, content: bytes) -> bytes:
        nonce = int.from_bytes(_derived(self._secret, b"iv", 12), "big") ^ self._number
        self._number += 1
        head = bytes((_APPLICATION_DATA, 3, 3)) + (len(content) + 17).to_bytes(2, "big")
        key = AESGCM(_derived(self._secret, b"key", 16))
        return head + key.encrypt(nonce.to_bytes(12, "big"), content + bytes((kind,)), head)

    def data(self, content: bytes) -> bytes:
        """Return a record of data."""
        return self._record(_APPLICATION_DATA, content)

    def update(self, ask: bool = True) -> bytes:
        """
        Return a record that updates our keys; what comes later is encrypted with the new ones.

        @param ask: Whether the other side is asked to update its own.
        """
        found = self._record(_HANDSHAKE, bytes((_KEY_UPDATE, 0, 0, 1, ask)))
        self._secret = _derived(self._secret, b"traffic upd", 32)
        self._number = 0
        return found

    def half_update(self) -> tuple[bytes, bytes]:
        """Return an update in two records."""
        found = self._record(_HANDSHAKE, bytes((_KEY_UPDATE, 0))), self._record(_HANDSHAKE, bytes((0, 1, 0)))
        self._secret = _derived(self._secret, b"traffic upd", 32)
        self._number = 0
        return found

    def read(self) -> bytes:
        """Return what there is to read, following the server's key updates."""
        data = b""
        with contextlib.suppress(SSL.WantReadError, SSL.ZeroReturnError):
            while True:
                data += self.connection.recv(1 << 20)
        return data
