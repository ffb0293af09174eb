"""Where key material comes from: Secrets among the documents, and files beside them."""

from __future__ import annotations

from collections.abc import Callable

from edgegate.config.values import show
from edgegate.istio.kinds.secret import Secret
from edgegate.istio.resources import Resource
from edgegate.istio.translate.suggestions import Suggestions

CERTIFICATE_KEYS = ("cert", "tls.crt")
KEY_KEYS = ("key", "tls.key")
CA_KEYS = ("cacert", "ca.crt")
CRL_KEYS = ("crl", "ca.crl")

ROOT_NAMESPACE = "istio-system"
"""
Where Istio's own ingress gateway runs and looks for Secrets, whatever the namespace of the Gateway, and whose
DestinationRules are for everyone (C{MeshConfig.rootNamespace}).
"""

_SCHEMES = ("kubernetes://", "kubernetes-gateway://")


class Unreadable(ValueError):
    """A file can't be read. The message names it."""


class KeySources:
    """Finds Secrets, and reads files, each once."""

    def __init__(
        self, secrets: list[Resource[Secret]], read_file: Callable[[str], bytes], suggestions: Suggestions
    ) -> None:
        """
        @param read_file: Returns the content of a file as the documents name it, or raises L{OSError}.
        """
        self._secrets = {(secret.namespace, secret.name): secret for secret in secrets}
        self._read_file = read_file
        self._suggestions = suggestions
        self._files: dict[str, bytes | OSError] = {}

    def secret(self, name: str, namespace: str) -> Resource[Secret] | None:
        """Return the Secret that a document of a namespace means by a credential's name."""
        return self._secrets.get(self.meant(name, namespace))

    def meant(self, name: str, namespace: str) -> tuple[str, str]:
        """Return namespace and name of the Secret that is meant; where there is none, where Istio would look."""
        keys = _keys(name, namespace)
        return next((key for key in keys if key in self._secrets), keys[-1])

    def undeclared(self, name: str, namespace: str) -> str:
        """Return the message for a credential's name that no Secret bears."""
        places = _keys(name, namespace)
        names = [other for own, other in self._secrets if (own, places[0][1]) in places]
        elsewhere = [own for own, other in self._secrets if other == places[0][1]]
        if elsewhere:
            hint = f'; there is one in namespace "{elsewhere[0]}"'
        else:
            hint = self._suggestions.like(places[0][1], names)
        where = " or ".join(show(own) for own, _ in places)
        return f"no document declares Secret {show(places[0][1])} in namespace {where}{hint}"

    def read(self, name: str) -> bytes:
        """
        Read a file.

        @raise Unreadable: It can't be.
        """
        if is_pem(name):
            # not repeated: it may be a key
            raise Unreadable("this is key material itself, not the name of a file: put it into one, or into a Secret")
        found = self._files.get(name)
        if found is None:
            try:
                found = self._read_file(name)
            except OSError as error:
                found = error
            except ValueError as error:  # a NUL in the name
                found = OSError(0, str(error))
            self._files[name] = found
        if isinstance(found, OSError):
            raise Unreadable(f"{show(name)} can't be read: {found.strerror or found}")
        return found


def is_pem(text: str) -> bool:
    """Whether a text is a certificate or key where a name should be."""
    return "-----BEGIN" in text


def title(secret: Resource[Secret]) -> str:
    """Return what messages call a Secret."""
    return f"secret {secret.namespace}/{secret.name}"


def _keys(name: str, namespace: str) -> list[tuple[str, str]]:
    """
    Return the namespaces and names that a credential may have, in order.

    C{namespace/name} has one; a C{name} is looked for beside the document, then
    where Istio's gateway would look. Either may stand behind C{kubernetes://}.
    """
    for scheme in _SCHEMES:
        name = name.removeprefix(scheme)
    scope, slash, rest = name.partition("/")
    return [(scope, rest)] if slash else list(dict.fromkeys([(namespace, name), (ROOT_NAMESPACE, name)]))
