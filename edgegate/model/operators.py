# Compiled: values that hot modules read.
"""
Envoy's command operators, as C{%REQ(x-user)%}: which there are, and how each is written
(U{https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter}).

Here they are told apart; what they stand for is for the data plane to know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edgegate.model.picklable import Picklable

_TIMES = ("START_TIME", "START_TIME_LOCAL", "EMIT_TIME", "EMIT_TIME_LOCAL")
_VALIDITY = tuple(f"{side}_PEER_CERT_V_{end}" for side in ("DOWNSTREAM", "UPSTREAM") for end in ("START", "END"))
_ADDRESSES = (
    *("DOWNSTREAM_DIRECT_LOCAL_ADDRESS", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "DOWNSTREAM_LOCAL_ADDRESS"),
    *("DOWNSTREAM_REMOTE_ADDRESS", "UPSTREAM_LOCAL_ADDRESS", "UPSTREAM_REMOTE_ADDRESS"),
)
_NAMES = ("URI_SAN", "DNS_SAN", "IP_SAN")
_MORE_NAMES = (*_NAMES, "EMAIL_SAN", "OTHERNAME_SAN")

ALONE = frozenset(
    (
        *_ADDRESSES,
        *(f"{name.removesuffix('ADDRESS')}PORT" for name in _ADDRESSES),
        *("DURATION", "REQUEST_DURATION", "REQUEST_TX_DURATION", "RESPONSE_DURATION", "RESPONSE_TX_DURATION"),
        *("DOWNSTREAM_HANDSHAKE_DURATION", "ROUNDTRIP_DURATION", "UPSTREAM_CONNECTION_POOL_READY_DURATION"),
        *("BYTES_RECEIVED", "BYTES_SENT", "BYTES_RETRANSMITTED", "PACKETS_RETRANSMITTED", "DOWNSTREAM_CX_RTT"),
        *(
            f"{side}_{what}_{way}"
            for side in ("DOWNSTREAM", "UPSTREAM")
            for what in ("WIRE_BYTES", "HEADER_BYTES", "DECOMPRESSED_HEADER_BYTES")
            for way in ("RECEIVED", "SENT")
        ),
        *("REQUEST_HEADERS_BYTES", "RESPONSE_HEADERS_BYTES", "RESPONSE_TRAILERS_BYTES"),
        *("PROTOCOL", "UPSTREAM_PROTOCOL", "RESPONSE_CODE", "RESPONSE_FLAGS", "RESPONSE_FLAGS_LONG", "CUSTOM_FLAGS"),
        *("GRPC_STATUS_NUMBER", "LOCAL_REPLY_BODY", "ACCESS_LOG_TYPE", "CONNECTION_TERMINATION_DETAILS"),
        *("UPSTREAM_HOST", "UPSTREAM_HOST_NAME", "UPSTREAM_HOST_NAME_WITHOUT_PORT", "UPSTREAM_CLUSTER"),
        *("UPSTREAM_CLUSTER_RAW", "UPSTREAM_REQUEST_ATTEMPT_COUNT", "UPSTREAM_SERVER_NAME", "ROUTE_NAME"),
        # edgegate's own
        *("ROUTE_ORIGIN", "POLICY", "POLICY_ORIGIN"),
        *("UPSTREAM_HOSTS_ATTEMPTED", "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", "UPSTREAM_HOST_NAMES_ATTEMPTED"),
        *("UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT", "UPSTREAM_CONNECTION_ID", "UPSTREAM_CONNECTION_IDS_ATTEMPTED"),
        *("DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID", "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID"),
        *("UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID", "CONNECTION_ID", "STREAM_ID", "UNIQUE_ID", "TRACE_ID", "SPAN_ID"),
        *("HOSTNAME", "FILTER_CHAIN_NAME", "VIRTUAL_CLUSTER_NAME", "TLS_JA3_FINGERPRINT", "TLS_JA4_FINGERPRINT"),
        *("DOWNSTREAM_TRANSPORT_FAILURE_REASON", "DOWNSTREAM_LOCAL_CLOSE_REASON", "DOWNSTREAM_DETECTED_CLOSE_TYPE"),
        *("UPSTREAM_TRANSPORT_FAILURE_REASON", "UPSTREAM_LOCAL_CLOSE_REASON", "UPSTREAM_DETECTED_CLOSE_TYPE"),
        *(
            f"{side}_TLS_{what}"
            for side in ("DOWNSTREAM", "UPSTREAM")
            for what in ("CIPHER", "GROUP", "SESSION_ID", "VERSION")
        ),
        *(f"DOWNSTREAM_PEER_{what}" for what in ("CERT", "SUBJECT", "ISSUER", "SERIAL", *_MORE_NAMES)),
        *("DOWNSTREAM_PEER_FINGERPRINT_1", "DOWNSTREAM_PEER_FINGERPRINT_256", "DOWNSTREAM_PEER_CHAIN_SERIALS"),
        *("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256"),
        *("DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256", "DOWNSTREAM_PEER_ISSUER_SERIAL"),
        *(f"DOWNSTREAM_LOCAL_{what}" for what in ("SUBJECT", *_MORE_NAMES)),
        *(f"UPSTREAM_PEER_{what}" for what in ("CERT", "SUBJECT", "ISSUER", *_NAMES)),
        *(f"UPSTREAM_LOCAL_{what}" for what in _NAMES),
    )
)
"""The operators that have no argument."""

OPTIONAL = frozenset(
    (
        *(f"{name}_WITHOUT_PORT" for name in _ADDRESSES),
        *("GRPC_STATUS", "PATH", "QUERY_PARAMS", "REQUESTED_SERVER_NAME", "RESPONSE_CODE_DETAILS", *_TIMES, *_VALIDITY),
    )
)
"""Those that may have one."""

REQUIRED = frozenset(
    (
        *("REQ", "RESP", "TRAILER", "STREAM_INFO_REQ", "ENVIRONMENT", "QUERY_PARAM", "COALESCE", "COMMON_DURATION"),
        *("CLUSTER_METADATA", "DYNAMIC_METADATA", "METADATA", "UPSTREAM_METADATA", "FILTER_STATE"),
        *("UPSTREAM_FILTER_STATE", "PER_REQUEST_STATE", "XFCC_VALUE"),
    )
)
"""Those that must."""

OPERATORS = ALONE | OPTIONAL | REQUIRED

_CUT = frozenset(
    (
        *("REQ", "RESP", "TRAILER", "STREAM_INFO_REQ", "ENVIRONMENT", "QUERY_PARAM", "QUERY_PARAMS", "PATH"),
        *("COALESCE", "DYNAMIC_METADATA", "METADATA", "FILTER_STATE", "UPSTREAM_FILTER_STATE", "PER_REQUEST_STATE"),
    )
)
"""Those whose value may be cut, as in C{%REQ(x):8%}."""


def _nothing_of(names: Iterable[str], why: str) -> dict[str, str]:
    return dict.fromkeys(names, why)


_NOT_SENT_YET = frozenset(
    f"DOWNSTREAM_{what}_SENT" for what in ("WIRE_BYTES", "HEADER_BYTES", "DECOMPRESSED_HEADER_BYTES")
)
"""Of a response whose headers are being made nothing has left."""

EMPTY: dict[str, str] = {
    **_nothing_of(
        (name for name in ALONE if name.endswith(("_ATTEMPTED", "_ATTEMPTED_WITHOUT_PORT"))), "tries are not kept"
    ),
    **_nothing_of(("UPSTREAM_CONNECTION_ID",), "connections to backends have no numbers"),
    **_nothing_of(("TRAILER",), "trailers come after the headers"),
    **_nothing_of(("TRACE_ID", "SPAN_ID"), "backends are told of traces by the headers of --trace-propagation"),
    **_nothing_of(
        ("CLUSTER_METADATA", "METADATA", "UPSTREAM_METADATA"), "there is no metadata of Envoy's but DYNAMIC_METADATA"
    ),
    **_nothing_of(
        ("FILTER_STATE", "UPSTREAM_FILTER_STATE", "PER_REQUEST_STATE", "CUSTOM_FLAGS"), "no filter leaves anything here"
    ),
    **_nothing_of(("VIRTUAL_CLUSTER_NAME",), "there are no virtual clusters"),
    **_nothing_of(("TLS_JA3_FINGERPRINT", "TLS_JA4_FINGERPRINT"), "no fingerprints of clients are taken"),
    **_nothing_of(("DOWNSTREAM_TLS_SESSION_ID", "UPSTREAM_TLS_SESSION_ID"), "sessions have no id that is told"),
    **_nothing_of(
        (
            name
            for name in ALONE
            if name.endswith(("_CX_RTT", "_RETRANSMITTED", "_DETECTED_CLOSE_TYPE"))
            or ("_BYTES_" in name and name.startswith(("UPSTREAM_", "DOWNSTREAM_")) and name not in _NOT_SENT_YET)
        ),
        "it is not measured",
    ),
    **_nothing_of((name for name in ALONE if name.endswith("_ENDPOINT_ID")), "that is for Envoy's internal listeners"),
    **_nothing_of(
        (
            *("DOWNSTREAM_LOCAL_CLOSE_REASON", "UPSTREAM_LOCAL_CLOSE_REASON", "DOWNSTREAM_TRANSPORT_FAILURE_REASON"),
            *("CONNECTION_TERMINATION_DETAILS", "ROUNDTRIP_DURATION", "RESPONSE_TX_DURATION", "LOCAL_REPLY_BODY"),
        ),
        "it is not known yet when headers are made",
    ),
}
"""Operators that stand for nothing in the headers of this gateway, and why."""

_KNOWN_AT_THE_END = frozenset(
    (
        *("TRAILER", "CONNECTION_TERMINATION_DETAILS", "RESPONSE_TX_DURATION", "TRACE_ID", "SPAN_ID"),
        "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    )
)

EMPTY_AT_THE_END: dict[str, str] = {
    **{name: why for name, why in EMPTY.items() if name not in _KNOWN_AT_THE_END},
    **_nothing_of(("LOCAL_REPLY_BODY",), "bodies are not kept"),
    **_nothing_of(("DOWNSTREAM_LOCAL_CLOSE_REASON", "UPSTREAM_LOCAL_CLOSE_REASON"), "flags and details say why"),
    **_nothing_of(("ROUNDTRIP_DURATION", *_NOT_SENT_YET), "it is not measured"),
}
"""Those that stand for nothing in its access log."""


class UnknownOperator(ValueError):
    """
    There is no such command operator.

    @ivar name: As it was written.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"unknown operator %{name}%")


