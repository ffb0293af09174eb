"""Tests of L{edgegate.admin.dashboard}, asked as a browser asks."""

from __future__ import annotations

import configparser
import re
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

import edgegate
from edgegate.admin.address import PID
from edgegate.admin.dashboard import INDEX, KINDS
from edgegate.admin.site import admin_site
from edgegate.admin.token import TokenFile
from tests.admin.asking import Answer, asked
from tests.admin.served import PretendedGateway

BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

STATIC = [each for each in files("edgegate.admin").joinpath("static").iterdir() if each.name != INDEX]


class DashboardTests(SynchronousTestCase):
    """The page and its files."""

    token: TokenFile | None = None

    def ask(self, request: str, *fields: str, host: str = "127.0.0.1:15000") -> Answer:
        """Ask once."""
        site = admin_site(Clock(), PretendedGateway(), token=self.token)
        return asked(site, request, *fields, host=host)

    def test_front(self) -> None:
        """A browser gets the page, everyone else the list of pages, and caches know that it depends on who asks."""
        page = self.ask("GET /", BROWSER)
        self.assertEqual((page.status, page.fields[b"content-type"]), (200, b"text/html; charset=utf-8"))
        self.assertTrue(page.text.startswith("<!doctype html>"))
        for accept in ("Accept: */*", "Accept: text/html;q=0", "Accept: application/json"):
            found = self.ask("GET /", accept)
            self.assertEqual((found.status, found.fields[b"content-type"]), (200, b"text/plain; charset=utf-8"), accept)
            self.assertEqual(found.fields[b"vary"], b"accept")

    def test_files(self) -> None:
        """All that is in the folder is served, as what it is."""
        self.assertIn("main.js", [each.name for each in STATIC])
        for each in STATIC:
            found = self.ask(f"GET /dashboard/{each.name}")
            self.assertEqual((found.status, found.body), (200, each.read_bytes()), each.name)
            self.assertEqual(found.fields[b"content-type"], KINDS[each.name.rpartition(".")[2]])

    def test_no_such_file(self) -> None:
        """Nothing else is, and no list of them."""
        for path in (
            "",
            "/",
            "/nothing.js",
            "/main.js/",
            "/main.js/x",
            "/../token.py",
            "/%2e%2e/token.py",
            "/__init__.py",
        ):
            self.assertEqual(self.ask(f"GET /dashboard{path}").status, 404, path)
        self.assertEqual(self.ask("POST /dashboard/main.js").status, 405)

    def test_policy(self) -> None:
        """Nothing runs or is asked for but what is here, and no browser takes a file for something else."""
        for path in ("/", "/dashboard/main.js", "/dashboard/dashboard.css"):
            fields = self.ask(f"GET {path}", BROWSER).fields
            rules = dict(rule.strip().split(" ", 1) for rule in fields[b"content-security-policy"].decode().split(";"))
            self.assertEqual(rules["default-src"], "'none'")
            self.assertEqual((rules["script-src"], rules["style-src"], rules["connect-src"]), ("'self'",) * 3)
            self.assertEqual((rules["frame-ancestors"], rules["base-uri"], rules["form-action"]), ("'none'",) * 3)
            self.assertEqual(rules["require-trusted-types-for"], "'script'")
            self.assertEqual(fields[b"x-content-type-options"], b"nosniff")

    def test_kept(self) -> None:
        """A browser asks each time, and is told that it has it already, unless it is another."""
        for path in ("/", "/dashboard/main.js"):
            first = self.ask(f"GET {path}", BROWSER)
            self.assertEqual(first.fields[b"cache-control"], b"no-cache")
            tag = first.fields[b"etag"].decode()
            again = self.ask(f"GET {path}", BROWSER, f"If-None-Match: {tag}")
            self.assertEqual((again.status, again.body), (304, b""))
            self.assertEqual(self.ask(f"GET {path}", BROWSER, 'If-None-Match: "another"').status, 200)

    def test_token(self) -> None:
        """Without the token there is the page, which asks for it, and nothing of the gateway; by any name."""
        path = Path(self.mktemp())
        path.write_text("0123456789abcdef")
        self.token = TokenFile(str(path))
        for request in ("GET /", "GET /dashboard/main.js", "HEAD /"):
            found = self.ask(request, BROWSER, host="edge.example:15000")
            self.assertEqual(found.status, 200, request)
            self.assertNotIn(PID, found.fields)
        for request in ("GET /", "GET /dashboards", "POST /dashboard/main.js", "POST /", "GET /routes/dashboard"):
            self.assertEqual(self.ask(request).status, 401, request)
        self.assertEqual(self.ask("GET /dashboard/nothing.js").status, 404)

    def test_foreign_name(self) -> None:
        """Where there is no token, no name but a loopback one leads to it."""
        self.assertEqual(self.ask("GET /", BROWSER, host="evil.example").status, 400)
        self.assertEqual(self.ask("GET /dashboard/main.js", host="evil.example").status, 400)


class SourcesTests(SynchronousTestCase):
    """What the policy demands of the files."""

    def sources(self, kind: str) -> dict[str, str]:
        """Return the files of a kind."""
        folder = files("edgegate.admin").joinpath("static")
        return {each.name: each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(kind)}

    def test_text_only(self) -> None:
        """No text becomes markup or code."""
        for name, text in self.sources(".js").items():
            for word in (
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "Function(",
                "DOMParser",
            ):
                self.assertNotIn(word, text, name)

    def test_nothing_inline(self) -> None:
        """The page has no script, style or handler of its own."""
        (page,) = self.sources(".html").values()
        self.assertEqual(re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", page), [])
        self.assertEqual(re.findall(r"<script[^>]*>(.+?)</script>", page), [])

    def test_no_other_host(self) -> None:
        """No file names another host, but for the name of SVG's vocabulary."""
        for kind in KINDS:
            for name, text in self.sources(f".{kind}").items():
                found = [url for url in re.findall(r"(?:https?:|[\"'(])//[^\s\"')]+", text) if "www.w3.org" not in url]
                self.assertEqual(found, [], name)

    def test_packaged(self) -> None:
        """A wheel has all of them."""
        config = configparser.ConfigParser()
        config.read(Path(edgegate.__file__).resolve().parents[1] / "setup.cfg")
        patterns = config["options.package_data"]["edgegate"].split()
        for each in files("edgegate.admin").joinpath("static").iterdir():
            self.assertTrue(any(fnmatch(f"admin/static/{each.name}", pattern) for pattern in patterns), each.name)
            self.assertIn(each.name.rpartition(".")[2], KINDS)

    def test_imports(self) -> None:
        """Each module that is imported is there."""
        scripts = self.sources(".js")
        for name, text in scripts.items():
            for imported in re.findall(r'from "\./([^"]+)"', text):
                self.assertIn(imported, scripts, name)
