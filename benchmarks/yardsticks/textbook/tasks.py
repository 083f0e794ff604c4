"""The Celery application and its one task: insert the response, add it to its OPD's totals."""

import os
from datetime import datetime
from typing import Any

from celery import Celery
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from benchmarks.yardsticks.textbook.models import Response, Total

ANSWERS = tuple(f"U{number}" for number in range(1, 10))

celery = Celery("textbook", broker=os.environ["TEXTBOOK_BROKER_URL"])
celery.conf.update(broker_connection_retry_on_startup=True, task_ignore_result=True)
engine = create_engine(os.environ["TEXTBOOK_DATABASE_URL"])


@celery.task
def count(document: dict[str, Any]) -> None:
    """Insert one response and add it to the running totals, in one transaction."""
    answers, respondent = document["answers"], document.get("respondent") or {}
    submitted_at = document.get("submitted_at")
    with Session(engine) as session:
        session.add(
            Response(
                id=document["id"],
                opd=document["opd"],
                layanan=document["layanan"],
                submitted_at=datetime.fromisoformat(submitted_at) if submitted_at else None,
                comment=document.get("comment"),
                **respondent,
                **answers,
            )
        )
        total = session.get(Total, document["opd"], with_for_update=True)
        if total is None:
            total = Total(opd=document["opd"], respondents=0, **dict.fromkeys(ANSWERS, 0))
            session.add(total)
        total.respondents += 1
        for name in ANSWERS:
            setattr(total, name, getattr(total, name) + answers[name])
        session.commit()
