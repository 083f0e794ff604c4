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
FOREIGN_VARIABLES = {
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "READ_PASSWORD",
    "WORK_PASSWORD",
    "MIGRATE_PASSWORD",
    "REDISCLI_AUTH",
    "SITE",
}
# What each service reaches, and the secrets that it is given: no more than its job needs.
REACHES = {
    "postgres": {"database"},
    "redis": {"redis"},
    "migrate": {"redis", "database"},
    "ingest": {"edge", "redis"},
    "read": {"edge", "database"},
    "worker": {"redis", "database"},
    "refresher": {"redis", "database"},
    "importer": {"redis", "database"},
    "beat": {"redis"},
    "proxy": {"edge", "outside"},
}
HOLDS = {
    "postgres": {"POSTGRES_PASSWORD", "READ_PASSWORD", "WORK_PASSWORD", "MIGRATE_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "migrate": {"REDIS_PASSWORD", "WORK_PASSWORD", "MIGRATE_PASSWORD"},
    "ingest": {"REDIS_PASSWORD"},
    "read": {"READ_PASSWORD"},
    "worker": {"REDIS_PASSWORD", "WORK_PASSWORD"},
    "refresher": {"REDIS_PASSWORD", "WORK_PASSWORD"},
    "importer": {"REDIS_PASSWORD", "WORK_PASSWORD"},
    "beat": {"REDIS_PASSWORD"},
    "proxy": set(),
}


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


def test_an_image_of_others_is_one_version_to_its_last_number() -> None:
    images = [
        service["image"] for name, service in services().items() if name not in own_services()
    ]
    # PostgreSQL has two numbers, everything else three.
    assert all(re.search(r"^postgres:\d+\.\d+|:\d+\.\d+\.\d+", image) for image in images)
    base = re.search(r"^ARG PYTHON=(.+)$", deployment.DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert base
    assert re.match(r"\d+\.\d+\.\d+-", base[1])


@pytest.mark.parametrize(("name", "service"), services().items(), ids=services())
def test_a_container_can_write_nothing_may_do_nothing_special_and_has_limits(
    name: str, service: Service
) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"]


def test_a_service_reaches_only_what_its_job_needs() -> None:
    assert {name: set(service["networks"]) for name, service in services().items()} == REACHES
    networks = deployment.compose()["networks"]
    assert [name for name, network in networks.items() if not network.get("internal")] == [
        "outside"
    ]


def test_a_service_holds_only_the_secrets_that_its_job_needs() -> None:
    def secrets(service: Service) -> set[str]:
        text = json.dumps([service.get("environment", {}), service.get("command", [])])
        return {name for name in re.findall(r"\$\{(\w+)", text) if SECRET.search(name)}

    assert {name: secrets(service) for name, service in services().items()} == HOLDS


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
