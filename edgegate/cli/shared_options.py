"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgegate.admin.address import DEFAULT, parse_admin_address
from edgegate.admin.token import BadToken, read_token
from edgegate.cli.admin_client import Admin
from edgegate.model.addresses import Address
from edgegate.option_values import parse_ignored_kind, parse_issuer, parse_label, parse_namespace, parse_port_map

if TYPE_CHECKING:  # most commands ask a gateway, and read no files
    from edgegate.sources.loading import LoadOptions

T = TypeVar("T")


def _each(parse: Callable[[str], tuple[T, Any]]) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], Any]:
    """Return a callback that makes a dictionary of a repeatable option."""

    def callback(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[T, Any]:
        try:
            return dict(parse(value) for value in values)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _all(parse: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], Any]:
    """Return a callback that makes a set of a repeatable option."""

    def callback(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> frozenset[T]:
        try:
            return frozenset(parse(value) for value in values)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _address(context: click.Context, parameter: click.Parameter, value: str | None) -> Address | None:
    if value is None:
        return None
    try:
        address = parse_admin_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if address is None:
        raise click.BadParameter("a gateway without an admin listener can't be asked")
    return address


def _token(context: click.Context, parameter: click.Parameter, value: str | None) -> bytes:
    try:
        return b"" if value is None else read_token(value)
    except BadToken as error:
        raise click.BadParameter(str(error)) from None


def named(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty name, as of a variable that is not set: it would be the current folder's."""
    if value == "":
        raise click.BadParameter("it is empty: name a folder or a file, or . for this folder")
    return value


def _named_namespace(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return parse_namespace(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _named_issuer(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return parse_issuer(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_PLACE = click.Path(readable=False)
"""Completed as a path; what is wrong with it, whoever reads it says."""

selector = click.option(
    "--selector",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_each(parse_label),
    help="A label of the gateway; repeatable. Only Gateways whose selector they satisfy are looked at. [default: all]",
)

_map_port = click.option(
    "--map-port",
    metavar="FILE:BOUND",
    multiple=True,
    callback=_each(parse_port_map),
    help="The gateway will bind BOUND where the files say FILE; repeatable.",
)

_ignore_kind = click.option(
    "--ignore-kind",
    metavar="KIND",
    multiple=True,
    callback=_all(parse_ignored_kind),
    help="AuthorizationPolicy or RequestAuthentication: take the files as if nothing were refused because of these; "
    "repeatable.",
)

_gateway_namespace = click.option(
    "--gateway-namespace",
    metavar="NAME",
    callback=_named_namespace,
    help="The namespace that the gateway is in: access policies without targetRefs are looked for there and in the "
    "root namespace. [default: the root namespace, or default where no document names another]",
)

certificate_issuer = click.option(
    "--certificate-issuer",
    metavar="NAME",
    callback=_named_issuer,
    help="The CertificateIssuer of Gateways that name none: NAME or NAMESPACE/NAME.",
)


def load_options(command: Callable[..., T]) -> Callable[..., T]:
    """Give a command the options that say how a gateway takes its files, together as its parameter C{options}."""

    @selector
    @_map_port
    @_ignore_kind
    @_gateway_namespace
    @certificate_issuer
    @wraps(command)
    def taking(
        *arguments: object,
        selector: dict[str, str],
        map_port: dict[int, int],
        ignore_kind: frozenset[str],
        gateway_namespace: str | None,
        certificate_issuer: str | None,
        **others: object,
    ) -> T:
        options: LoadOptions = {
            "selector": selector or None,
            "port_map": map_port,
            "ignored_kinds": ignore_kind,
            "gateway_namespace": gateway_namespace,
            "certificate_issuer": certificate_issuer,
        }
        return command(*arguments, options=options, **others)

    return taking


_admin = click.option(
    "--admin",
    metavar="ADDR",
    type=_PLACE,
    default=DEFAULT,
    envvar="EDGEGATE_ADMIN",
    show_envvar=True,
    show_default=True,
    callback=_address,
    help="Where the gateway's admin listener is: HOST:PORT, or the path of a UNIX socket.",
)

_admin_token_file = click.option(
    "--admin-token-file",
    metavar="FILE",
    envvar="EDGEGATE_ADMIN_TOKEN_FILE",
    show_envvar=True,
    callback=_token,
    help="File with the token that the admin listener asks for, where the gateway has one.",
)


def admin(command: Callable[..., T]) -> Callable[..., T]:
    """Give a command C{--admin} and C{--admin-token-file}, together as its parameter C{admin}."""

    @_admin
    @_admin_token_file
    @wraps(command)
    def asking(*arguments: object, admin: Address, admin_token_file: bytes, **others: object) -> T:
        return command(*arguments, admin=Admin(admin, admin_token_file), **others)

    return asking


def optional_admin(what: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """
    Give a command C{--admin} and C{--admin-token-file} whose parameter C{admin} is L{None} where no gateway is named.

    @param what: What a gateway that is named is asked for, for the help.
    """
    option = click.option(
        "--admin",
        metavar="ADDR",
        callback=_address,
        help=f"{what} HOST:PORT, or the path of a UNIX socket.",
    )

    def decorated(command: Callable[..., T]) -> Callable[..., T]:
        @option
        @_admin_token_file
        @wraps(command)
        def asking(*arguments: object, admin: Address | None, admin_token_file: bytes, **others: object) -> T:
            asked = None if admin is None else Admin(admin, admin_token_file)
            return command(*arguments, admin=asked, **others)

        return asking

    return decorated
