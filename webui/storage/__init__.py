"""Everything that people made, on disk: pictures, uploads, and one SQLite database with jobs and indexes."""

from webui.storage.pictures import Picture
from webui.storage.storage import Storage

__all__ = ["Picture", "Storage"]
