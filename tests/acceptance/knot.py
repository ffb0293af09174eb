"""A real name server that takes updates of its zone (RFC 2136): Debian's knot."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
from pathlib import Path

from dns import message, query, rdatatype
from twisted.trial.unittest import SkipTest

from tests.acceptance.processes import ENVIRONMENT, PATIENCE, AcceptanceTestCase

SETTINGS = """\
server:
  listen: 127.0.0.1@{port}
  rundir: {run}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: {folder}/database
log:
- target: stdout
  any: info
key:
- id: edge_gate
  algorithm: hmac-sha512
  secret: {secret}
acl:
- id: updates
  key: edge_gate
  action: update
  update-type: TXT
zone:
- domain: example.com
  storage: {folder}
  file: example.com.zone
  zonefile-sync: -1
  zonefile-load: whole
  journal-content: none
  acl: updates
"""

ZONE = """\
$ORIGIN example.com.
$TTL 60
@ SOA 127.0.0.1. admin 1 60 60 60 60
@ NS 127.0.0.1.
"""


class Knot:
    """
    The server of C{example.com}. All TXT records may be updated with its key, and nothing else.

    @ivar port: At which it is asked.
    @ivar key: The file with its key, which is called C{edge_gate}, for C{hmac-sha512}.
    """

    def __init__(self, case: AcceptanceTestCase, port: int, records: str = "") -> None:
        """
        @param records: More of the zone, as a zone's file has them.
        """
        knotd = shutil.which("knotd", path=os.pathsep.join([ENVIRONMENT["PATH"], "/usr/sbin"]))
        if knotd is None:
            raise SkipTest("knotd is not installed")
        self.port = port
        folder = case.folder / "knot"
        (folder / "database").mkdir(parents=True)
        secret = base64.b64encode(os.urandom(64)).decode("ascii")
        self.key: Path = folder / "key"
        self.key.write_text(f"{secret}\n")
        (folder / "example.com.zone").write_text(ZONE + records)
        settings = folder / "knot.conf"
        # the path of a UNIX socket, without which it does not go on, is short
        run = tempfile.mkdtemp(prefix="knot")
        case.addCleanup(shutil.rmtree, run)
        settings.write_text(SETTINGS.format(port=port, folder=folder, run=run, secret=secret))
        case.start(knotd, "-c", str(settings)).says("control, binding to")

    def texts(self, name: str) -> list[str]:
        """Return what it answers with as TXT records of a name."""
        answer = query.tcp(message.make_query(name, rdatatype.TXT), "127.0.0.1", PATIENCE, self.port)
        return [each.to_text() for records in answer.answer if records.rdtype == rdatatype.TXT for each in records]
