"""Tests for L{edgegate.http.fields}."""

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import (
    DROP,
    HOST,
    PASS,
    REJECT,
    REQUEST_ROLES,
    RESPONSE_ROLES,
    UPGRADE,
    Roles,
    Underscores,
    content_length,
    nominated,
    request_roles,
)


class RolesTests(SynchronousTestCase):
    """Which fields pass, and which do not."""

    def test_names_are_folded(self) -> None:
        """A name is known however it is written."""
        self.assertEqual(REQUEST_ROLES.of(b"HOST"), (b"host", HOST))
        self.assertEqual(REQUEST_ROLES.of(b"X-Custom"), (b"x-custom", PASS))

    def test_hop_by_hop(self) -> None:
        """The connection's own fields do not pass, in either direction."""
        for roles in (REQUEST_ROLES, RESPONSE_ROLES):
            for name, role in ((b"Keep-Alive", DROP), (b"Proxy-Connection", DROP), (b"Upgrade", UPGRADE)):
                self.assertEqual(roles.of(name)[1], role, name)

    def test_the_gateways_own_words(self) -> None:
        """What only the gateway may say is dropped from a client's request."""
        for name in (b"X-Envoy-Original-Path", b"x-forwarded-client-cert", b"http2-settings"):
            self.assertEqual(REQUEST_ROLES.of(name)[1], DROP, name)

    def test_proxies_words(self) -> None:
        """What only a proxy may say is dropped where none is trusted."""
        trusted = request_roles(True)
        for name in (
            b"X-Forwarded-Host",
            b"x-forwarded-port",
            b"x-forwarded-prefix",
            b"x-forwarded-server",
            b"x-forwarded-anything",
            b"Forwarded",
            b"X-Real-IP",
            b"Proxy",
        ):
            self.assertEqual((REQUEST_ROLES.of(name)[1], trusted.of(name)[1]), (DROP, PASS), name)

    def test_other_spellings_do_not_smuggle(self) -> None:
        """A field that a CGI or PHP backend would take for one of the gateway's is dropped; others pass."""
        for roles in (REQUEST_ROLES, request_roles(True)):
            for name in (
                b"X_Forwarded_For",
                b"x.forwarded.for",
                b"X-Forwarded_Client.Cert",
                b"content_length",
                b"X-Envoy_Internal",
                b"transfer_encoding",
                b"x_forwarded_host",
                b"X.Forwarded.Anything",
                b"x_real.ip",
            ):
                self.assertEqual(roles.of(name)[1], DROP, name)
            for name in (b"my_field", b"my.field", b"x.forward"):
                self.assertEqual(roles.of(name), (name, PASS))

    def test_underscores(self) -> None:
        """Every name with an underscore is dropped or refused where that is wanted, and no other one."""
        for underscores, role in ((Underscores.DROP, DROP), (Underscores.REJECT, REJECT)):
            roles = request_roles(True, underscores)
            found = [roles.of(name)[1] for name in (b"My_Field", b"x_forwarded_for", b"my-field", b"my.field")]
            self.assertEqual(found, [role, role, PASS, PASS])

    def test_memory_is_bounded(self) -> None:
        """Names that a client invents are not remembered without end."""
        roles = Roles({})
        for number in range(5000):
            self.assertEqual(roles.of(b"X-%d" % number), (b"x-%d" % number, PASS))
        self.assertLessEqual(len(roles.known), 1024)
        roles = Roles({})
        self.assertEqual(roles.of(b"X" * 65), (b"x" * 65, PASS))
        self.assertEqual(roles.known, {})

    def test_servers_name_is_replaced(self) -> None:
        """A backend's server field does not pass."""
        self.assertEqual(RESPONSE_ROLES.of(b"Server")[1], DROP)


class NominatedTests(SynchronousTestCase):
    """Names in C{Connection}."""

    def test_all_fields_and_spellings(self) -> None:
        """Every C{Connection} field counts, in any case, with any white space."""
        self.assertEqual(nominated([b"close, X-A", b"\tx-b ,"]), {b"close", b"x-a", b"x-b", b""})


class ContentLengthTests(SynchronousTestCase):
    """C{Content-Length} is digits and nothing else."""

    def test_digits(self) -> None:
        """Digits are a number."""
        self.assertEqual(content_length(b"0"), 0)
        self.assertEqual(content_length(b"0042"), 42)

    def test_anything_else(self) -> None:
        """What Python's int() would take is refused."""
        for value in (b"", b"+5", b"-1", b"0x10", b"1_0", b"5 ", b"5, 5", b"9" * 19, "٣".encode()):
            with self.assertRaises(ValueError, msg=value):
                content_length(value)
