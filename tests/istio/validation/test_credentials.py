"""Tests of L{edgegate.istio.validation.credentials}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase

HASH = "0a" * 32


class CredentialPolicyTests(CasesTestCase):
    """BasicAuthPolicies and APIKeyPolicies by themselves."""

    def test_basic_auth(self) -> None:
        """Users come from one place, and the header is one that only the gateway says."""
        users = "users: {file: a}\n"
        self.check(
            "BasicAuthPolicy",
            [
                (users, ""),
                ("users: {secretName: a}\nrealm: Staff\nuserHeader: X-User\nforward: true", ""),
                ("users: {}", "neither file nor secretName"),
                ("users: {file: a, secretName: b}", "only one of"),
                ("{}", "it has no users"),
                (users + 'realm: ""', "1 to 128"),
                (users + 'realm: "ä"', "1 to 128"),
                (users + 'realm: "a\\nb"', "1 to 128"),
                (users + "userHeader: x_user", "no name of a header made of letters"),
                (users + "userHeader: Authorization", "a meaning of its own"),
                (users + "userHeader: x-forwarded-user", "a meaning of its own"),
                (users + "targetRefs: [{group: networking.istio.io, kind: Gatway, name: a}]", "is none of Gateway"),
            ],
        )

    def test_api_keys(self) -> None:
        """Keys are hashes, and are looked for in one place each."""
        keys = f"keys: [{{client: a, sha256: {HASH}}}]\n"
        self.check(
            "APIKeyPolicy",
            [
                (keys, ""),
                ("keysFrom: {file: a}", ""),
                (keys + "extractFrom: [{header: a, prefix: 'b '}, {cookie: a}, {queryParameter: a}]", ""),
                ("{}", "neither keys nor keysFrom"),
                ("keysFrom: {}", "neither file nor secretName"),
                (keys + "extractFrom: [{header: a, cookie: b}]", "only one of"),
                (keys + "extractFrom: [{}]", "say one of header"),
                (keys + "extractFrom: [{header: 'a b'}]", "no name of a header"),
                (keys + "extractFrom: [{cookie: 'a;b'}]", "no name of a cookie"),
                (keys + "extractFrom: [{cookie: a, prefix: b}]", "a prefix belongs to a header"),
                (keys + "extractFrom: [{header: a, prefix: ä}]", "a prefix is ASCII"),
                (keys + f"extractFrom: [{', '.join(['{header: a}'] * 9)}]", "more than 8 places"),
                (keys + "clientHeader: Cookie", "a meaning of its own"),
                (f"keys: [{{client: a b, sha256: {HASH}}}]", "a client's name has"),
                ("keys: [{client: a, sha256: open-sesame}]", "expected the SHA-256 hash"),
            ],
        )
