"""django-celery-beat under measurement: bench_beat.py ENTRIES SECONDS writes its tables, and Celery's beat runs on this app."""

import os
import sys

import django
from celery import Celery
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django_celery_beat"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(os.environ["BENCH_FOLDER"], "beat.sqlite3"),
        }
    },
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()

app = Celery("bench_beat", broker=os.environ["BENCH_BROKER_URL"])
app.conf.update(timezone="UTC", task_ignore_result=True)


def write(entries, seconds):
    from django.core.management import call_command
    from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

    call_command("migrate", verbosity=0)
    every = IntervalSchedule.objects.create(every=seconds, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.bulk_create(
        (PeriodicTask(name=f"entry {n}", task="bench.noop", interval=every) for n in range(entries)),
        batch_size=1000,
    )
    PeriodicTasks.update_changed()


if __name__ == "__main__":
    write(int(sys.argv[1]), int(sys.argv[2]))
