"""The textbook design: FastAPI and pydantic, a Celery task a request, an ORM insert a task."""
