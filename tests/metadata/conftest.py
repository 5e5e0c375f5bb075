"""What the tests of metadata share."""

from __future__ import annotations

from tests.storage.conftest import request_ as request_
