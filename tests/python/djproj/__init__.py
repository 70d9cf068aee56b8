"""A Django project whose schedule lies in its database: `celery -A djproj beat -S django`."""

from .celery import app

__all__ = ["app"]
