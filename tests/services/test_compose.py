"""The compose file says what its settings file explains, and refers to nothing that is not there."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lslm.services import addresses, databases
from lslm.settings import ExecutionSettings

FOLDER = Path(__file__).parents[2] / "mlflow"
TEXT = (FOLDER / "compose.yaml").read_text()
COMPOSE = YAML(typ="safe").load(TEXT)
EXAMPLE = dict(
    line.split("=", 1)
    for line in (FOLDER / "env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
SERVICES = COMPOSE["services"]


def test_every_variable_is_explained_and_none_is_left_over():
    assert set(re.findall(r"(?<!\$)\$\{(\w+)\}", TEXT)) == set(EXAMPLE)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_refers_to_what_is_there(name):
    service = SERVICES[name]
    assert ("image" in service) != ("build" in service)
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    assert {each["source"] for each in service.get("configs", ())} <= set(COMPOSE["configs"])
    volumes = [each.split(":")[0] for each in service.get("volumes", ())]
    assert {each for each in volumes if not each.startswith("$")} <= set(COMPOSE["volumes"])
    waited_for = service.get("depends_on", {})
    if isinstance(waited_for, dict):
        healthy = [k for k, v in waited_for.items() if v["condition"] == "service_healthy"]
        assert all("healthcheck" in SERVICES[each] for each in healthy)


def test_every_database_that_is_used_is_made():
    made = set(re.findall(r"CREATE DATABASE (\w+);", COMPOSE["configs"]["databases"]["content"]))
    assert made == set(re.findall(r"postgres:5432/(\w+)", TEXT))
    assert made >= set(databases.NAMES.values())


def test_servers_are_of_the_clients_versions():
    assert EXAMPLE["MLFLOW_VERSION"] == version("mlflow")
    assert EXAMPLE["PREFECT_VERSION"] == version("prefect")


def test_only_pages_have_ports_and_those_on_the_chosen_address():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(ports) == {"mlflow", "prefect"}
    assert all(port.startswith("${LSLM_BIND}:") for each in ports.values() for port in each)
    assert EXAMPLE["LSLM_BIND"] == "127.0.0.1"


def test_no_secret_has_a_value_that_would_do():
    secrets = [k for k in EXAMPLE if re.search("PASSWORD|SECRET|ACCESS_KEY|AUTH", k)]
    assert len(secrets) == 6
    assert all(EXAMPLE[name].endswith("change-me") for name in secrets)


def test_the_worker_finds_all_servers_by_the_variables_that_lslm_reads():
    environment = SERVICES["worker"]["environment"]
    for name in (addresses.PREFECT, addresses.MLFLOW, addresses.STUDY, "LSLM_WORKSPACE"):
        assert name in environment
    assert f"--pool {ExecutionSettings().pool} " in SERVICES["worker"]["command"]
    assert environment["PREFECT_API_AUTH_STRING"] == "${PREFECT_AUTH}"
    assert SERVICES["prefect"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"] == "${PREFECT_AUTH}"


def test_a_new_container_of_the_worker_has_the_name_of_the_one_before_and_no_twin():
    assert SERVICES["worker"]["hostname"] == "${WORKER_NAME}"
    assert SERVICES["worker"]["container_name"].endswith("${WORKER_NAME}")


def test_mlflow_knows_the_variables_it_is_given():
    from mlflow import environment_variables
    from mlflow.cli import server

    options = {option.envvar for option in server.params if hasattr(option, "envvar")}
    given = {
        name for name in SERVICES["mlflow"]["environment"] if not name.startswith(("AWS_", "<<"))
    }
    unknown = {name for name in given - options if not hasattr(environment_variables, name)}
    assert unknown == set()


def test_no_python_file_is_in_the_folder():
    assert list(FOLDER.rglob("*.py")) == []