@dataclass(frozen=True, slots=True)
class Operator(Picklable):
    """
    A command operator: C{%REQ(x-user?x-name):16%}.

    @ivar argument: What stands in its parentheses; empty: nothing does.
    @ivar longest: Bytes of its value that are kept; L{None}: all.
    @ivar choices: Of C{%COALESCE%}: the operators of which the first counts that stands for anything.
    """

    name: str
    argument: str = ""
    longest: int | None = None
    choices: tuple[Operator, ...] = ()


def operator(name: str, argument: str = "", longest: int | None = None) -> Operator:
    """
    Return an operator that was read.

    @raise ValueError: It is not known, or not written so.
    """
    if name not in OPERATORS:
        raise UnknownOperator(name)
    if name in REQUIRED and not argument:
        raise ValueError(f"%{name}% needs an argument, as in %{name}({_EXAMPLES.get(name, 'name')})%")
    if name in ALONE and argument:
        raise ValueError(f"%{name}% has no argument")
    if longest is not None and name not in _CUT:
        raise ValueError(f"%{name}% can't be cut: leave :{longest} out")
    check = _ARGUMENTS.get(name)
    if check is not None and argument:
        check(name, argument)
    return Operator(name, argument, longest, _choices(argument) if name == "COALESCE" else ())


