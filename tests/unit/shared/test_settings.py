"""Settings: the environment, then the running stack, then defaults; a sentence for the rest."""

import json
from pathlib import Path

import pytest

from shared.settings import STACK_FILE, VARIABLES, ConfigurationError, Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("IKM_HOME", str(tmp_path))
    return tmp_path


def stack_says(home: Path, **members: object) -> None:
    (home / STACK_FILE).write_text(json.dumps(members), encoding="utf-8")


def test_without_variables_the_defaults_hold(home: Path) -> None:
    settings = Settings.load()
    assert (settings.home, settings.port, settings.database_url) == (home, 8000, "")
    assert (settings.log_level, settings.log_format, settings.debug) == ("INFO", "json", False)


def test_the_environment_goes_before_the_running_stack(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_says(home, port=8123, database_url="postgresql://stack", redis_url="", pid=1)
    monkeypatch.setenv("IKM_DATABASE_URL", "postgresql://given")
    settings = Settings.load()
    assert (settings.port, settings.database_url) == (8123, "postgresql://given")
    assert not settings.redis_url


def test_an_empty_variable_is_one_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IKM_PORT", "")
    monkeypatch.setenv("IKM_DEBUG", "")
    settings = Settings.load()
    assert settings.port == 8000
    assert not settings.debug


def test_a_level_is_read_in_any_case_and_debug_is_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IKM_LOG_LEVEL", "warning")
    monkeypatch.setenv("IKM_DEBUG", "0")
    settings = Settings.load()
    assert settings.log_level == "WARNING"
    assert settings.debug


def test_a_whole_number_may_be_written_with_an_exponent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IKM_INBOX_LIMIT", "2e6")
    assert Settings.load().inbox_limit == 2_000_000


@pytest.mark.parametrize(
    ("variable", "given", "complaint"),
    [
        ("IKM_PORT", "much", "must be a number, not 'much'"),
        ("IKM_PORT", "8000.5", "must be a whole number, not 8000.5"),
        ("IKM_INBOX_MEMORY", "much", "must be a number, not 'much'"),
    ],
)
def test_what_is_not_such_a_number_is_named_in_one_sentence(
    variable: str, given: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, given)
    with pytest.raises(ConfigurationError, match=f"{variable} {complaint}$"):
        Settings.load()


def test_an_address_that_nobody_gives_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match="set IKM_DATABASE_URL"):
        Settings.load().need_database()


def test_files_of_variables_are_not_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".env").write_text("IKM_PORT=9\n", encoding="utf-8")
    monkeypatch.chdir(home)
    assert Settings.load().port == 8000


def test_a_month_is_closed_a_day_after_it_at_the_earliest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().close_days == 7
    monkeypatch.setenv("IKM_CLOSE_DAYS", "0")
    with pytest.raises(ConfigurationError, match="IKM_CLOSE_DAYS must be a number, 1 or more"):
        Settings.load()


def test_without_roles_one_address_serves_for_everything() -> None:
    settings = Settings.load(database_url="postgresql://one")
    assert settings.need_read_database() == "postgresql://one"
    assert settings.need_migrate_database() == "postgresql://one"


def test_the_roles_of_the_stack_are_not_mixed_with_those_of_another_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_says(home, database_url="stack", read_database_url="stack as reader")
    assert Settings.load().need_read_database() == "stack as reader"
    monkeypatch.setenv("IKM_DATABASE_URL", "given")
    assert Settings.load().need_read_database() == "given"


def test_what_a_stack_says_is_not_read_by_a_link(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text('{"port": 9}', encoding="utf-8")
    (home / STACK_FILE).symlink_to(tmp_path / "elsewhere.json")
    assert Settings.load().port == 8000
