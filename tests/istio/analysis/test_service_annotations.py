"""Tests of L{edgegate.istio.analysis.service_annotations}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import lines


def _service(annotations: str) -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: cart, annotations: {{{annotations}}}}}
spec: {{ports: [{{name: http, port: 80}}]}}
"""


class ServiceTests(SynchronousTestCase):
    """What is said of annotations of Services."""

    def test_unknown(self) -> None:
        """A slip is named with what was probably meant; what is not Istio's is nobody's business."""
        annotations = "networking.istio.io/exportTwo: a, example.com/istio.io: b, helm.sh/hook: c"
        (told,) = lines(_service(annotations), "IST0108")
        self.assertIn('did you mean "networking.istio.io/exportTo"?', told)
        self.assertIn('metadata.annotations["networking.istio.io/exportTwo"]', told)

    def test_misplaced(self) -> None:
        """One of other kinds is told with the kind that it is for."""
        for name, kind in (
            ("sidecar.istio.io/inject", "Pod"),
            ("kubernetes.io/ingress.class", "Ingress"),
            ("istio.io/dry-run", "AuthorizationPolicy"),
        ):
            (told,) = lines(_service(f'{name}: "x"'), "IST0107")
            self.assertIn(f"Istio reads it on a {kind}", told)

    def test_deprecated(self) -> None:
        """One that Istio gives up is a note."""
        (told,) = lines(_service("alpha.istio.io/kubernetes-serviceaccounts: a"), "IST0135")
        self.assertIn("info: ", told)

    def test_known(self) -> None:
        """Nothing is said of those that count, nor of annotations that are no text."""
        told = lines(_service("networking.istio.io/exportTo: '*', galley.istio.io/analyze-suppress: EG207, 7: x"), "")
        self.assertEqual([each for each in told if "annotation" in each], [])