_EXAMPLES = {
    "COALESCE": '{"operators": [{"command": "REQ", "param": "x-a"}, "PROTOCOL"]}',
    "COMMON_DURATION": "DS_RX_BEG:US_RX_BEG:us",
    "DYNAMIC_METADATA": "namespace:key",
    "XFCC_VALUE": "uri",
}


def _choices(argument: str) -> tuple[Operator, ...]:
    try:
        given = json.loads(argument)
        found = [each if isinstance(each, dict) else {"command": each} for each in given["operators"]]
        choices = [(each["command"], each.get("param", ""), each.get("max_length")) for each in found]
    except (ValueError, KeyError, TypeError):
        choices = []
    if not choices or not all(isinstance(name, str) and isinstance(text, str) for name, text, _ in choices):
        raise ValueError(f"%COALESCE% needs operators, as in %COALESCE({_EXAMPLES['COALESCE']})%")
    for name, _, longest in choices:
        if longest is not None and (type(longest) is not int or longest < 0):
            raise ValueError(f"%COALESCE%: max_length of {name} is a number of bytes")
    return tuple(operator(name, text, longest) for name, text, longest in choices)


def _one_of(*groups: tuple[str, ...]) -> Callable[[str, str], None]:
    """Return a check of an argument whose words, with colons between them, are each out of a group."""

    def check(name: str, argument: str) -> None:
        words = argument.split(":")
        for word, known in zip(words, groups, strict=False):
            if word not in known:
                raise ValueError(f"%{name}({argument})%: {word or 'nothing'} is none of {', '.join(known)}")
        if len(words) > len(groups):
            raise ValueError(f"%{name}({argument})%: there is no {words[len(groups)]}")

    return check


