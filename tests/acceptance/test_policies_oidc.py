"""Logging in with a real provider of OpenID Connect, through the real gateway."""

from __future__ import annotations

import atexit
from base64 import b64encode
from typing import ClassVar

from tests.acceptance.chromium import Chromium
from tests.acceptance.login import PAGE, Browser, provider, query_of
from tests.acceptance.manifests import EVERY_HOST, GATEWAY
from tests.acceptance.processes import Running
from tests.acceptance.served import ServedTestCase

POLICIES = """\
apiVersion: edgegate.io/v1alpha1
kind: OIDCPolicy
metadata: {name: staff}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: all, sectionName: staff}]
  provider: {issuer: "http://127.0.0.1:$idp"}
  clientId: shop
  clientSecret: {secretName: login}
  cookieKeys: {file: cookie.keys}
  scopes: [email]
  allowedClaims: [{claim: groups, values: [staff]}]
  claimsToHeaders: [{header: x-user, claim: sub}, {header: x-groups, claim: groups}]
  forwardAccessToken: true
---
apiVersion: edgegate.io/v1alpha1
kind: OIDCPolicy
metadata: {name: anybody}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: all, sectionName: anybody}]
  provider: {issuer: "http://127.0.0.1:$idp"}
  clientId: other
  clientSecret: {secretName: login}
  cookieKeys: {file: cookie.keys}
  callbackPath: /anybody/callback
  logoutPath: /anybody/logout
  claimsToHeaders: [{header: x-user, claim: sub}]
---
apiVersion: edgegate.io/v1alpha1
kind: OIDCPolicy
metadata: {name: gone}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: all, sectionName: gone}]
  provider: {issuer: "http://127.0.0.1:$gone"}
  clientId: shop
  cookieKeys: {file: cookie.keys}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {client-secret: "s:cr t"}
"""

ROUTE = "route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]"
ROUTES = f"""\
  - {{name: gone, match: [{{uri: {{prefix: /gone}}}}], {ROUTE}}}
  - {{name: anybody, match: [{{uri: {{prefix: /anybody}}}}], {ROUTE}}}
  - {{name: staff, {ROUTE}}}
"""


