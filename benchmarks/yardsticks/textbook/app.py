"""The FastAPI application: validate with pydantic, `delay()` one task, answer 202."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field

from benchmarks.yardsticks.textbook.tasks import count

Score = Annotated[int, Field(ge=1, le=4)]


class Answers(BaseModel):
    """The nine scores."""

    U1: Score
    U2: Score
    U3: Score
    U4: Score
    U5: Score
    U6: Score
    U7: Score
    U8: Score
    U9: Score


class Respondent(BaseModel):
    """Who answered."""

    sex: Literal["L", "P"] | None = None
    age: Annotated[int, Field(ge=0, le=120)] | None = None
    education: str | None = None
    occupation: str | None = None


class Submission(BaseModel):
    """One questionnaire as it is sent."""

    id: Annotated[str, Field(min_length=1, max_length=128)]
    opd: str
    layanan: str
    submitted_at: datetime | None = None
    answers: Answers
    respondent: Respondent | None = None
    comment: Annotated[str, Field(max_length=2000)] | None = None


class Accepted(BaseModel):
    """The answer."""

    accepted: int
    id: str


app = FastAPI()


@app.post("/v1/submissions", status_code=202)
def accept(submission: Submission) -> Accepted:
    """Hand the submission to a worker."""
    count.delay(submission.model_dump(mode="json"))
    return Accepted(accepted=1, id=submission.id)


def create_app() -> FastAPI:
    """The application, for servers that want a factory."""
    return app
