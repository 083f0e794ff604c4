"""docker-compose.yml is valid by the specification, safe by default, and agrees with the code."""

import json
import re
from importlib import resources

import click
import pytest
from jsonschema.validators import validator_for

from services.ops.cli import COMMANDS, cli
from services.ops.commands.run import WORKERS
from services.ops.stack.stack import PROCESSES
from shared.broker import QUEUES, TASK_LIMIT_S
from shared.settings import VARIABLES
from tests.guards import deployment
from tests.guards.deployment import Service, own_services, services

SECRET = re.compile(r"PASSWORD|SECRET|TOKEN")
# What the images of others, and programs in ours, read.
FOREIGN_VARIABLES = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "REDISCLI_AUTH", "SITE"}


def test_the_file_is_valid_by_the_compose_specification() -> None:
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    faults = [
        f"{fault.json_path}: {fault.message}"
        for fault in validator_for(schema)(schema).iter_errors(deployment.compose())
    ]
    assert not faults


@pytest.mark.parametrize(("name", "service"), own_services().items(), ids=own_services())
def test_the_command_of_a_service_is_one_that_ikm_understands(name: str, service: Service) -> None:
    command, *arguments = service["command"]
    assert command in COMMANDS
    loaded = cli.get_command(click.Context(cli), command)
    assert loaded is not None
    loaded.make_context(command, arguments)  # a usage error when an argument is unknown


def test_the_file_names_only_variables_that_something_reads() -> None:
    named = {
        variable for service in services().values() for variable in service.get("environment", {})
    }
    assert named <= VARIABLES.keys() | FOREIGN_VARIABLES


def test_the_workers_together_consume_every_queue_and_no_other() -> None:
    roles = [
        service["command"][1]
        for service in own_services().values()
        if service["command"][0] == "worker"
    ]
    consumed = [queue for role in roles for queue in WORKERS[role].split(",")]
    assert sorted(consumed) == sorted(QUEUES)


def test_the_file_and_the_embedded_stack_run_the_same_processes() -> None:
    def roles(commands: list[list[str]]) -> set[tuple[str, ...]]:
        return {tuple(command[:2]) for command in commands if command[0] != "migrate"}

    composed = roles([service["command"] for service in own_services().values()])
    embedded = roles([list(arguments) for arguments, _ in PROCESSES.values()])
    assert composed - {("serve", "ingest"), ("serve", "read")} == embedded - {("serve", "all")}
    assert {("serve", "ingest"), ("serve", "read")} <= composed


def test_a_worker_is_given_longer_to_stop_than_its_longest_task() -> None:
    workers = [service for service in own_services().values() if service["command"][0] == "worker"]
    assert workers
    assert all(
        deployment.seconds(service["stop_grace_period"]) > TASK_LIMIT_S for service in workers
    )


@pytest.mark.parametrize(("name", "service"), services().items(), ids=services())
def test_a_service_says_whether_it_is_well(name: str, service: Service) -> None:
    one_shot = service["restart"] == "no"
    assert (
        service["healthcheck"] == {"disable": True}
        if one_shot
        else "test" in service["healthcheck"]
    )


@pytest.mark.parametrize(("name", "service"), services().items(), ids=services())
def test_a_service_can_be_scaled_and_the_proxy_alone_is_reached_from_outside(
    name: str, service: Service
) -> None:
    assert "container_name" not in service
    assert ("ports" in service) == (name == "proxy")
    assert ("outside" in service["networks"]) == (name == "proxy")


def test_no_image_is_whatever_happens_to_be_the_latest() -> None:
    images = [
        service["image"] for name, service in services().items() if name not in own_services()
    ]
    assert all(re.search(r":\d", image) for image in images)


def test_our_containers_can_write_nothing_and_may_do_nothing_special() -> None:
    for service in own_services().values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_a_secret_has_no_default_and_its_absence_is_explained() -> None:
    secrets = [(name, rest) for name, rest in deployment.interpolations() if SECRET.search(name)]
    assert secrets
    assert all(re.match(r":\?\w+ \w+", rest) for _, rest in secrets)
    assert not [
        name for name, value in deployment.example().items() if SECRET.search(name) and value
    ]


def test_the_example_environment_explains_every_variable_and_no_other() -> None:
    assert deployment.example().keys() == {name for name, _ in deployment.interpolations()}


def test_redis_keeps_what_was_acknowledged() -> None:
    command = services()["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert (options["--appendonly"], options["--appendfsync"]) == ("yes", "always")
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--maxmemory"]
