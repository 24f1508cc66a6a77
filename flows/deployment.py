"""Deployments of the flow `train`: a pipeline on a schedule, for the workers of a pool."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.schedules import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
)
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.urls import url_for
from pydantic import TypeAdapter, ValidationError

from flows.scheduled import scheduled
from lslm.cli.environment import DEFAULTS
from lslm.errors import InputError
from lslm.scheduling import Deployed, Timetable
from lslm.settings import Duration, Settings

Schedule = CronSchedule | IntervalSchedule | RRuleSchedule


def deploy(
    settings: Settings,
    reference: str,
    overrides: list[str],
    timetable: Timetable,
    pool: str,
    paused: bool,
) -> Deployed:
    """Make the deployment `train/NAME`, or change it; returns where it is.

    It has no concurrency limit of Prefect's: a run that waits for a person loses its place in it, and is then
    ended as crashed within minutes. Its runs wait for each other by themselves, in `Workspace.alone`.
    """
    if get_current_settings().api.url is None:
        raise InputError(
            "no Prefect server to deploy to",
            right="`lslm up --detach` first, or its address in PREFECT_API_URL",
        )
    schedule = _schedule(timetable)
    with get_client(sync_client=True) as client:
        _check_pool(client, pool)
        deployment: Any = scheduled.to_deployment(
            name=settings.name,
            schedule=None,
            schedules=[schedule] if schedule else [],
            paused=paused,
            parameters={
                "pipeline": reference,
                "workspace": str(settings.workspace.absolute()),
                "overrides": overrides,
            },
            work_pool_name=pool,
            entrypoint_type=EntrypointType.MODULE_PATH,
            job_variables={"env": DEFAULTS},
            tags=["lslm"],
            description=f"Trains `{settings.name}` where anything changed since its last run.",
        )
        made: UUID = deployment.apply()
        return Deployed(
            name=f"train/{settings.name}",
            id=str(made),
            page=url_for("deployment", made) or "",
            pool=pool,
            schedule=str(timetable) or "none",
            paused=paused,
        )


def _check_pool(client: SyncPrefectClient, pool: str) -> None:
    try:
        client.read_work_pool(pool)
    except ObjectNotFound as error:
        raise InputError(
            f"no work pool {pool!r} on the Prefect server",
            where="--pool",
            right=f"`lslm up`, or `prefect work-pool create {pool} --type process`",
        ) from error


def _schedule(timetable: Timetable) -> Schedule | None:
    zone: dict[str, Any] = {"timezone": timetable.timezone}
    try:
        if timetable.cron:
            return CronSchedule(cron=timetable.cron, **zone)
        if timetable.interval:
            seconds = TypeAdapter(Duration).validate_python(timetable.interval)
            return IntervalSchedule(interval=timedelta(seconds=seconds), **zone)
        if timetable.rrule:
            return RRuleSchedule(rrule=timetable.rrule, **zone)
    except (ValidationError, ValueError) as error:
        raise _unreadable(timetable, error) from error
    return None


def _unreadable(timetable: Timetable, error: ValueError) -> InputError:
    examples = {
        "cron": '"0 3 * * *" (every day at three)',
        "interval": "90s, 30m or 24h",
        "rrule": '"FREQ=WEEKLY;BYDAY=MO;BYHOUR=3"',
    }
    option = next(name for name in examples if getattr(timetable, name))
    zone = isinstance(error, ValidationError) and error.errors()[0]["loc"][:1] == ("timezone",)
    if zone:
        name = timetable.timezone
        return InputError(f"no time zone {name!r}", where="--timezone", right="Europe/Berlin, UTC")
    value = getattr(timetable, option)
    return InputError(f"{value!r} is no schedule", where=f"--{option}", right=examples[option])
