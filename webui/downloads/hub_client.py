"""The HTTP client that huggingface_hub is given: all that it asks goes through our own `Web`, with all its checks."""

from __future__ import annotations

import httpx2

from webui.downloads.addresses import read_address
from webui.downloads.web import Web

_MAX_ANSWER_BYTES = 64 * 2**20  # a list of 100,000 files has 30 MB
_OURS = {"host", "connection", "content-length", "user-agent", "accept-encoding", "transfer-encoding"}


def client_over(web: Web) -> httpx2.Client:
    """A new one. huggingface_hub closes it when it is given another."""
    return httpx2.Client(transport=_Transport(web), follow_redirects=True, trust_env=False)


class _Transport(httpx2.BaseTransport):
    def __init__(self, web: Web) -> None:
        self._web = web

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises AddressRefused, SourceUnreachable."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OURS}
        with self._web.ask(request.method, read_address(str(request.url)), headers, request.read() or None) as answer:
            body = answer.read(_MAX_ANSWER_BYTES)
            return httpx2.Response(answer.status, headers=answer.headers.items(), content=body, request=request)
