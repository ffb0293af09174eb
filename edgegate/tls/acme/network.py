"""
HTTP with an authority, for threads: by https alone, with a size and a time for each answer and a time for all of them.

The timeouts of requests are for each byte, and it reads whatever comes: an authority, or who sits in front of it, could
keep a thread and the locks that it holds for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from socket import SHUT_RDWR, socket
from threading import Event, Timer
from typing import Any

from acme import client, errors, messages
from josepy.jwa import ES256, ES384, RS256
from josepy.jwk import JWK, JWKRSA
from requests import Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from edgegate.version import described

MOST_NONCES = 20
"""Tries of one request whose nonce the authority does not know (RFC 8555 section 6.5)."""

TIMEOUT = 30
"""Seconds for each answer of the authority."""

LONGEST = 600.0
"""Seconds for all answers about one certificate: no request begins after them."""

BIGGEST = 1 << 20
"""Bytes of an answer of the authority."""


class Network(client.ClientNetwork):
    """
    Speaks HTTP with an authority.

    @ivar retry_after: What its last answer says of that, in seconds; 0: nothing.
    """

    def __init__(self, key: JWK, trusted: str | None) -> None:
        # a name is requests' way to trust other authorities
        verify: bool = True if trusted is None else trusted  # type: ignore[assignment]
        super().__init__(key, alg=ES256, verify_ssl=verify, user_agent=described(), timeout=TIMEOUT)
        self._adapter = _Adapter()
        for scheme in tuple(self.session.adapters):
            self.session.mount(scheme, self._adapter)
        self.retry_after = 0.0

    @contextmanager
    def meanwhile(self, done: AbstractContextManager[None]) -> Iterator[None]:
        """Do something else around a block: its beginning and its end are no time that the authority takes."""
        began = time.monotonic()
        with done:
            self._adapter.put_off(time.monotonic() - began)
            yield
            began = time.monotonic()
        self._adapter.put_off(time.monotonic() - began)

    def sign_by(self, key: JWK) -> None:
        """Sign by another key than the account's from now on."""
        self.key, self.account = key, None
        if isinstance(key, JWKRSA):
            self.alg = RS256
        else:
            self.alg = ES384 if key.key.key_size == 384 else ES256

    def _send_request(self, method: str, url: str, *args: object, **kwargs: object) -> Response:
        response = super()._send_request(method, url, *args, **kwargs)
        self.retry_after = seconds_of(response.headers.get("Retry-After", ""))
        return response

    def post(self, *args: object, **kwargs: object) -> Response:
        """Send what is signed; as often as the authority does not know its nonce, with that of its answer."""
        for _ in range(MOST_NONCES):
            try:
                return self._post_once(*args, **kwargs)  # type: ignore[arg-type]
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        raise errors.ClientError(f"the authority has refused {MOST_NONCES} nonces of its own one after the other")


def fetch(url: str, biggest: int) -> bytes:
    """
    Return what is published at a URL, without TLS: whoever reads it must see by whom it is signed.

    @param biggest: Bytes of it.
    @raise errors.ClientError: It is not there, or not within the limits.
    @raise RequestException: It can't be had.
    """
    with Session() as session:
        session.mount("http://", _Adapter("http://", biggest))
        response = session.get(url, allow_redirects=False, timeout=TIMEOUT, headers={"User-Agent": described()})
    if response.status_code != HTTPStatus.OK:
        raise errors.ClientError(f"the answer is {response.status_code}")
    return response.content


class _Connection(HTTPConnection):
    """
    A connection whose socket others know.

    @ivar opened: Told of it.
    """

    opened: Callable[[socket], None]

    def connect(self) -> None:
        super().connect()
        if self.sock is not None:
            self.opened(self.sock)


class _TLSConnection(_Connection, HTTPSConnection):
    """One by TLS."""


class _Adapter(HTTPAdapter):
    """Takes whole answers within limits; redirects come here like what was asked first."""

    def __init__(self, scheme: str = "https://", biggest: int = BIGGEST) -> None:
        super().__init__()
        self._scheme = scheme
        self._biggest = biggest
        self._end = time.monotonic() + LONGEST
        self._sockets: list[socket] = []

    def put_off(self, seconds: float) -> None:
        """Have all answers end so much later."""
        self._end += seconds

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return a pool whose connections can be ended by us."""
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        kind = _TLSConnection if isinstance(pool, HTTPSConnectionPool) else _Connection
        pool.ConnectionCls = partial(self._connection, kind)  # type: ignore[assignment]
        return pool

    def _connection(self, kind: type[_Connection], *args: Any, **kwargs: Any) -> _Connection:
        made = kind(*args, **kwargs)
        made.opened = self._sockets.append
        return made

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """
        Return the answer, which was read to its end.

        @raise errors.ClientError: There is none within the limits.
        """
        if not request.url.startswith(self._scheme):
            wanted = self._scheme.partition(":")[0]
            raise errors.ClientError(f"the authority names a URL that is not {wanted}: {request.url[:200]}")
        if time.monotonic() > self._end:
            raise errors.ClientError(f"the authority takes more than {LONGEST:g} s for all its answers")
        late = Event()
        watch = Timer(TIMEOUT, self._give_up, [late])
        watch.daemon = True
        watch.start()
        try:
            response = super().send(request, *args, **{**kwargs, "stream": True})
            response._content = _content(response, self._biggest)
        except RequestException:
            if not late.is_set():
                raise
        finally:
            watch.cancel()
        if late.is_set():
            raise errors.ClientError(f"the authority takes more than {TIMEOUT} s for an answer")
        return response

    def _give_up(self, late: Event) -> None:
        late.set()
        for each in self._sockets:
            with suppress(OSError):
                # not the method of TLS, which is for the thread that reads
                socket.shutdown(each, SHUT_RDWR)


def _content(response: Response, biggest: int) -> bytes:
    data = bytearray()
    for piece in response.iter_content(1 << 16):
        data += piece
        if len(data) > biggest:
            response.close()
            raise errors.ClientError(f"the authority answers with more than {biggest >> 20} MiB")
    return bytes(data)


def seconds_of(retry_after: str, now: Callable[[], float] = time.time) -> float:
    """Return the seconds of a C{Retry-After}, a number or a date (RFC 9110 section 10.2.3); 0: it is neither."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(parsedate_to_datetime(text).timestamp() - now(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
