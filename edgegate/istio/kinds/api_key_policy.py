"""edgegate's C{APIKeyPolicy}: who shows a key may enter."""

from __future__ import annotations

from typing import ClassVar

from edgegate.istio.kinds.base import OneOf, Spec
from edgegate.istio.kinds.policy_target import TargetedPolicy
from edgegate.istio.kinds.secret_source import SecretSource


class KeyExtraction(OneOf, frozen=True, kw_only=True):
    """A place where a key may stand. C{prefix} is what stands before it in a header, such as C{ApiKey }."""

    one_of: ClassVar[tuple[str, ...]] = ("header", "query_parameter", "cookie")

    header: str | None = None
    query_parameter: str | None = None
    cookie: str | None = None
    prefix: str | None = None


class KeyOfClient(Spec, frozen=True, kw_only=True):
    """The SHA-256 hash of a client's key, in hexadecimal digits. A client may have several."""

    client: str
    sha256: str


class APIKeyPolicy(TargetedPolicy, frozen=True, kw_only=True):
    """
    The C{spec} of an APIKeyPolicy.

    Hashes of keys stand in C{keys}, or in C{keysFrom}, a line C{CLIENT:SHA256} for each; of a Secret it is the entry
    C{keys}. Without C{extractFrom} a key is looked for in the header C{x-api-key}. C{clientHeader} names the client to
    backends, which get the key itself only with C{forward}. C{realm} is by default the policy's name.
    """

    extract_from: tuple[KeyExtraction, ...] = ()
    keys: tuple[KeyOfClient, ...] = ()
    keys_from: SecretSource | None = None
    realm: str | None = None
    client_header: str | None = None
    forward: bool | None = None
