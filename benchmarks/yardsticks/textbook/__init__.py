"""The textbook design, as a yardstick: FastAPI and pydantic, one Celery task per request, one ORM insert per task."""
