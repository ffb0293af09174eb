"""edgegate's C{BasicAuthPolicy}: who has a user's name and password may enter."""

from __future__ import annotations

from edgegate.istio.kinds.policy_target import TargetedPolicy
from edgegate.istio.kinds.secret_source import SecretSource


class BasicAuthPolicy(TargetedPolicy, frozen=True, kw_only=True):
    """
    The C{spec} of a BasicAuthPolicy.

    C{users} has a line C{USER:HASH} for each, as C{htpasswd} writes them; of a Secret it is the entry C{.htpasswd},
    C{htpasswd} or C{auth}. C{realm} is what browsers show; by default it is the policy's name. C{userHeader} names the
    user to backends, which get the password itself only with C{forward}.
    """

    users: SecretSource | None = None
    realm: str | None = None
    user_header: str | None = None
    forward: bool | None = None
