"""Deployments: refused before a server is asked, made on one, and the same by Prefect's own file."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings
from ruamel.yaml import YAML

from flows import deployment
from flows.scheduled import scheduled
from lslm.errors import InputError
from lslm.pipelines.loader import shipped
from lslm.scheduling import Timetable
from lslm.settings import Settings

ROOT = Path(__file__).parents[2]
CRON = Timetable(cron="0 3 * * *", timezone="Europe/Berlin")


@pytest.fixture
def client(prefect_server: None) -> Iterator[Any]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    with get_client(sync_client=True) as found:
        with suppress(ObjectAlreadyExists):
            found.create_work_pool(WorkPoolCreate(name="lslm", type="process"))
        yield found


def deployed(timetable: Timetable = CRON, *, pool: str = "lslm", paused: bool = False) -> Any:
    settings = Settings(name="imdb", workspace=Path("/data/lslm"))
    return deployment.deploy(
        settings, "imdb", ["search.n_trials=3"], timetable, pool=pool, paused=paused
    )


def test_without_a_server_there_is_nothing_to_deploy_to() -> None:
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(InputError, match=r"no Prefect server.*lslm up"),
    ):
        deployed()


@pytest.mark.parametrize(
    ("timetable", "said"),
    [
        (Timetable(cron="0 3 * *"), "--cron"),
        (Timetable(interval="soon"), "--interval"),
        (Timetable(rrule="nonsense"), "--rrule"),
        (Timetable(cron="0 3 * * *", timezone="Mars/One"), "--timezone"),
    ],
)
def test_a_schedule_that_is_none_is_refused_with_its_option(timetable, said) -> None:
    with pytest.raises(InputError, match=said):
        deployment._schedule(timetable)


def test_a_deployment_says_when_and_what(client: Any) -> None:
    made = deployed()
    found = client.read_deployment_by_name("train/imdb")
    assert (made.name, made.id) == ("train/imdb", str(found.id))
    assert found.parameters == {
        "pipeline": "imdb",
        "workspace": "/data/lslm",
        "overrides": ["search.n_trials=3"],
    }
    (schedule,) = found.schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("0 3 * * *", "Europe/Berlin")
    assert found.work_pool_name == "lslm"
    assert found.job_variables["env"]["DO_NOT_TRACK"] == "1"


def test_a_second_deployment_takes_the_place_of_the_first(client: Any) -> None:
    first, second = deployed(), deployed(Timetable(interval="24h"), paused=True)
    assert first.id == second.id
    found = client.read_deployment_by_name("train/imdb")
    assert found.paused
    assert [each.schedule.interval.total_seconds() for each in found.schedules] == [86_400]


def test_a_deployment_has_no_limit_that_would_end_a_run_which_waits_for_a_person(
    client: Any,
) -> None:
    made = client.read_deployment(deployed().id)
    assert made.global_concurrency_limit is None
    # One that an earlier version made had a limit.
    client.update_deployment(made.id, DeploymentUpdate(concurrency_limit=1))
    assert client.read_deployment(made.id).global_concurrency_limit.limit == 1
    assert client.read_deployment(deployed().id).global_concurrency_limit is None


def test_a_pool_that_is_not_there_is_named_with_its_mend(client: Any) -> None:
    with pytest.raises(InputError, match=r"'other'.*prefect work-pool create other"):
        deployed(pool="other")


def test_the_form_has_a_type_and_a_word_for_each_parameter() -> None:
    form = scheduled.parameters.properties
    asked = {"pipeline", "workspace", "overrides", "n_trials", "budget", "approval"}
    assert set(form) == asked | {"max_size", "max_latency"}
    assert all(field["description"] for field in form.values())
    assert form["workspace"]["anyOf"][0]["format"] == "path"
    assert form["n_trials"]["anyOf"][0] == {"type": "integer", "minimum": 1}
    assert form["approval"]["anyOf"][0] == {"type": "boolean"}


def test_prefect_yaml_holds_the_shipped_pipelines_as_lslm_deploy_makes_them(client: Any) -> None:
    file = YAML(typ="safe").load((ROOT / "prefect.yaml").read_text())
    deployed()
    made = client.read_deployment_by_name("train/imdb")
    assert {each["name"] for each in file["deployments"]} == set(shipped())
    for each in file["deployments"]:
        assert each["entrypoint"] == made.entrypoint
        assert "concurrency_limit" not in each
        assert each["work_pool"]["name"] == made.work_pool_name
        assert set(each["parameters"]) <= set(scheduled.parameters.properties)
        assert each["schedules"][0]["active"] is False
