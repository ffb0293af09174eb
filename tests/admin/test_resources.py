"""Tests of L{edgegate.admin.resources}, asked as a client asks them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.address import CONFIG, PID
from edgegate.admin.options import AdminOptions
from edgegate.admin.resources import PAGES
from edgegate.admin.site import admin_site
from edgegate.admin.token import TokenFile
from edgegate.server.reload import Outcome
from edgegate.version import described
from tests.admin.asking import Answer, asked
from tests.admin.served import ISSUED, PretendedGateway

TOKEN = "0123456789abcdef"


class ResourcesTests(SynchronousTestCase):
    """The pages."""

    local = False

    def setUp(self) -> None:
        """Make the pages of a gateway."""
        self.options = AdminOptions()
        self.token: TokenFile | None = None
        self.gateway = PretendedGateway()

    def ask(self, request: str, *fields: str, host: str = "127.0.0.1:15000", body: bytes = b"") -> Answer:
        """Ask once."""
        site = admin_site(Clock(), self.gateway, self.local, self.options, self.token)
        return asked(site, request, *fields, host=host, body=body)

    def test_index(self) -> None:
        """Every page is listed, and is there."""
        index = self.ask("GET /")
        for page in PAGES:
            self.assertIn(f"/{page} ", index.text)
            self.assertEqual(self.ask(f"GET /{page}").status, 200, page)

    def test_head(self) -> None:
        """HEAD has no body."""
        found = self.ask("HEAD /listeners")
        self.assertEqual((found.status, found.body), (200, b""))

    def test_fields(self) -> None:
        """Nothing is kept by caches or taken for HTML, and the server does not tell its version."""
        fields = self.ask("GET /").fields
        self.assertEqual(fields[b"cache-control"], b"no-store")
        self.assertEqual(fields[b"x-content-type-options"], b"nosniff")
        self.assertEqual(fields[b"content-type"], b"text/plain; charset=utf-8")
        self.assertEqual(fields[b"server"], b"edgegate")

    def test_whose(self) -> None:
        """Every answer says which gateway it is of; who is not let in does not learn it."""
        for request in ("GET /", "GET /nothing", "POST /listeners", "POST /reload"):
            fields = self.ask(request).fields
            self.assertEqual(fields[PID], str(os.getpid()).encode(), request)
            self.assertEqual(fields[CONFIG], b"/etc/edge%20gate", request)
        self.assertNotIn(PID, self.ask("POST /reload", "Origin: http://evil.example").fields)
        self.gateway.config = "/etc/b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher\r\nx: y"
        self.assertEqual(self.ask("GET /").fields[CONFIG], b"/etc/b%C3%BCcher%0D%0Ax%3A%20y")
        self.gateway.config = os.fsdecode(b"/etc/\xff")
        self.assertEqual(self.ask("GET /").fields[CONFIG], b"/etc/%FF")

    def test_ready(self) -> None:
        """A gateway that is not ready is 503, and lives all the same."""
        self.gateway.ready = False
        self.assertEqual((self.ask("GET /ready").status, self.ask("GET /live").status), (503, 200))
        self.assertEqual(self.ask("GET /ready").text, "not ready\n")
        self.gateway.waiting = True
        found = self.ask("GET /ready")
        self.assertEqual((found.status, found.text), (503, "not ready: the first certificates are to be issued\n"))
        self.assertEqual(self.ask("GET /drain").text, "serving, 3 connections\n")

    def test_drain(self) -> None:
        """POST has the gateway end; GET tells whether it does."""
        self.assertEqual(self.ask("GET /drain").text, "serving, 3 connections\n")
        shown = json.loads(self.ask("GET /drain?format=json").body)
        self.assertEqual(shown, {"state": "serving", "connections": 3})
        self.assertEqual(self.ask("POST /drain", "Origin: http://evil.example").status, 403)
        self.assertTrue(self.gateway.ready)
        found = self.ask("POST /drain")
        self.assertEqual((found.status, found.text), (200, "draining, 3 connections\n"))
        self.assertEqual(self.ask("GET /ready").status, 503)

    def test_quit(self) -> None:
        """POST ends the gateway at once where that was allowed, and nothing otherwise."""
        self.assertIn("--admin-quit", self.ask("GET /quitquitquit").text)
        self.assertEqual(self.ask("POST /quitquitquit").status, 403)
        self.assertEqual((self.gateway.ready, self.gateway.hurried), (True, False))
        self.options = AdminOptions(may_quit=True)
        self.assertEqual(self.ask("GET /quitquitquit").text, "POST ends the gateway at once\n")
        self.assertEqual(self.ask("POST /quitquitquit", "Origin: http://evil.example").status, 403)
        self.assertEqual((self.gateway.ready, self.gateway.hurried), (True, False))
        self.assertEqual(self.ask("POST /quitquitquit").text, "ending\n")
        self.assertEqual((self.gateway.ready, self.gateway.hurried), (False, True))

    def test_upgrade(self) -> None:
        """POST has a new process take its place, and says what came of it; GET says what runs."""
        self.assertEqual(self.ask("GET /upgrade").text, f"{described()}, pid {os.getpid()}\n")
        self.assertEqual(self.ask("POST /upgrade", "Origin: http://evil.example").status, 403)
        found = self.ask("POST /upgrade")
        self.assertEqual((found.status, found.text), (200, "so it is\na line\n"))
        self.gateway.upgrades = False
        self.assertEqual(self.ask("POST /upgrade").status, 422)

    def test_text_and_json(self) -> None:
        """Views are tables, or JSON for those who ask for it."""
        self.assertIn("ADDRESS   PORT", self.ask("GET /listeners").text)
        self.assertIn("ENDPOINT", self.ask("GET /clusters").text)
        for answer in (self.ask("GET /certs?format=json"), self.ask("GET /certs", "Accept: application/json")):
            self.assertEqual(answer.fields[b"content-type"], b"application/json")
            self.assertEqual(json.loads(answer.body)[0]["name"], "certs/shop.crt")
        self.assertEqual(set(json.loads(self.ask("GET /clusters?format=json").body)), {"clusters", "endpoints"})

    def test_certs(self) -> None:
        """Certificates are shown with the days that are left, their names, and where they come from."""
        head, line, *_ = self.ask("GET /certs").text.splitlines()
        self.assertEqual(head.split("   ")[0], "RESOURCE NAME")
        for title in ("DAYS LEFT", "NAMES", "FOR", "FILE"):
            self.assertIn(title, head)
        self.assertRegex(line, r"^certs/shop.crt +Cert Chain +ACTIVE +\d+ +shop.example, 127.0.0.1 .*shop.yaml:5$")

    def test_config_dump(self) -> None:
        """Everything is JSON, and no private key is in it."""
        dump = json.loads(self.ask("GET /config_dump").body)
        self.assertEqual(
            list(dump), ["listeners", "routes", "clusters", "endpoints", "secrets", "telemetry", "last_reload"]
        )
        self.assertEqual(dump["last_reload"]["outcome"], "installed")
        for names in (["routes"], ["last_reload"], ["listeners", "secrets"]):
            query = "&".join(f"resource={name}" for name in reversed(names))
            found = json.loads(self.ask(f"GET /config_dump?{query}").body)
            self.assertEqual(found, {name: dump[name] for name in names})
        for query in ("resource=", "resource=keys", "resource=routes&resource=%ff"):
            refused = self.ask(f"GET /config_dump?{query}")
            self.assertEqual((refused.status, refused.text[:22]), (400, "a resource is one of l"))
        key = ISSUED.key_pem.split(b"\n")[1]
        for page in PAGES:
            self.assertNotIn(key, self.ask(f"GET /{page}").body)

    def test_reload(self) -> None:
        """POST reloads; files that are refused are 422 with all problems, which GET shows later."""
        found = self.ask("POST /reload")
        self.assertEqual((found.status, found.text.split()[0]), (200, "unchanged"))
        self.gateway.outcome = Outcome.REFUSED
        found = self.ask("POST /reload")
        self.assertEqual(found.status, 422)
        self.assertIn("shop.yaml:7:3: error: spec: no", found.text)
        self.assertEqual(self.ask("GET /reload").body, found.body)
        row = json.loads(self.ask("POST /reload?format=json").body)
        self.assertEqual((row["outcome"], row["problems"]), ("refused", ["shop.yaml:7:3: error: spec: no"]))

    def test_host(self) -> None:
        """A name that is not loopback is refused: a web page could have its name lead here."""
        for host in ("localhost", "LOCALHOST:1", "[::1]:15000", "127.0.0.1"):
            self.assertEqual(self.ask("GET /live", host=host).status, 200, host)
        for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"):
            self.assertEqual(self.ask("GET /config_dump", host=host).status, 400, host)

    def test_origin(self) -> None:
        """A page of another origin must not reload, be it of this machine."""
        for origin, status in (
            ("http://evil.example", 403),
            ("null", 403),
            ("http://127.0.0.1:1", 403),
            ("http://127.0.0.1", 403),
            ("http://localhost:15000", 403),
            ("https://127.0.0.1:15000", 403),
            ("http://127.0.0.1:15000\r\nOrigin: http://127.0.0.1:1", 403),
            ("http://127.0.0.1:15000", 200),
        ):
            self.assertEqual(self.ask("POST /reload", f"Origin: {origin}").status, status, origin)

    def test_token(self) -> None:
        """Without the token there is nothing but whether the gateway is well; with it the Host may be any."""
        file = Path(self.mktemp())
        file.write_text(TOKEN)
        self.token = TokenFile(str(file))
        for page in ("", *PAGES, "nothing"):
            found = self.ask(f"GET /{page}", host="edge.example")
            self.assertEqual(found.status, 200 if page in ("ready", "live") else 401, page)
            self.assertNotIn(PID, found.fields)
        for request in ("POST /drain", "POST /ready", "GET /ready/x"):
            self.assertEqual(self.ask(request).status, 401)
        self.assertTrue(self.gateway.ready)
        self.assertEqual(self.ask("GET /").fields[b"www-authenticate"], b'Bearer realm="edgegate"')
        bearer = f"Authorization: Bearer {TOKEN}"
        self.assertEqual(self.ask("GET /routes", bearer, host="edge.example").status, 200)
        self.assertEqual(self.ask("POST /reload", bearer, "Origin: http://evil.example").status, 403)

    def test_unknown(self) -> None:
        """What is not there says what is; other methods are refused."""
        for path in ("/nothing", "/listeners/more", "/ready/"):
            found = self.ask(f"GET {path}")
            self.assertEqual(found.status, 404, path)
            self.assertIn("/config_dump", found.text)
        self.assertEqual(self.ask("POST /listeners").status, 405)
        self.assertEqual(self.ask("DELETE /reload").status, 405)


class LocalTests(ResourcesTests):
    """Over a UNIX socket."""

    local = True

    def test_host(self) -> None:
        """Any host will do: the file says who may ask."""
        self.assertEqual(self.ask("GET /live", host="gateway").status, 200)
