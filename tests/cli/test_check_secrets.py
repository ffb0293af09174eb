"""Tests of L{edgegate.cli.check}: Istio's own cases of Secrets (C{gateway-secrets*.yaml}), with key pairs made here."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from pathlib import Path

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.check import check
from edgegate.tls.authority import Authority

NOW = datetime.now(timezone.utc)
RUBBISH = b64encode(b"hush hush hush\n").decode()


def secret(name: str, **data: str) -> str:
    """Write a Secret; its keys have a dot where an underline stands."""
    said = ", ".join(f"{key.replace('_', '.')}: {value}" for key, value in data.items())
    return f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: istio-system}}\ndata: {{{said}}}\n"


def gateway(name: str, credential: str) -> str:
    """Write a Gateway with an HTTPS server of a host of its own."""
    server = "port: {number: 443, name: https, protocol: HTTPS}"
    return f"""---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec: {{servers: [{{{server}, tls: {{mode: SIMPLE, credentialName: {credential}}}, hosts: [{name}.example.com]}}]}}
"""


class SecretTests(SynchronousTestCase):
    """What is told of the Secrets that Gateways name."""

    def told(self, code: str, text: str) -> list[str]:
        """Return the resources of which a code is told."""
        path = Path(self.mktemp())
        path.write_text(text)
        result = CliRunner().invoke(check, [str(path), "-o", "json"])
        return [each["resource"] for each in json.loads(result.output) if each["code"] == code]

    def test_missing(self) -> None:
        """A Secret in the root namespace is found; one that is nowhere is told."""
        pair = Authority.new("test", NOW).server(["good.example.com"], NOW)
        good = secret("c", tls_crt=b64encode(pair.chain_pem).decode(), tls_key=b64encode(pair.key_pem).decode())
        text = good + gateway("good", "c") + gateway("bogus", "c-bogus")
        self.assertEqual(self.told("IST0101", text), ["Gateway default/bogus"])

    def test_invalid(self) -> None:
        """Wrong names of keys, keys that are missing, what is no PEM, and a certificate whose time is over are told."""
        old = Authority.new("test", NOW).server(["old.example.com"], NOW - timedelta(days=30), timedelta(days=10))
        text = "".join(
            (
                secret("invalid-key", cert=RUBBISH, key=RUBBISH) + gateway("invalid-key", "invalid-key"),
                secret("missing-key", tls_cert=RUBBISH) + gateway("missing-key", "missing-key"),
                secret("invalid-cert", tls_cert=RUBBISH, tls_key=RUBBISH) + gateway("invalid-cert", "invalid-cert"),
                secret("old", tls_crt=b64encode(old.chain_pem).decode(), tls_key=b64encode(old.key_pem).decode()),
                gateway("old", "old"),
            )
        )
        names = ["invalid-key", "missing-key", "invalid-cert", "old"]
        self.assertEqual(self.told("IST0161", text), [f"Gateway default/{name}" for name in names])
