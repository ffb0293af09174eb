"""All policies to guards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edgegate.istio.translate.guards.address_lists import place_address_lists
from edgegate.istio.translate.guards.authorization_policies import place_authorization_policies
from edgegate.istio.translate.guards.concurrency import place_concurrency
from edgegate.istio.translate.guards.credentials import place_api_keys, place_basic_auth
from edgegate.istio.translate.guards.envoy_filters import place_envoy_filters
from edgegate.istio.translate.guards.external_authorizations import place_external_authorizations
from edgegate.istio.translate.guards.oidc_policies import place_oidc
from edgegate.istio.translate.guards.rate_limits import place_rate_limits
from edgegate.istio.translate.guards.request_authentications import place_request_authentications
from edgegate.istio.translate.guards.standing import Policies, Standing

KINDS: Final[tuple[Callable[[Policies, Standing], None], ...]] = (
    place_address_lists,
    place_basic_auth,
    place_api_keys,
    place_rate_limits,
    place_concurrency,
    place_request_authentications,
    place_authorization_policies,
    place_oidc,
    place_envoy_filters,
    place_external_authorizations,
)
"""What makes guards of the policies of each kind, and has them stand where those belong."""


def guards_of(policies: Policies) -> Standing:
    """Return where guards stand; what is wrong with policies is reported."""
    standing = Standing()
    for place in KINDS:
        place(policies, standing)
    return standing
