"""Tests of L{edgegate.access.passwords.htpasswd}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.passwords.htpasswd import LONGEST_NAME, MOST_USERS, parse_htpasswd
from tests.access.passwords.test_hashes import BCRYPT, SHA512


class HtpasswdTests(SynchronousTestCase):
    """Files of users."""

    def test_users(self) -> None:
        """Empty lines, comments and the line ends of other systems are passed over."""
        file = parse_htpasswd(b"\xef\xbb\xbf# staff\r\n\r\nali:%b\r\nf\xc3\xb6:%b" % (SHA512, BCRYPT))
        self.assertEqual(file.users, {b"ali": SHA512, b"f\xc3\xb6": BCRYPT})
        self.assertEqual(file.mistakes, [])
        self.assertEqual([each.line for each in file.doubts], [4])

    def test_mistakes(self) -> None:
        """Each is told with its line, and no line is repeated."""
        lines = (
            (b"ali:secret", "no hash of a password"),
            (b"ali", "no colon"),
            (b":" + SHA512, "1 to 255"),
            (b"x" * (LONGEST_NAME + 1) + b":" + SHA512, "1 to 255"),
            (b"a\xff:" + SHA512, "UTF-8"),
            (b"a\x01:" + SHA512, "control characters"),
            (b" a:" + SHA512, "blanks"),
            (b"bob:" + SHA512, ""),
            (b"bob:" + BCRYPT, "line 8 already"),
            (b"eve:realm:" + b"0" * 32, "no hash of a password"),
        )
        file = parse_htpasswd(b"\n".join(line for line, _ in lines))
        told = {each.line: each.message for each in file.mistakes}
        for number, (line, message) in enumerate(lines, 1):
            self.assertIn(message, told.get(number, ""))
            self.assertNotIn(line.decode("latin-1"), told.get(number, ""))
        self.assertEqual(set(file.users), {b"bob"})

    def test_empty(self) -> None:
        """A file without a user is a mistake: nobody could enter."""
        self.assertEqual([each.line for each in parse_htpasswd(b"# nobody\n").mistakes], [1])

    def test_many(self) -> None:
        """There is a limit."""
        file = parse_htpasswd(b"\n".join(b"u%d:%b" % (number, SHA512) for number in range(MOST_USERS + 2)))
        self.assertEqual(len(file.users), MOST_USERS)
        self.assertEqual(len(file.mistakes), 1)
