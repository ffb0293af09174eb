"""The dashboard in headless Chromium: what it says of events that are made by hand, and of a gateway that runs."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.events import FLAGS
from edgegate.tls.authority import Authority
from tests.acceptance.chromium import Chromium
from tests.acceptance.pretended_stream import PretendedStream
from tests.acceptance.served import Client, ServedTestCase
from tests.admin.live_events import CART, LISTENER, WEB, endpoint, hostile, issued, many, outage, traffic, well

SOON = 5.0
"""Seconds in which somebody who looks knows what is wrong."""

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()

MARKUP = "<img src=x onerror=hacked=1><script>hacked=1</script>"


@cache
def browser() -> Chromium:
    """Return the browser that all tests share."""
    folder = Path(tempfile.mkdtemp(prefix="edgegate-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    chromium = Chromium(folder)
    atexit.register(chromium.close)
    return chromium


class PageTests:
    """What tests of the page have in common."""

    page: Chromium

    def look(self) -> None:
        """Have a browser whose screen is that of a laptop, and somebody who prefers nothing."""
        self.page = browser()
        self.page.open("about:blank")
        self.page.asked.clear()
        self.page.complaints.clear()
        self.page.size(1280, 800)
        self.page.prefer({})

    def show(self, url: str) -> None:
        """Open the dashboard, and wait until it shows something."""
        self.page.open(url)
        self.page.wait_for("document.querySelector('#headline').innerText", seconds=SOON)

    def troubles(self) -> list[str]:
        """Return what the page says is wrong."""
        found: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('#troubles li')].map(each => each.innerText)"
        )
        return found

    def check_calm(self, url: str) -> None:
        """Nothing was complained of, and nobody else was asked for anything."""
        self.page.evaluate("0")
        assert not self.page.complaints, self.page.complaints
        others = [each for each in self.page.asked if not each.startswith(url)]
        assert self.page.asked, "nothing was asked for"
        assert not others, others


class EventTests(PageTests, SynchronousTestCase):
    """What the page shows of events."""

    def setUp(self) -> None:
        """Have a browser."""
        self.look()

    def serve(self, event: dict[str, Any], token: str = "") -> PretendedStream:
        """Have the page's files and a stream that begins with an event."""
        stream = PretendedStream(event)
        stream.token = token
        self.addCleanup(stream.stop)
        return stream

    def shown(self, event: dict[str, Any]) -> PretendedStream:
        """Show the page of a stream."""
        stream = self.serve(event)
        self.show(stream.url)
        return stream

    def test_well(self) -> None:
        """Where nothing is wrong it says so, and colours nothing."""
        stream = self.shown(well())
        self.assertEqual(self.page.text("#headline"), "All is well")
        self.assertEqual(self.troubles(), [])
        self.assertEqual(
            self.page.evaluate("document.querySelectorAll('[data-level=bad], [data-level=warn]').length"), 0
        )
        self.assertEqual(self.page.evaluate("document.title"), "edgegate")
        self.check_calm(stream.url)

    def test_outage(self) -> None:
        """What is wrong is said in words, the worst first, each with its place in the files."""
        stream = self.shown(outage())
        self.assertEqual(self.page.text("#headline"), "1 thing is wrong, 5 more need a look")
        first, *rest = self.troubles()
        self.assertIn("The backend cart.shop:8080 is down: none of its endpoints can be used", first)
        self.assertIn("10.1.2.1:8080 ejected, 10.1.2.2:8080 ejected", first)
        self.assertIn("backends.yaml:12", first)
        words = " ".join(rest)
        for each in (
            "The files were refused at",
            "no service is called cart-v2.shop",
            "shop.yaml:34",
            "A certificate ends in 6 days: pay.example",
            "A limit is met: connections",
            "payment.shop:8080 fails at times: the backend took too long",
            "10.1.1.3:8080 of the backend web.shop:8080 is unhealthy",
        ):
            self.assertIn(each, words)
        said = self.page.evaluate("document.querySelector('[aria-live=polite]').textContent")
        self.assertIn("The backend cart.shop:8080 is down", said)
        self.assertEqual(self.page.evaluate("document.title"), "\N{BLACK UP-POINTING TRIANGLE} 6 \N{EN DASH} edgegate")
        first_route = self.page.text("#routes-table tbody tr")
        self.assertIn("shop.example /cart*", first_route)
        self.check_calm(stream.url)

    def test_change(self) -> None:
        """What changes is shown, and what is not told stays; rows that left are gone."""
        event = outage()
        stream = self.shown(event)
        good = well()
        rows = good["routes"]["rows"]
        self.assertEqual(len(rows), 6)
        ids = [row["id"] for row in rows[:4]]
        stream.change(
            totals=good["totals"],
            routes={"rows": rows, "order": ids, "total": 4, "rest": 0},
            clusters=good["clusters"],
            endpoints=good["endpoints"],
            certificates=good["certificates"],
            reloads=good["reloads"],
        )
        self.page.wait_for("document.querySelectorAll('#routes-table tbody tr').length === 4")
        (only,) = self.troubles()
        self.assertIn("A limit is met: connections", only)
        self.assertIn("10.1.2.1:8080", self.page.text("#backends-table"))
        stream.change("full", **good)
        self.page.wait_for("document.querySelector('#headline').innerText === 'All is well'")
        self.check_calm(stream.url)

    def test_route(self) -> None:
        """A route that is chosen shows its place, its flags in words, its last errors and slowest requests."""
        stream = self.shown(outage())
        self.page.evaluate("document.querySelector('#routes-table tbody button').focus()")
        self.page.press("Enter")
        self.page.wait_for("document.querySelector('#route').open")
        words = self.page.text("#route")
        for each in (
            "shop.example /cart*",
            "shop.yaml:30",
            "no endpoint of the backend is healthy",
            "the backend could not be connected to; the request was tried as often as it may be: connect refused",
            "POST /cart/items",
            "0e1b7a11-8f5a-4a0e-9c57-2f0d3e1b7a12",
            "812 ms",
            "0 of 2 can be used",
        ):
            self.assertIn(each, words)
        self.page.press("Escape")
        self.page.wait_for("!document.querySelector('#route').open")
        self.assertTrue(self.page.evaluate("document.activeElement.matches('#routes-table tbody button')"))
        self.page.evaluate("document.querySelector('#map li button.card').focus()")
        self.check_calm(stream.url)

    def test_relays(self) -> None:
        """A route of TCP shows how many connections are open and what they carry, on the map as well."""
        full = outage()
        carried = {"open": 12, "rps": 0, "relays": 2, "received": 2048, "sent": 1048576, "error_share": 0.25}
        for table in ("hosts", "routes"):
            full[table]["rows"][0].update(carried)
        self.shown(full)
        self.assertIn("12 open", self.page.text("#routes-table"))
        self.assertIn("12 open 25 % fail", " ".join(self.page.text("#map").split()))
        self.page.evaluate("document.querySelector('#routes-table tbody button').click()")
        self.page.wait_for("document.querySelector('#route').open")
        words = " ".join(self.page.text("#route").split())
        for each in ("Open 12", "Ended/s 2", "From clients 2.00 KiB/s", "To clients 1.00 MiB/s", "Fail 25 %"):
            self.assertIn(each, words)

    def test_unhealthy_map(self) -> None:
        """The map leads from the listener to the endpoint that is out, and names what it passes."""
        stream = self.shown(outage())
        columns = self.page.evaluate("[...document.querySelectorAll('.column')].map(each => each.innerText)")
        for column, words in zip(
            columns, (LISTENER, "shop.example", "/cart*", "cart.shop:8080", "10.1.2.1:8080"), strict=True
        ):
            self.assertIn(words, column)
        self.assertIn("ejected", columns[4])
        lines = self.page.evaluate("document.querySelectorAll('#map path[data-level=bad]').length")
        self.assertEqual(lines, 5)  # from the host to the route to the backend to two endpoints, and to one of another
        self.check_calm(stream.url)

    def test_hostile(self) -> None:
        """What files and clients say is text, whatever it is."""
        stream = self.shown(hostile(MARKUP))
        self.page.evaluate("document.querySelector('#routes-table tbody button').click()")
        self.page.wait_for("document.querySelector('#route').open")
        for selector in (
            "#troubles",
            "#map",
            "#routes-table",
            "#backends-table",
            "#certificates-table",
            "#refused",
            "#route",
        ):
            self.assertIn(MARKUP, self.page.evaluate(f"document.querySelector('{selector}').textContent"), selector)
        self.assertEqual(self.page.evaluate("document.querySelectorAll('img').length"), 0)
        self.assertEqual(self.page.evaluate("document.querySelectorAll('script').length"), 1)
        self.assertEqual(self.page.evaluate("typeof hacked"), "undefined")
        self.check_calm(stream.url)

    def test_no_markup(self) -> None:
        """No text can become markup on this page: its policy forbids it."""
        self.shown(well())
        script = "(() => { try { document.body.innerHTML = 'x' } catch (error) { return error.name } })()"
        self.assertEqual(self.page.evaluate(script), "TypeError")

    def test_many(self) -> None:
        """Of 10,000 hosts those are drawn that are the busiest, and a filter asks for others."""
        stream = self.shown(many(10_000))
        self.assertIn("50 of 10,000 routes, the worst first", self.page.text("#routes-words"))
        self.assertIn("12 routes of 10,000", self.page.text("#map-words"))
        self.assertEqual(self.page.evaluate("document.querySelectorAll('#routes-table tbody tr').length"), 50)
        self.assertEqual(
            self.page.evaluate("document.querySelectorAll('.column')[1].querySelectorAll('li').length"), 12
        )
        self.assertLess(self.page.evaluate("document.querySelectorAll('*').length"), 4000)
        stream.full = many(1, 1)
        self.page.evaluate("document.querySelector('#filter').focus()")
        self.page.type("h7.example")
        self.page.wait_for("document.querySelectorAll('#routes-table tbody tr').length === 1")
        self.assertEqual([each.get("filter", "") for each in stream.asked], ["", "h7.example"])
        self.assertIn("1 route with “h7.example” in them", self.page.text("#routes-words"))
        self.assertTrue(self.page.evaluate("document.activeElement.id === 'filter'"))
        self.check_calm(stream.url)

    def test_sort(self) -> None:
        """The heads of columns sort, and say so."""
        stream = self.shown(well())
        self.assertEqual(stream.asked[0]["sort"], "errors")
        button = "[...document.querySelectorAll('#routes-table thead button')].find(each => each.innerText === 'p99')"
        self.page.evaluate(f"{button}.click()")
        self.page.wait_for(f"{button}.parentElement.ariaSort === 'descending'")
        self.assertEqual(stream.asked[-1]["sort"], "p99")
        self.assertEqual(
            self.page.evaluate("document.querySelectorAll('#routes-table [aria-sort=descending]').length"), 1
        )
        self.check_calm(stream.url)

    def test_order(self) -> None:
        """Rows stay where they are while one has the focus, and what has the focus keeps it."""
        event = well()
        stream = self.shown(event)
        self.page.evaluate("document.querySelectorAll('#routes-table tbody button')[1].focus()")
        before = self.page.evaluate(
            "[...document.querySelectorAll('#routes-table tbody th')].map(each => each.innerText)"
        )
        ids = [row["id"] for row in reversed(event["routes"]["rows"])]
        stream.change(routes={"order": ids}, totals=traffic(999.0))
        self.page.wait_for("document.querySelector('#signals .value').innerText === '999'")
        after = self.page.evaluate(
            "[...document.querySelectorAll('#routes-table tbody th')].map(each => each.innerText)"
        )
        self.assertEqual(before, after)
        self.page.evaluate("document.querySelector('#filter').focus()")
        stream.change(totals=traffic(998.0))
        self.page.wait_for("document.querySelector('#signals .value').innerText === '998'")
        last = self.page.evaluate(
            "[...document.querySelectorAll('#routes-table tbody th')].map(each => each.innerText)"
        )
        self.assertEqual(last, before[::-1])

    def test_token(self) -> None:
        """The page asks for the token where there is one, keeps it while its tab is open, and shows nothing without."""
        stream = self.serve(well(), "0123456789abcdef")
        self.page.open(stream.url)
        self.page.wait_for("document.activeElement.id === 'token-text'")
        self.assertTrue(self.page.evaluate("document.querySelector('#shown').hidden"))
        self.page.type("wrong-wrong-wrong")
        self.page.press("Enter")
        self.page.wait_for("document.querySelector('#token-words').innerText.startsWith('That is not the token')")
        self.page.type("0123456789abcdef")
        self.page.press("Enter")
        self.page.wait_for("document.querySelector('#headline').innerText === 'All is well'")
        self.assertTrue(self.page.evaluate("document.querySelector('#token').hidden"))
        self.assertNotIn("0123456789abcdef", str(self.page.asked))
        self.assertEqual(self.page.evaluate("localStorage.length"), 0)
        # Chromium complains of each answer of 401
        self.assertTrue(all("401" in each for each in self.page.complaints), self.page.complaints)
        self.page.complaints.clear()
        self.show(stream.url)
        self.check_calm(stream.url)
        self.page.evaluate("sessionStorage.clear()")

    def test_lost(self) -> None:
        """Where the gateway is gone the page says so, and that what it shows is old; it comes back by itself."""
        stream = self.shown(well())
        self.page.wait_for("document.querySelector('#state').innerText === 'Live'")
        stream.refuses = True
        stream.end()
        words = "document.querySelector('#state').innerText"
        self.page.wait_for(f"{words}.startsWith('Stale: 8 streams are watched already')")
        self.assertEqual(self.page.evaluate("document.body.dataset.link"), "stale")
        self.assertEqual(self.page.evaluate("document.querySelector('#shown').hidden"), False)
        stream.refuses = False
        self.page.wait_for(f"{words} === 'Live'")
        self.assertTrue(all("503" in each for each in self.page.complaints), self.page.complaints)

    def test_silent(self) -> None:
        """A stream on which nothing comes is said to be stale within a few seconds."""
        self.shown(well())
        self.page.wait_for("document.querySelector('#state').innerText === 'Stale: nothing comes'", seconds=SOON)

    def test_pause(self) -> None:
        """Whoever reads can have it stand still, and go on."""
        stream = self.shown(well())
        self.page.evaluate("document.querySelector('#pause').focus()")
        self.page.press(" ")
        self.page.wait_for("document.querySelector('#state').innerText === 'Paused'")
        self.assertEqual(self.page.evaluate("document.querySelector('#pause').ariaPressed"), "true")
        stream.full = outage()
        self.page.press(" ")
        self.page.wait_for("document.querySelector('#headline').innerText.startsWith('1 thing is wrong')")
        self.check_calm(stream.url)

    def test_workers(self) -> None:
        """A worker that ends by itself is named, whether another one takes its place or none."""
        event = well()
        stream = self.shown(event)
        one, two = event["workers"]["rows"]
        stream.change(workers={"rows": [one, {**two, "pid": 5000}]})
        self.page.wait_for("document.querySelectorAll('#troubles li').length === 1")
        self.assertIn("Worker 2 ended at", self.troubles()[0])
        self.assertIn("another process serves in its place", self.troubles()[0])
        stream.change(workers={"rows": [one]})
        self.page.wait_for("document.querySelector('#headline').innerText.startsWith('1 thing is wrong')")
        self.assertIn("no process serves in its place", self.troubles()[0])

    def test_reloaded(self) -> None:
        """Processes that others replace after a reload are no trouble."""
        event = well()
        stream = self.shown(event)
        one, two = event["workers"]["rows"]
        gateway = {**event["gateway"], "generation_at": "2026-03-01T12:00:00.000Z"}
        stream.change(gateway=gateway, workers={"rows": [one, two, {**one, "pid": 5000}, {**two, "pid": 5001}]})
        stream.change(workers={"rows": [{**two, "files": "older"}, {**one, "pid": 5000}, {**two, "pid": 5001}]})
        stream.change(time="2026-03-01T12:05:00.000Z", workers={"rows": [{**one, "pid": 5000}, {**two, "pid": 5001}]})
        stream.change(totals=traffic(998.0))
        self.page.wait_for("document.querySelector('#signals .value').innerText === '998'")
        self.assertEqual(self.page.text("#headline"), "All is well")

    # For everyone -----------------------------------------------------------------------------------------------------

    def test_contrast(self) -> None:
        """Every text can be read, by day and by night, with a route open and without."""
        for event in (outage(), well()):
            self.page.asked.clear()
            stream = self.shown(event)
            for scheme in ("light", "dark"):
                self.page.prefer({"prefers-color-scheme": scheme})
                for opened in (False, True):
                    if opened:
                        self.page.evaluate("document.querySelector('#routes-table tbody button').click()")
                    found = self.page.evaluate(CONTRAST)
                    self.assertEqual(found["found"], [], scheme)
                    self.assertGreater(found["pairs"], 150)
                self.page.evaluate("document.querySelector('#route').close()")
            self.check_calm(stream.url)

    def test_dark(self) -> None:
        """By night it is dark."""
        self.shown(well())
        light = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        self.page.prefer({"prefers-color-scheme": "dark"})
        dark = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        self.assertEqual((light, dark), ("rgb(246, 247, 248)", "rgb(14, 17, 20)"))

    def test_keyboard(self) -> None:
        """Everything that can be pressed is reached by Tab, in the order in which it is shown, and shows the focus."""
        stream = self.shown(outage())
        wanted = self.page.evaluate(
            "[...document.querySelectorAll('a, button, input, summary')].filter(each => each.checkVisibility()).length"
        )
        self.page.press("Tab")
        self.assertEqual(self.page.evaluate("document.activeElement.className"), "skip")
        reached = 0
        mark = """(() => {
          const at = document.activeElement;
          if (at === document.body || at.dataset.reached) return 'over';
          at.dataset.reached = 1;
          const style = getComputedStyle(at);
          if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return 'unseen ' + at.outerHTML;
          return at.matches('a, button, input, summary') ? 'control' : 'scrolls';
        })()"""
        while (found := self.page.evaluate(mark)) != "over":
            self.assertIn(found, ("control", "scrolls"))
            reached += found == "control"
            self.page.press("Tab")
        self.assertEqual(reached, wanted)
        self.check_calm(stream.url)

    def test_skip(self) -> None:
        """The first key leads past the map."""
        self.shown(well())
        self.page.press("Tab")
        self.page.press("Enter")
        self.page.wait_for("document.activeElement.id === 'routes'")

    def test_screen_reader(self) -> None:
        """There are landmarks, headings, tables with heads, and a name for all that can be pressed."""
        self.shown(outage())
        nodes = self.page.call("Accessibility.getFullAXTree")["nodes"]
        roles: dict[str, list[str]] = {}
        for node in nodes:
            if not node.get("ignored"):
                roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
        for landmark in ("banner", "main", "contentinfo", "search"):
            self.assertEqual(len(roles.get(landmark, [])), 1, landmark)
        for role in ("button", "link", "searchbox", "table", "columnheader", "rowheader", "heading", "region"):
            self.assertTrue(roles.get(role), role)
            self.assertEqual([name for name in roles[role] if not name.strip()], [], role)
        self.assertEqual(len(roles["table"]), 6)
        self.assertEqual(len(roles["status"]), 3)
        self.assertEqual([name for name in roles["textbox"] if not name.strip()], [])
        self.assertEqual(self.page.evaluate("document.documentElement.lang"), "en")
        levels = self.page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(each => each.tagName)")
        self.assertEqual(levels[0], "H1")

    def test_phone(self) -> None:
        """On a phone nothing is wider than the screen but tables, which scroll, and a thumb hits what it can press."""
        for event in (outage(), many(10_000)):
            stream = self.serve(event)
            self.page.size(360, 740)
            self.show(stream.url)
            self.assertEqual(self.page.evaluate("document.documentElement.scrollWidth"), 360)
            small = self.page.evaluate(
                "[...document.querySelectorAll('button, input, summary')].filter(each => each.checkVisibility() && "
                "each.getBoundingClientRect().height < 24).map(each => each.outerHTML)"
            )
            self.assertEqual(small, [])
            self.page.evaluate("document.querySelector('#routes-table tbody button').click()")
            self.assertEqual(self.page.evaluate("document.querySelector('#route').scrollWidth"), 360)

    def test_zoom(self) -> None:
        """So it is with letters of twice the size."""
        stream = self.serve(outage())
        self.page.size(640, 400)
        self.show(stream.url)
        self.assertEqual(self.page.evaluate("document.documentElement.scrollWidth"), 640)

    def test_motion(self) -> None:
        """Nothing moves for whoever prefers that nothing does."""
        self.shown(outage())
        moving = """[...document.querySelectorAll('*')].map(each => getComputedStyle(each)).filter(style =>
          parseFloat(style.transitionDuration) || style.animationName !== 'none' || style.scrollBehavior === 'smooth'
        ).length"""
        self.assertGreater(self.page.evaluate(moving), 0)
        self.page.prefer({"prefers-reduced-motion": "reduce"})
        self.assertEqual(self.page.evaluate(moving), 0)

    # Modules ----------------------------------------------------------------------------------------------------------

    def test_formats(self) -> None:
        """Numbers are short, aligned and honest: what is little is not nothing."""
        stream = self.shown(well())
        self.page.evaluate(f"import('{stream.url}dashboard/format.js').then(found => {{ window.format = found }})")
        for script, words in {
            "rate(0)": "0",
            "rate(0.04)": "<0.1",
            "rate(1234)": "1,234",
            "rate(12345)": "12.3k",
            "rate(null)": "\N{EN DASH}",
            "share(0)": "0 %",
            "share(0.0004)": "<0.1 %",
            "share(0.9996)": ">99.9 %",
            "share(0.25)": "25 %",
            "milliseconds(0.2)": "<1 ms",
            "milliseconds(7.25)": "7.3 ms",
            "milliseconds(1530)": "1.53 s",
            "milliseconds(130000)": "2 min 10 s",
            "duration(90061)": "1 d 1 h",
            "bytes(1536)": "1.50 KiB",
            "bytes(1048576)": "1.00 MiB",
            "many(1, 'route')": "1 route",
            "many(1200, 'route')": "1,200 routes",
            "cluster('outbound|80|v1|web.default.svc.cluster.local')": "web.default:80 (v1)",
            "cluster('whatever')": "whatever",
        }.items():
            self.assertEqual(self.page.evaluate(f"format.{script}"), words, script)

    def test_event_parser(self) -> None:
        """Events are read as the standard says, however they are cut."""
        stream = self.shown(well())
        url = f"{stream.url}dashboard/stream.js"
        self.page.evaluate(f"import('{url}').then(found => {{ window.EventParser = found.EventParser }})")
        text = r": hello\n\nevent: full\ndata: {\ndata:}\r\n\r\nretry: 5\rid: 1\rdata: x\r\rdata: y\n\n"
        wanted = [["full", "{\n}"], ["message", "x"], ["message", "y"]]
        for size in (1, 2, 3, 7, 1000):
            script = f"""(() => {{
              const parser = new EventParser(), found = [], text = "{text}";
              for (let at = 0; at < text.length; at += {size})
                for (const {{name, data}} of parser.feed(text.slice(at, at + {size}))) found.push([name, data]);
              return found;
            }})()"""
            self.assertEqual(self.page.evaluate(script), wanted, size)

    def test_verdicts(self) -> None:
        """A backend that refuses connections is down, one that is down for one endpoint is named, and so on."""
        stream = self.shown(well())
        event = well()
        clusters = event["clusters"]["rows"]
        for row in clusters:
            if row["id"] == CART:
                row.update(endpoints=1, healthy=1, **traffic(12.0, 1.0, 3.0, UF=12.0))
        event["endpoints"]["rows"] = [
            row for row in event["endpoints"]["rows"] if not row["id"].endswith("10.1.2.2:8080")
        ]
        for row in event["routes"]["rows"]:
            if CART in row["clusters"]:
                row.update(traffic(12.0, 1.0, 3.0, UF=12.0))
        stream.change("full", **event)
        self.page.wait_for("document.querySelectorAll('#troubles li').length === 1")
        self.assertIn("cart.shop:8080 is down: no connection to 10.1.2.1:8080 comes about", self.troubles()[0])
        event = well()
        event["gateway"]["state"] = "draining"
        event["totals"] = traffic(100.0, 0.0, 3.0, NR=60.0)
        event["clusters"]["rows"][0]["full"] = ["requests"]
        event["routes"]["rows"][-1].update(traffic(10.0, 0.6, 3.0))
        stream.change("full", **event)
        self.page.wait_for("document.querySelectorAll('#troubles li').length === 4")
        words = " ".join(self.troubles())
        for each in (
            "The gateway drains",
            "at its limit of requests",
            "find no route",
            "shop.example fails: 5xx are answered",
        ):
            self.assertIn(each, words)

    def test_much(self) -> None:
        """What is wrong with much is told in few lines, and what is not listed is counted."""
        event = well()
        web = next(row for row in event["clusters"]["rows"] if row["id"] == WEB)
        web.update(endpoints=9, healthy=4)
        out = [endpoint(WEB, f"10.9.9.{each}:8080", "ejected") for each in range(5)]
        out.append(endpoint("outbound|80||hidden.internal", "10.9.9.9:80", "unhealthy"))
        event["endpoints"]["rows"] += out
        ended = {**event["certificates"]["rows"][0], "status": "EXPIRED", "days_left": -1}
        event["certificates"]["rows"] = [{**ended, "id": str(each)} for each in range(12)]
        self.shown(event)
        self.assertEqual(self.page.text("#headline"), "12 things are wrong, 2 more need a look")
        self.assertEqual((len(self.troubles()), self.page.text("#more")), (12, "and 2 more"))
        self.shown({**event, "certificates": {"rows": [], "total": 0}})
        first, second = self.troubles()
        self.assertIn("Several endpoints of the backend web.shop:8080 can't be used", first)
        self.assertIn("4 of 9 can be used; out are 10.9.9.0:8080", first)
        self.assertIn("10.9.9.9:80 of the backend hidden.internal:80 is unhealthy", second)
        self.assertEqual(self.page.text("#more"), "")

    def test_issuing(self) -> None:
        """A host whose certificate is not issued, or not renewed, is named, with the authority's words and place."""
        self.shown({**well(), "certificates": {"rows": issued(), "total": 3}})
        words = " ".join(self.troubles())
        for each in (
            "No certificate is issued for a.example.com",
            "urn:ietf:params:acme:error:dns: no A record",
            "gateway.yaml:16",
            "A certificate is not renewed: b.example.com",
            "the authority can't be reached; it ends on 2026-04-",
        ):
            self.assertIn(each, words)
        self.assertEqual(self.page.text("#headline"), "1 thing is wrong, 1 more needs a look")
        table = self.page.text("#certificates-table")
        for each in (
            "is not issued",
            "is not renewed",
            "is to be issued",
            "default/letsencrypt, next now",
            "last error",
        ):
            self.assertIn(each, table)
        waiting = well()
        waiting["gateway"]["state"] = "waiting"
        self.shown(waiting)
        self.assertIn("waits for its first certificates", " ".join(self.troubles()))

    def test_little(self) -> None:
        """One request that fails is no outage, and a gateway that was started anew has lost no worker."""
        event = well()
        stream = self.shown(event)
        event["routes"]["rows"][0].update(traffic(0.2, 1.0, 3.0))
        event["gateway"] = {**event["gateway"], "started": "2026-03-01T11:59:59.000Z"}
        event["workers"] = {"rows": [{**row, "pid": row["pid"] + 10} for row in event["workers"]["rows"]]}
        stream.change("full", **event)
        self.page.wait_for("document.querySelectorAll('#troubles li').length")
        self.assertEqual(self.page.text("#headline"), "1 thing needs a look")
        self.assertIn("shop.example /images* fails: 5xx are answered", self.troubles()[0])

    def test_flags(self) -> None:
        """Of every response flag the page knows whose it is."""
        stream = self.shown(well())
        self.page.evaluate(f"import('{stream.url}dashboard/flags.js').then(found => {{ window.flags = found }})")
        for flag in FLAGS:
            self.assertTrue(self.page.evaluate(f"flags.whose('{flag}')"), flag)
        self.assertEqual(self.page.evaluate("flags.causes(['UO', 'URX', 'UF'])"), ["UF", "UO", "URX"])


FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*.example"], bind: 127.0.0.1}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: [shop.example]
    bind: 127.0.0.1
    tls: {mode: SIMPLE, serverCertificate: shop.crt, privateKey: shop.key}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cart}
spec:
  hosts: [cart.internal]
  resolution: STATIC
  ports: [{number: 80, name: http}]
  endpoints: [{address: 127.0.0.1, ports: {http: $cart}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - name: cart
    match: [{uri: {prefix: /cart}}]
    route: [{destination: {host: cart.internal}}]
  - name: all
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

ISSUED = Authority.new("Test authority").server(["shop.example"], lifetime=timedelta(days=5))


class GatewayTests(PageTests, ServedTestCase):
    """A gateway of two processes, of which one backend does not answer, and whose certificate ends."""

    files = {"gw.yaml": FILES, "shop.crt": ISSUED.chain_pem.decode(), "shop.key": ISSUED.key_pem.decode()}
    opened = {"one": ""}
    dead = ("cart", "https")
    options = ("--workers=2",)

    def setUp(self) -> None:
        """Have a browser and the gateway."""
        self.look()
        super().setUp()
        self.url = f"http://127.0.0.1:{self.served.ports['admin']}/"

    @contextmanager
    def load(self) -> Iterator[None]:
        """Have clients ask for a page of each backend, a little."""
        over = threading.Event()

        def ask(path: str) -> None:
            client = Client(self.served.ports["http"])
            while not over.wait(0.02):
                client.ask("GET", path, "shop.example")
            client.close()

        clients = [threading.Thread(target=ask, args=(path,)) for path in ("/", "/cart/1")]
        for each in clients:
            each.start()
        try:
            yield
        finally:
            over.set()
            for each in clients:
                each.join()

    def says(self, words: str, seconds: float = SOON) -> None:
        """Wait until the page says that something is wrong."""
        self.page.wait_for("document.querySelector('#troubles').innerText", lambda text: words in text, seconds)

    def reload(self) -> int:
        """Have the files read again; return the status."""
        script = "fetch('reload', {method: 'POST'}).then(answer => answer.status)"
        return int(self.page.evaluate(script))

    def test_down(self) -> None:
        """Who looks knows within 5 seconds which backend is down and why, and finds its last errors."""
        with self.load():
            self.show(self.url)
            dead = f"127.0.0.1:{self.served.ports['cart']}"
            self.says(f"The backend cart.internal:80 is down: no connection to {dead} comes about")
            self.says("connect refused")
            self.says("gw.yaml:12")
            self.says("A certificate ends in 4 days: shop.example")
            self.assertIn("shop.example /cart*", self.page.text("#routes-table tbody tr"))
            columns = self.page.evaluate("[...document.querySelectorAll('.column')].map(each => each.innerText)")
            wanted = (str(self.served.ports["http"]), "shop.example", "/cart* · cart", "cart.internal:80", dead)
            for column, words in zip(columns, wanted, strict=True):
                self.assertIn(words, column)
            self.page.evaluate("document.querySelector('#routes-table tbody button').click()")
            self.page.wait_for("document.querySelector('#route').innerText.includes('GET /cart/1')")
            shown = self.page.text("#route")
            for words in ("gw.yaml:28", "VirtualService default/shop", "the backend could not be connected to", dead):
                self.assertIn(words, shown)
        self.check_calm(self.url)

    def test_refused(self) -> None:
        """Files that are refused are told with their place, and no more once they are mended."""
        self.show(self.url)
        path = self.served.folder / "etc" / "gw.yaml"
        right = path.read_text()
        path.write_text(right.replace("name: cart\n    match", "nam: cart\n    match"))
        try:
            self.assertEqual(self.reload(), 422)
            self.says("The files were refused at")
            self.says("gw.yaml:28")
            self.assertIn("nam", self.page.text("#refused"))
        finally:
            path.write_text(right)
        self.assertEqual(self.reload(), 200)
        self.page.wait_for("!document.querySelector('#troubles').innerText.includes('refused')")
        self.assertIn("Files that were taken since are served", self.page.text("#refused"))
        # Chromium tells of the answer of 422
        self.assertEqual([each for each in self.page.complaints if "422" not in each], [])

    def test_worker(self) -> None:
        """A worker that is killed is told, and the one in its place is shown."""
        self.show(self.url)
        script = "[...document.querySelectorAll('#workers-table tbody td:first-of-type')].map(each => each.innerText)"
        before = self.page.wait_for(script, lambda found: len(found) == 2)
        os.kill(int(before[0]), signal.SIGKILL)
        self.says("Worker ", seconds=20)
        self.page.wait_for(script, lambda found: len(found) == 2 and before[0] not in found)
        self.check_calm(self.url)

    def test_explain(self) -> None:
        """A request that is asked about shows its way through the files in force, and where it stops."""
        self.show(self.url)
        port = self.served.ports["http"]

        def explain(url: str) -> str:
            self.page.evaluate(f"document.querySelector('#explain-url').value = '{url}'")
            self.page.evaluate("document.querySelector('#explain-words').textContent = ''")
            self.page.evaluate("document.querySelector('#explain-url').focus()")
            self.page.press("Enter")
            words = "document.querySelector('#explain-words').innerText"
            return str(self.page.wait_for(words, lambda text: text not in ("", "Asking")))

        self.assertEqual(explain(f"http://shop.example:{port}/cart/1"), "It is served.")
        words = self.page.text("#explain-tree")
        for each in (
            "virtual host shop.example",
            "yes: route cart",
            "gw.yaml:",
            f"127.0.0.1:{self.served.ports['cart']}",
        ):
            self.assertIn(each, words)
        self.assertEqual(explain(f"http://nobody.else:{port}/<b>"), "It is not served.")
        self.assertIn("no virtual host of this port has nobody.else", self.page.text("#explain-tree"))
        self.assertTrue(self.page.evaluate("document.querySelectorAll('#explain-tree [data-mood=bad]').length"))
        self.assertEqual(self.page.evaluate("document.querySelectorAll('#explain-tree b').length"), 0)
        self.check_calm(self.url)
        self.assertEqual(explain("nobody"), "a URL begins with http://, https://, ws://, wss://, tcp:// or tls://")

    def test_front(self) -> None:
        """The page is whole: all that it asks for is there, from the gateway alone."""
        self.show(self.url)
        self.page.wait_for("document.querySelector('#state').innerText === 'Live'")
        self.assertIn(f"{self.url}dashboard/dashboard.css", self.page.asked)
        self.assertIn(
            f"{self.url}dashboard/icon.svg", self.page.evaluate("document.querySelector('link[rel=icon]').href")
        )
        self.check_calm(self.url)
