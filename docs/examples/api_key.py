"""An HTTP filter that asks for a key."""

from twisted.plugin import IPlugin
from zope.interface import implementer

from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter, IHTTPFilterFactory


class APIKey(HTTPFilter):
    name = "api-key"

    def request_head(self, exchange):
        if (b"x-api-key", b"open sesame") in exchange.head.fields:
            exchange.change_request([(b"x-user", b"ali")], removed=frozenset([b"x-api-key"]))
            return FilterStatus.CONTINUE
        exchange.reply(401, [(b"www-authenticate", b"ApiKey")], b"which key?\n")
        return FilterStatus.STOP


@implementer(IPlugin, IHTTPFilterFactory)
class APIKeyFactory:
    name = APIKey.name

    def make(self, chain, environment):
        return APIKey()


api_key = APIKeyFactory()
