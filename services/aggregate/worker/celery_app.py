"""The Celery application of the workers: its tasks and their schedule.

Start it with `ikm worker` and `ikm beat`.
"""

from typing import Any

from celery.schedules import crontab
from celery.signals import setup_logging

from services.aggregate.worker import liveness, tasks
from shared.broker import RETAIN, ROLL, SWEEP, celery_app
from shared.observability import configure
from shared.settings import Settings

SWEEP_INTERVAL_S = 1.0
_EXPIRES_S = 2 * SWEEP_INTERVAL_S  # sweeps that nobody could run must not pile up

SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": SWEEP, "schedule": SWEEP_INTERVAL_S, "options": {"expires": _EXPIRES_S}},
    # The windows roll at local midnight. The hour differs by zone, so look every quarter of an hour
    # (offsets are multiples of it); the sweep would also notice.
    "roll": {"task": ROLL, "schedule": crontab(minute="0,15,30,45"), "options": {"expires": 600}},
    # It works once a day. Looking every hour catches up with a day on which nothing ran then.
    "retain": {"task": RETAIN, "schedule": crontab(minute="7"), "options": {"expires": 600}},
}

app = celery_app(Settings.load())
app.conf.update(beat_schedule=SCHEDULE, timezone="UTC")
tasks.register(app)
liveness.install(app)


@setup_logging.connect
def _logging(**_: object) -> None:
    configure(Settings.load())