class OIDCTests(ServedTestCase):
    """Users who log in, and others who try."""

    opened = {"one": ""}
    dead = ("idp", "gone")
    files = {
        "gateway.yaml": GATEWAY + EVERY_HOST + ROUTES,
        "policies.yaml": POLICIES,
        "cookie.keys": b64encode(bytes(range(32))).decode(),
    }
    _provider: ClassVar[Running | None] = None

    def setUp(self) -> None:
        """Start the provider, if it is not up yet."""
        super().setUp()
        if OIDCTests._provider is None:
            OIDCTests._provider = provider(self.served.ports["idp"], self.served.folder)
            atexit.register(OIDCTests._provider.stop)
            # the gateway was up before it, and asks it again and again
            self.served.gateway.finds(lambda line: "OpenID provider" in line and "can be asked again" in line)

    def browser(self) -> Browser:
        """Return a browser that has no cookies yet."""
        return Browser(self.served.ports["http"], f"localhost:{self.served.ports['http']}")

    def test_logs_in(self) -> None:
        """A user is sent to the provider, comes back to the page, and its backend is told who that is."""
        browser = self.browser()
        answer = browser.ask("/a/page?with=query")
        self.assertEqual(answer.status, 302)
        asked = query_of(answer.one("location"))
        self.assertEqual((asked["scope"], asked["code_challenge_method"]), ("openid email", "S256"))
        answer = browser.log_in("/a/page?with=query")
        self.assertEqual((answer.status, answer.one("location")), (302, f"http://{browser.host}/a/page?with=query"))
        browser.cookies["theme"] = "dark"
        answer = browser.ask("/a/page?with=query", {**PAGE, "X-User": "root", "X_Groups": "root"})
        self.assertEqual(
            (answer.where, answer.told("x-user"), answer.told("x-groups")), ("one", ["ali"], ["staff,admins"])
        )
        self.assertEqual((answer.told("x_groups"), answer.told("cookie")), ([], ["theme=dark"]))
        self.assertTrue(answer.told("authorization")[0].startswith("Bearer "))
        for name in [name for name in browser.cookies if name != "theme"]:
            self.assertTrue(name.startswith("__Host-edgegate-"), name)

    def test_browser(self) -> None:
        """A real browser logs in, keeps the session, shows it with scripts' requests, and logs out."""
        where = f"http://localhost:{self.served.ports['http']}"
        with Chromium(self.served.folder) as page:
            page.open(f"{where}/a?b=c")
            page.wait_for("document.querySelector('[name=sub]')", lambda found: found is not None)
            page.evaluate("document.querySelector('[name=sub]').value = 'ali'")
            page.evaluate("document.querySelector('[name=sub]').form.submit()")
            page.wait_for(f"location.href === '{where}/a?b=c' && document.body.innerText.includes('ali')")
            self.assertEqual(page.evaluate("document.cookie"), "")
            self.assertEqual(page.evaluate("fetch('/api').then(answer => answer.status)"), 200)
            page.evaluate("fetch('/oauth2/logout', {redirect: 'manual'}).then(() => 0)")
            self.assertEqual(page.evaluate("fetch('/api').then(answer => answer.status)"), 401)

    def test_scripts(self) -> None:
        """Scripts, programs, forms, WebSockets and gRPC are not redirected, but told 401."""
        for headers, method in (
            ({}, "GET"),
            ({"Accept": "*/*"}, "GET"),
            ({"Accept": "text/html", "Sec-Fetch-Mode": "cors"}, "GET"),
            ({"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}, "GET"),
            (PAGE, "POST"),
            ({**PAGE, "X-User": "ali"}, "DELETE"),
        ):
            answer = self.browser().ask("/", headers, method)
            self.assertEqual((answer.where, answer.values("set-cookie")), ("401", []), headers)
        grpc = {"Content-Type": "application/grpc", "TE": "trailers"}
        self.assertEqual(self.browser().ask("/a.B/C", grpc, "POST").one("grpc-status"), "16")

    def test_not_allowed(self) -> None:
        """Who is none of those that may pass gets 403 and no session."""
        browser = self.browser()
        answer = browser.log_in("/", "eve")
        self.assertEqual((answer.status, browser.cookies), (403, {}))

    def test_refused(self) -> None:
        """Who is refused by the provider is told so."""
        browser = self.browser()
        state = query_of(browser.ask("/").one("location"))["state"]
        answer = browser.ask(f"/oauth2/callback?error=access_denied&state={state}")
        self.assertEqual((answer.status, answer.body), (403, b"the login service has refused the login: access_denied"))

    def test_elsewhere(self) -> None:
        """A path that looks like another host's URL leads to none."""
        browser = self.browser()
        self.assertEqual(browser.log_in("//evil.example/%2e").one("location"), f"http://{browser.host}//evil.example/")

    def test_state_of_another(self) -> None:
        """An answer that was made for somebody else's login lets nobody in, and a code counts once."""
        victim, attacker = self.browser(), self.browser()
        stolen = attacker.way_back("/", "ali")
        victim.ask("/")
        self.assertEqual(victim.ask(stolen).status, 400)
        cookies = dict(attacker.cookies)
        self.assertEqual(attacker.ask(stolen).status, 302)
        # the login's cookie is gone with the first answer
        self.assertEqual(attacker.ask(stolen).status, 400)
        attacker.cookies = cookies
        self.assertEqual(attacker.ask(stolen).status, 400)
        self.assertNotIn("one", attacker.ask("/").where)

    def test_codes_of_another(self) -> None:
        """A code that was given for another login does not fit into one's own: PKCE and the nonce are its own."""
        victim, attacker = self.browser(), self.browser()
        stolen, own = query_of(victim.way_back("/", "ali")), query_of(attacker.way_back("/", "eve"))
        answer = attacker.ask(f"/oauth2/callback?code={stolen['code']}&state={own['state']}")
        self.assertEqual((answer.status, [name for name in attacker.cookies if "login" in name]), (403, []))
        self.assertEqual(attacker.ask("/").status, 302)

    def test_forged(self) -> None:
        """Cookies that are changed, cut, swapped or of another policy are no session."""
        browser = self.browser()
        browser.log_in("/")
        ((name, value),) = browser.cookies.items()
        self.assertEqual(browser.ask("/").where, "one")
        other = self.browser()
        other.log_in("/anybody")
        ((of_other, its_value),) = other.cookies.items()
        self.assertEqual(other.ask("/anybody").told("x-user"), ["ali"])
        for forged in (value[:-1], value + "A", value[:40] + "AAAA" + value[44:], "1." + value[100:], its_value, "1."):
            browser.cookies = {name: forged}
            self.assertEqual(browser.ask("/").status, 302, forged)
        other.cookies = {of_other: value}
        self.assertEqual(other.ask("/anybody").status, 302)
        browser.cookies = {name: f"{value}; {name}={value}"}
        self.assertEqual(browser.ask("/").status, 302)

    def test_bad_answers(self) -> None:
        """What is no answer of a provider costs nothing and lets nobody in."""
        browser = self.browser()
        state = query_of(browser.ask("/").one("location"))["state"]
        for query in (
            "",
            "?",
            f"?state={state}",
            f"?state={state}&code=",
            f"?state={state}&state=x&code=a",
            f"?state={state}&code=a&code=b",
            f"?state={state}&code=a&iss=http%3A%2F%2Fevil.example",
            "?state=x&code=a",
            f"?state={state}&code={'x' * 9000}",
        ):
            answer = browser.ask("/oauth2/callback" + query)
            self.assertEqual((answer.status, answer.values("location")), (400, []), query)
        self.assertEqual(browser.ask(f"/oauth2/callback?state={state}&code=a", method="POST").status, 400)

    def test_many_logins(self) -> None:
        """Many tabs leave few cookies, and the last one's login goes on."""
        browser = self.browser()
        for number in range(6):
            browser.ask(f"/tab/{number}")
        self.assertEqual(len(browser.cookies), 3)
        self.assertEqual(browser.log_in("/last").one("location"), f"http://{browser.host}/last")

    def test_logs_out(self) -> None:
        """A user who logs out has no cookie left, and is sent to the provider to log out there."""
        browser = self.browser()
        browser.log_in("/")
        copied = dict(browser.cookies)
        answer = browser.ask("/oauth2/logout")
        self.assertEqual((answer.status, browser.cookies), (302, {}))
        idp = self.served.ports["idp"]
        self.assertEqual(answer.one("location"), f"http://127.0.0.1:{idp}/oauth2/end_session?client_id=shop")
        self.assertEqual(browser.ask("/").status, 302)
        browser.cookies = copied
        self.assertEqual(browser.ask("/").status, 302)

    def test_in_the_clear(self) -> None:
        """On a host to which browsers send no cookies in the clear nobody can log in."""
        answer = self.ask("/", "shop.example", headers=PAGE)
        self.assertEqual((answer.status, answer.body), (403, b"log in by https"))

    def test_provider_away(self) -> None:
        """Where nothing is known of the provider nobody passes."""
        answer = self.browser().ask("/gone")
        self.assertEqual((answer.status, answer.one("retry-after")), (503, "5"))
        self.assertEqual(self.browser().ask("/gone", {}).status, 401)
