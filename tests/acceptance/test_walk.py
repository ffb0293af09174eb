"""The README's walk through the chapter, command by command, against the real gateway."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.acceptance.coolstore import CoolstoreTestCase
from tests.acceptance.processes import ROOT, free_ports, program, replaced
from tests.acceptance.walk import Step, steps


class WalkTests(CoolstoreTestCase):
    """A reader who types what the README says sees what the README says."""

    def perform(self, command: str) -> str:
        """Run a command of the README in a shell and return all that a terminal would show."""
        # curl shows a progress meter where its output is no terminal
        return self.paste(command, CURL_HOME=str(self.folder), EDGEGATE_ADMIN=self.admin)

    def test_readme(self) -> None:
        """Each command prints what stands below it, errors included."""
        for name in ("bash", "curl", "openssl", "nc"):
            program(name)
        (self.folder / ".curlrc").write_text("no-progress-meter\n")
        (port,) = free_ports(1)
        ports = {**self.ports, 15000: port}
        walk = list(steps(replaced((ROOT / "README.md").read_text(), ports)))
        self.assertGreater(len(walk), 10)
        self.admin = f"127.0.0.1:{port}"
        gateway = self.open_coolstore("etc", f"--admin={self.admin}")
        wrong = []
        for step in walk:
            output = self.perform(step.command)
            if not step.matches(output):
                wrong.append(
                    f"README.md:{step.line}: $ {step.command}\n--- the README says\n{step.expected}\n--- but\n{output}"
                )
        self.assertEqual(wrong, [], "\n".join(wrong) + gateway.output[-2000:])


class StepTests(SynchronousTestCase):
    """How the README is read."""

    def test_commands_and_outputs(self) -> None:
        """Commands may go over several lines; what follows is their output."""
        text = "Words\n\n```console\n$ one \\\n    more\nout\nput\n$ two\n```\n\n```sh\n$ not this\n```\n"
        self.assertEqual(list(steps(text)), [Step(4, "one more", "out\nput"), Step(8, "two", "")])

    def test_dots(self) -> None:
        """Three dots stand for any text of a line, or alone for any lines, none included; nothing else does."""
        step = Step(1, "", "HTTP/1.1 200 OK\n...\ndate: ... GMT\n...\nbye")
        self.assertTrue(step.matches("HTTP/1.1 200 OK \nserver: x\ndate: now GMT\n\nbye\n"))
        self.assertTrue(step.matches("HTTP/1.1 200 OK\ndate: now GMT\nbye\n"))
        self.assertFalse(step.matches("HTTP/1x1 200 OK\ndate: now GMT\nbye"))
        self.assertFalse(step.matches("HTTP/1.1 200 OK\ndate: now\n GMT\nbye"))
        self.assertFalse(step.matches("HTTP/1.1 200 OK\ndate: now GMT"))

    def test_output_without_command(self) -> None:
        """A block that begins with an output is a mistake in the README."""
        self.assertRaises(ValueError, list, steps("```console\nout\n```\n"))
