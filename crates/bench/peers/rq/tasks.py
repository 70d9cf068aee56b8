"""RQ: functions are named by their module."""

from common import noop, stamp  # noqa: F401
