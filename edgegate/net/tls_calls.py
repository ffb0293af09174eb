# Hot path: every byte inside TLS passes here.
"""
The handshake, reading and writing inside TLS: three functions of OpenSSL, called as directly as Python can.

pyOpenSSL's methods look for trouble around each call that only a call which
failed can have had: they take four times as long as the function itself. So
its own bindings are called here, and its own search for the trouble after a
failure. Where a pyOpenSSL has none of these names any more, its methods are
used.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from OpenSSL import SSL

RECORD: Final = 16384
"""Bytes that one read can return: OpenSSL reads a record at a time (RFC 8446 section 5.1)."""

_lib: Final[Any] = getattr(SSL, "_lib", None)
_ffi: Final[Any] = getattr(SSL, "_ffi", None)
_shake_hands: Final[Any] = getattr(_lib, "SSL_do_handshake", None)
_get_error: Final[Any] = getattr(_lib, "SSL_get_error", None)
_wants_read: Final[Any] = getattr(_lib, "SSL_ERROR_WANT_READ", None)
_read: Final[Any] = getattr(_lib, "SSL_read", None)
_write: Final[Any] = getattr(_lib, "SSL_write", None)
_buffer: Final[Any] = getattr(_ffi, "buffer", None)
_from_buffer: Final[Any] = getattr(_ffi, "from_buffer", None)
_record: Final[Any] = None if _ffi is None else _ffi.new("char[]", RECORD)

DIRECT: Final = None not in (_shake_hands, _get_error, _wants_read, _read, _write, _record) and hasattr(
    SSL.Connection, "_raise_ssl_error"
)
"""Whether pyOpenSSL has what is called here."""


_AUTO_RETRY: Final = 0x4  # SSL_MODE_AUTO_RETRY of openssl/ssl.h
_clear_mode: Final[Any] = getattr(_lib, "SSL_clear_mode", None)
_set_info_callback: Final[Any] = getattr(_lib, "SSL_set_info_callback", None)
_make_callback: Final[Any] = getattr(_ffi, "callback", None)
_busy: Final[list[Any]] = [None]
"""Which connection has last dealt with something else than data."""


def _deals(ssl: Any, where: int, value: int) -> None:
    _busy[0] = ssl


_TELLS: Final = DIRECT and None not in (_clear_mode, _set_info_callback, _make_callback)
_dealing: Final[Any] = _make_callback("void (*)(const SSL *, int, int)", _deals) if _TELLS else None


def handle(connection: SSL.Connection) -> Any:
    """Return what the functions below are to be called with."""
    return getattr(connection, "_ssl", None) if DIRECT else None


class Handshake(IntEnum):
    """How far a handshake is."""

    DONE = 0
    WANTS_READ = 1
    WANTS_WRITE = 2


def shake_hands(connection: SSL.Connection, ssl: Any) -> Handshake:
    """
    Go on with the handshake as far as it goes.

    @param ssl: The connection's L{handle}.
    @raise SSL.Error: As C{Connection.do_handshake} does, but for what it wants.
    """
    try:
        if ssl is None:
            connection.do_handshake()
            return Handshake.DONE
        result: int = _shake_hands(ssl)
        if result == 1:
            return Handshake.DONE
        if _get_error(ssl, result) == _wants_read:
            return Handshake.WANTS_READ
        connection._raise_ssl_error(ssl, result)
    except SSL.WantReadError:
        return Handshake.WANTS_READ
    except SSL.WantWriteError:
        return Handshake.WANTS_WRITE
    raise SSL.Error("the handshake failed for no reason")


def tell_messages(ssl: Any) -> None:
    """
    Have L{message_came} tell of messages of TLS itself from now on, after the handshake: key updates, tickets, alerts.

    A read ends with each of them then, as if there were nothing to read. Else OpenSSL goes on to the next for as long
    as any come, and whoever sends key updates faster than they are followed is never done with.

    @param ssl: The connection's L{handle}.
    """
    if _TELLS and ssl is not None:
        _clear_mode(ssl, _AUTO_RETRY)
        _set_info_callback(ssl, _dealing)


def message_came(ssl: Any) -> bool:
    """
    Whether the last read, which brought no data, dealt with a message of TLS itself; asked once for each.

    @param ssl: The connection's L{handle}.
    """
    if ssl is None or _busy[0] != ssl:
        return False
    _busy[0] = None
    return True


def receive(connection: SSL.Connection, ssl: Any) -> bytes:
    """
    Read what is left of a record, or the next.

    @param ssl: The connection's L{handle}.
    @raise SSL.Error: As C{Connection.recv} does.
    """
    if ssl is None:
        return connection.recv(RECORD)
    count: int = _read(ssl, _record, RECORD)
    if count <= 0:
        connection._raise_ssl_error(ssl, count)
    data: bytes = _buffer(_record, count)[:]
    return data


def receive_into(connection: SSL.Connection, ssl: Any, buffer: memoryview) -> int:
    """
    Read what is left of a record, or the next, into a buffer; return how many bytes that is.

    @param ssl: The connection's L{handle}.
    @param buffer: Of at most L{RECORD} bytes. Where it is smaller than what there is, OpenSSL keeps the rest, and the
        kernel does not tell of it.
    @raise SSL.Error: As C{Connection.recv_into} does.
    """
    if ssl is None:
        return connection.recv_into(buffer)
    count: int = _read(ssl, _from_buffer(buffer), len(buffer))
    if count <= 0:
        connection._raise_ssl_error(ssl, count)
    return count


def send(connection: SSL.Connection, ssl: Any, data: bytes | memoryview) -> int:
    """
    Write all of it, or nothing: then the same must be written again.

    @param ssl: The connection's L{handle}.
    @param data: At most 2 GiB.
    @raise SSL.Error: As C{Connection.send} does.
    """
    if ssl is None:
        return connection.send(data)
    count: int = _write(ssl, data if isinstance(data, bytes) else _from_buffer(data), len(data))
    if count <= 0:
        connection._raise_ssl_error(ssl, count)
    return count
