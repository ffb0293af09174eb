"""Tests of L{edgegate.istio.validation.rule_values}; most are in tests.istio.validation.test_authorization_policy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.target import PathNormalisation, normal_path
from tests.config.reading import told_of


class PathTests(SynchronousTestCase):
    """Paths that no request has."""

    @given(some.text(alphabet='/abAB19-._~;=%2Fé |"<>^`\\', max_size=12).map("/".__add__))
    def test_normal_form(self, path: str) -> None:
        """One that is in its normal form is never warned of."""
        try:
            normal = normal_path(path.encode(), PathNormalisation.BASE).decode()
        except ValueError:
            return
        told = told_of("AuthorizationPolicy", f"rules: [{{to: [{{operation: {{paths: ['{normal}']}}}}]}}]")
        self.assertEqual(told, [])
