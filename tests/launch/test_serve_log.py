"""What the log says of calls."""

from __future__ import annotations

import logging

from webui.launch.serve import without_query


def test_no_search_is_in_the_log() -> None:
    line = '%s - "%s %s HTTP/%s" %d'
    values = ("127.0.0.1:5", "GET", "/api/gallery?q=secret", "1.1", 200)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, line, values, None)
    assert without_query(record)
    assert record.getMessage() == '127.0.0.1:5 - "GET /api/gallery HTTP/1.1" 200'
