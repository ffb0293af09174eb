"""Formats of access logs as MeshConfig says them."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.istio.kinds.mesh_config import CollectorLog, Encoding, FileLog, MeshConfig
from edgegate.model.log_formats import (
    BadFormat,
    DefaultFormat,
    JSONFormat,
    LogFormat,
    TextFormat,
    json_format,
    read_json_format,
    text_format,
)


def mesh_format(mesh: MeshConfig) -> LogFormat:
    """
    Return the format that C{accessLogFormat} and C{accessLogEncoding} say.

    @raise BadFormat: They say none.
    """
    form = mesh.access_log_format
    encoded = mesh.access_log_encoding is Encoding.JSON
    if not form:
        return DefaultFormat.JSON if encoded else DefaultFormat.TEXT
    if not encoded:
        return text_format(form)
    try:
        return read_json_format(form)
    except BadFormat as error:
        # its keys are no places of the file
        raise BadFormat(error.cause) from None


def provider_format(log: FileLog) -> tuple[LogFormat | None, Path]:
    """
    Return the format that a provider says, if it says any, and where.

    @raise BadFormat: It says none; its path is that from the provider.
    """
    form = log.log_format
    if form is None or (form.labels is None and not form.text):
        return None, ()
    empty = bool(log.omit_empty_values)
    if form.text is not None:
        path: Path = ("logFormat", "text")
        try:
            return text_format(form.text, empty), path
        except BadFormat as error:
            raise BadFormat(error.cause, path) from None
    path = ("logFormat", "labels")
    if not form.labels:
        return DefaultFormat.JSON, path
    try:
        return json_format(form.labels, empty), path
    except BadFormat as error:
        raise BadFormat(error.cause, (*path, *error.path)) from None


def collector_formats(log: CollectorLog) -> tuple[TextFormat | None, JSONFormat | None]:
    """
    Return the format of the text and that of what is said besides, as far as a provider says them.

    @raise BadFormat: It says none; its path is that from the provider.
    """
    form = log.log_format
    text: TextFormat | None = None
    labels: JSONFormat | None = None
    if form is not None and form.text:
        try:
            text = text_format(form.text)
        except BadFormat as error:
            raise BadFormat(error.cause, ("logFormat", "text")) from None
    if form is not None and form.labels:
        try:
            labels = json_format(form.labels)
        except BadFormat as error:
            raise BadFormat(error.cause, ("logFormat", "labels", *error.path)) from None
    return text, labels
