"""Tests of L{edgegate.istio.translate.guards.envoy_refusing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.guards.envoy_refusing import refusing


class RefusingTests(SynchronousTestCase):
    """Filters that may refuse somebody are found wherever they stand."""

    def test_found(self) -> None:
        """By their own name, by Envoy's names and types within, and by the keys of settings."""
        rbac = "envoy.filters.http.rbac"
        type_ = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
        for value, name, wanted in (
            (None, "my.lua", "my.lua"),
            ({"name": rbac}, "", rbac),
            ({"a": [{"typed_config": {"@type": type_}}]}, "", type_.rpartition("/")[2]),
            ({"typeUrl": type_}, "", type_.rpartition("/")[2]),
            ({"typed_per_filter_config": {rbac: {}}}, "", rbac),
            ({"name": "shop.rbac.example"}, "", None),
            ({"value": rbac}, "", None),
            ([1, None, "x"], "", None),
        ):
            found = refusing(value, name)
            self.assertEqual(found if found is None else found[0], wanted)

    def test_other_ways(self) -> None:
        """What does the same here is told."""
        found = refusing({}, "envoy.filters.http.jwt_authn")
        self.assertEqual(found, ("envoy.filters.http.jwt_authn", "a RequestAuthentication does so"))
        found = refusing({}, "envoy.filters.http.wasm")
        assert found is not None
        self.assertIn("take the patch out", found[1])
