"""Makes the database of `djproj` with one entry: every second a task with these arguments."""

import json
import sys

import djproj  # noqa: F401 - names the settings
import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django_celery_beat.models import IntervalSchedule, PeriodicTask  # noqa: E402

task, arguments = sys.argv[1:]
call_command("migrate", verbosity=0)
interval = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)
PeriodicTask.objects.create(name="every second", task=task, args=json.dumps(json.loads(arguments)), interval=interval)
print("ok")
