"""Tests of L{edgegate.admin.requests_page}, asked as a client asks it."""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.options import AdminOptions
from edgegate.admin.requests_page import MOST_ID, MOST_SHOWN
from edgegate.admin.site import admin_site
from edgegate.admin.views import Row
from tests.admin.asking import Answer, asked
from tests.admin.served import PretendedGateway


def row(number: int) -> Row:
    """Return a request as it is listed."""
    return {
        "time": f"2026-03-01T12:00:{number:02d}.000Z",
        "method": "GET",
        "authority": "shop.example",
        "target": f"/{number}",
        "status": 503,
        "flags": ["URX", "UF"],
        "duration_ms": 12,
        "tries": 2,
        "request_id": f"id-{number}",
    }


class RequestsPageTests(SynchronousTestCase):
    """A client on a UNIX socket."""

    def setUp(self) -> None:
        """Keep three requests, as they come from two workers."""
        self.gateway = PretendedGateway()
        self.gateway.requests = [{"worker": 0, **row(1)}, {"worker": 0, **row(3)}, {"worker": 1, **row(2)}]

    def get(self, path: str, *fields: str, local: bool = True, kept: bool = True) -> Answer:
        """Ask for a page."""
        site = admin_site(Clock(), self.gateway, local, AdminOptions(keeps_requests=kept))
        return asked(site, f"GET {path}", *fields)

    def test_list(self) -> None:
        """The last requests of all workers, the latest first, as a table or as JSON."""
        answer = self.get("/requests")
        lines = answer.text.splitlines()
        self.assertEqual([line.split()[3] for line in lines[1:]], ["/3", "/2", "/1"])
        self.assertEqual(lines[1].split()[4:7], ["503", "URX,", "UF"])
        listed = json.loads(self.get("/requests?format=json").text)
        self.assertEqual([each["request_id"] for each in listed], ["id-3", "id-2", "id-1"])
        self.gateway.requests = [row(number % 60) for number in range(MOST_SHOWN + 1)]
        self.assertEqual(len(json.loads(self.get("/requests/?format=json").text)), MOST_SHOWN)

    def test_none(self) -> None:
        """Before the first request there is none."""
        self.gateway.requests = []
        self.assertEqual(self.get("/requests").text, "no requests found\n")

    def test_story(self) -> None:
        """One by its id; 404 where it is not there."""
        self.assertEqual(json.loads(self.get("/requests/id-2").text), [{"worker": 1, **row(2)}])
        for path, status in (
            ("/requests/id-9", 404),
            ("/requests/id-2/x", 404),
            (f"/requests/{'x' * (MOST_ID + 1)}", 400),
        ):
            self.assertEqual(self.get(path).status, status, path)

    def test_off(self) -> None:
        """Without the option both say how to have it."""
        for path, status in (("/requests", 200), ("/requests/id-2", 404)):
            answer = self.get(path, kept=False, local=False)
            self.assertEqual(answer.status, status)
            self.assertIn("--recent-requests", answer.text)

    def test_forbidden(self) -> None:
        """Who has shown nothing sees nothing that clients have sent."""
        for path in ("/requests", "/requests/id-2"):
            answer = self.get(path, local=False)
            self.assertEqual(answer.status, 403)
            self.assertNotIn("shop.example", answer.text)
