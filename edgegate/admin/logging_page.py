"""The page that shows how much the service log tells, and changes it."""

from __future__ import annotations

from twisted.logger import Logger
from twisted.web.server import Request

from edgegate.admin.pages import Page, answer, wants_json
from edgegate.server.log_levels import BadLevel, LogLevels

log = Logger(namespace=__name__)


class Logging(Page):
    """The levels; POST changes one, or all."""

    changes = True

    def __init__(self, levels: LogLevels) -> None:
        super().__init__()
        self._levels = levels

    def render_GET(self, request: Request) -> bytes:
        """Show them."""
        levels = self._levels
        if wants_json(request):
            return answer(request, {"default": levels.default, "namespaces": levels.namespaces})
        rows = [("default", levels.default), *sorted(levels.namespaces.items())]
        width = max(len(name) for name, _ in rows)
        return answer(request, "".join(f"{name.ljust(width)}   {level}\n" for name, level in rows))

    def render_POST(self, request: Request) -> bytes:
        """Change them by C{level}, of one C{namespace} or of all, and show them."""
        given = {name: values[-1].decode("latin-1") for name, values in request.args.items()}
        namespace, level = given.get(b"namespace"), given.get(b"level", "")
        try:
            if namespace is None:
                self._levels.set_all(level)
            else:
                self._levels.set(namespace, level)
        except BadLevel as error:
            return answer(request, f"{error}\n", 400)
        # so that a log that tells little tells why
        log.critical("log level of {namespace} is {name} now", namespace=namespace or "all", name=level)
        return self.render_GET(request)
