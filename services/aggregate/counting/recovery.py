"""What can go wrong when rows are counted, and what then: wait, try again, or leave the bad one out."""

import psycopg
import sqlalchemy as sa

ATTEMPTS = 5  # at rows that others are writing, too

# The database is away or busy: everything stays claimed and is tried again.
Unavailable = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
# Another worker had the same entries or rows.
Collision = (sa.exc.IntegrityError, psycopg.IntegrityError, psycopg.errors.DeadlockDetected)
# What is left: something in the batch itself.
Uncountable = (
    sa.exc.SQLAlchemyError,
    psycopg.Error,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
)
