"""Tests of L{edgegate.access.oidc.navigation}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.navigation import goes_to_page, keeps_cookies, own_url

HTML = (b"accept", b"text/html,*/*;q=0.8")


class NavigationTests(SynchronousTestCase):
    """Who is sent to log in."""

    def test_pages(self) -> None:
        """Browsers that go to a page are, old ones and new ones."""
        self.assertTrue(goes_to_page(b"GET", [HTML], False))
        self.assertTrue(goes_to_page(b"HEAD", [HTML], False))
        self.assertTrue(goes_to_page(b"GET", [(b"sec-fetch-mode", b"navigate"), (b"accept", b"*/*")], False))

    def test_others(self) -> None:
        """Scripts, forms, calls of gRPC, WebSockets and programs are not."""
        for method, fields, upgrades in (
            (b"POST", [HTML], False),
            (b"GET", [HTML, (b"sec-fetch-mode", b"cors")], False),
            (b"GET", [HTML, (b"sec-fetch-mode", b"no-cors")], False),
            (b"GET", [HTML, (b"sec-fetch-mode", b"same-origin")], False),
            (b"GET", [HTML, (b"x-requested-with", b"XMLHttpRequest")], False),
            (b"GET", [HTML], True),
            (b"POST", [(b"content-type", b"application/grpc")], False),
            (b"GET", [(b"accept", b"*/*")], False),
            (b"GET", [(b"accept", b"application/json")], False),
            (b"GET", [], False),
            (b"OPTIONS", [HTML], False),
        ):
            self.assertFalse(goes_to_page(method, fields, upgrades), fields)

    def test_cookies(self) -> None:
        """Cookies for TLS are kept over TLS, and on the machine itself."""
        self.assertTrue(keeps_cookies(b"https", b"example.com"))
        for authority in (b"localhost:8080", b"127.0.0.1", b"[::1]:80", b"app.localhost"):
            self.assertTrue(keeps_cookies(b"http", authority), authority)
        for authority in (b"example.com", b"localhost.example.com", b"127.0.0.1.example.com", b"", b"[", b"\xff"):
            self.assertFalse(keeps_cookies(b"http", authority), authority)

    def test_own_url(self) -> None:
        """A path that looks like another host's URL is one of this host."""
        for target in (b"//evil.example/x", b"/\\evil.example", b"/@evil.example", b"/?a=//b"):
            self.assertEqual(own_url(b"https", b"a.example:8443", target), b"https://a.example:8443" + target)
