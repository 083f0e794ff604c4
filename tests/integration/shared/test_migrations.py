"""A database of an earlier version becomes one of this version, and keeps what it holds."""

import sqlalchemy as sa

from shared.domain.questionnaire import SKM_2017
from shared.registry.snapshot import AccessKey
from shared.storage import migrate
from shared.storage.engine import opened, transaction
from shared.storage.migrations.versions import m0001_initial
from shared.storage.registry import stored_registry

OLD_ROWS = """
INSERT INTO instansi (code, name, timezone, profile)
VALUES ('kota', 'Kota', 'Asia/Jakarta', '0.11');
INSERT INTO channel (name, kind, opd) VALUES ('loket', 'api', ARRAY['dinas']);
INSERT INTO channel_key (id, channel, hash, label, created_at)
VALUES ('k1', 'loket', 'ab', 'meja 3', now());
INSERT INTO questionnaire (code, definition) VALUES ('lama', CAST(:definition AS jsonb));
"""
OLD_QUESTIONNAIRE = """
{"code": "lama", "name": "Lama", "scheme": "permenpan-14-2017", "unsur": [{"code": "U1", "key": "k",
 "name": "n", "question": "?", "options": ["1", "2", "3", "4"], "required": true, "weight": 1}]}
"""


def test_a_registry_of_the_first_schema_keeps_its_scheme_questionnaires_and_keys(
    database_url: str,
) -> None:
    with opened(database_url) as engine:
        with transaction(engine) as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
            connection.execute(sa.text(m0001_initial.SCHEMA))
            connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            connection.execute(sa.text("INSERT INTO alembic_version VALUES ('0001')"))
            for statement in OLD_ROWS.strip().split(";\n"):
                values = {"definition": OLD_QUESTIONNAIRE} if ":definition" in statement else {}
                connection.execute(sa.text(statement), values)
        migrate.upgrade(database_url)
        with transaction(engine) as connection:
            registry = stored_registry.load(connection)
    assert registry.instansi.scheme == "0.11"
    assert registry.keys == {"ab": AccessKey("k1", "loket", may_submit=True, may_read=False)}
    assert registry.questionnaires["lama"].regulation == SKM_2017.regulation
