"""Where edgegate's own kinds of policies have secrets from."""

from __future__ import annotations

from typing import ClassVar

from edgegate.istio.kinds.base import OneOf


class SecretSource(OneOf, frozen=True, kw_only=True):
    """
    A file, or a Secret among the documents. Exactly one has to be given.

    The C{file}'s name is relative to the folder. The C{secretName} is looked for as a C{credentialName} is: beside the
    policy, then in C{istio-system}; C{NAMESPACE/NAME} names one elsewhere.
    """

    one_of: ClassVar[tuple[str, ...]] = ("file", "secret_name")

    file: str | None = None
    secret_name: str | None = None
