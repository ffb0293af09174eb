"""Tests of L{edgegate.cli.shared_options}."""

from __future__ import annotations

from pathlib import Path

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin
from edgegate.sources.loading import LoadOptions


@click.command()
@shared_options.admin
@shared_options.load_options
def command(admin: Admin, options: LoadOptions) -> None:
    """Show what was given."""
    click.echo(f"{admin.address}{admin.token.decode()} {options['selector']} {options['port_map']}")


@click.command()
@shared_options.load_options
def others(options: LoadOptions) -> None:
    """Show the rest of it."""
    click.echo(f"{sorted(options['ignored_kinds'])} {options['gateway_namespace']} {options['certificate_issuer']}")


class OptionsTests(SynchronousTestCase):
    """What options become."""

    def test_values(self) -> None:
        """Repeated options are one dictionary."""
        arguments = ["--selector", "a=b", "--selector", "c=", "--map-port", "80:8080", "--admin", "/run/a"]
        output = CliRunner().invoke(command, arguments).output
        self.assertEqual(output, "unix:///run/a {'a': 'b', 'c': ''} {80: 8080}\n")
        self.assertEqual(CliRunner().invoke(command, []).output, "127.0.0.1:15000 None {}\n")

    def test_files(self) -> None:
        """So are the others that say how files are taken."""
        arguments = ["--ignore-kind", "RequestAuthentication", "--ignore-kind", "AuthorizationPolicy"]
        arguments += ["--gateway-namespace", "edge", "--certificate-issuer", "edge/ca"]
        output = CliRunner().invoke(others, arguments).output
        self.assertEqual(output, "['AuthorizationPolicy', 'RequestAuthentication'] edge edge/ca\n")
        self.assertEqual(CliRunner().invoke(others, []).output, "[] None None\n")

    def test_token(self) -> None:
        """A token is read from its file, wherever the option or its variable stands."""
        file = Path(self.mktemp())
        file.write_text(f"{'t' * 16}\n")
        output = f"127.0.0.1:15000{'t' * 16} None {{}}\n"
        self.assertEqual(CliRunner().invoke(command, ["--admin-token-file", str(file)]).output, output)
        variable = {"EDGEGATE_ADMIN_TOKEN_FILE": str(file)}
        self.assertEqual(CliRunner().invoke(command, [], env=variable).output, output)

    def test_refused(self) -> None:
        """What can't be read is a usage error in the user's words."""
        for option, value, words in (
            ("--selector", "a", "expected KEY=VALUE"),
            ("--map-port", "80", "expected two port numbers"),
            ("--admin", "15000", "expected HOST:PORT"),
            ("--admin", "./gw.sock", "the absolute path of a UNIX socket, or none; got"),
            ("--admin", "none", "can't be asked"),
            ("--admin-token-file", "/nowhere/token", "/nowhere/token: No such file or directory"),
        ):
            result = CliRunner().invoke(command, [option, value])
            self.assertEqual(result.exit_code, 2)
            self.assertIn(words, result.output)
