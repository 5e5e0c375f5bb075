"""The worker's tests drive it through a queue, as those of the queue do."""

from tests.jobs.conftest import anyio_backend, hand, house, processes

__all__ = ["anyio_backend", "hand", "house", "processes"]