def _header(name: str, argument: str) -> None:
    if argument.count("?") > 1:
        raise ValueError(f"%{name}({argument})%: two headers at most, with one ? between them")


def _length(name: str, argument: str) -> None:
    if not re.fullmatch("[0-9]{1,3}", argument) or int(argument) > _LONGEST_PREFIX:
        raise ValueError(f"%{name}({argument})%: {argument} is no length of a network's prefix")


_LONGEST_PREFIX = 128


def _points(name: str, argument: str) -> None:
    words = argument.split(":")
    if len(words) not in (2, 3) or words[2:] not in ([], ["ms"], ["us"], ["ns"]):
        raise ValueError(f"%{name}({argument})% is not written START:END or START:END:us")


def _element(name: str, argument: str) -> None:
    _one_of(("by", "hash", "cert", "chain", "subject", "uri", "dns"))(name, argument.lower())


_ORIGINALS = ("ORIG", "PATH", "ORIG_OR_PATH")
_ARGUMENTS: dict[str, Callable[[str, str], None]] = {
    **dict.fromkeys(("REQ", "RESP", "TRAILER", "STREAM_INFO_REQ"), _header),
    **dict.fromkeys((f"{name}_WITHOUT_PORT" for name in _ADDRESSES), _length),
    "COMMON_DURATION": _points,
    "GRPC_STATUS": _one_of(("CAMEL_STRING", "SNAKE_STRING", "NUMBER")),
    "PATH": _one_of(("WQ", "NQ"), _ORIGINALS),
    "QUERY_PARAMS": _one_of(("ORIG", "DECODED")),
    "REQUESTED_SERVER_NAME": _one_of(("SNI_ONLY", "SNI_FIRST", "HOST_FIRST"), _ORIGINALS),
    "XFCC_VALUE": _element,
}
