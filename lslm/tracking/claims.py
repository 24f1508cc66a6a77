"""Who comes first: the one write that MLflow does for only one of many at once.

A parameter of a run can be written once; the database's primary key sees to it, whichever database
it is and also through a server. Tags and aliases are overwritten by whoever comes last.
"""

from lslm.errors import InputError
from lslm.tracking.store import Store, insisting
from lslm.tracking.versions import versions

LONGEST_REASON = 2000
"""Characters; a parameter holds 6,000."""


def claim(store: Store, run_id: str, key: str, value: str) -> str:
    """Write `value` under `key` unless something stands there; returns what stands there then."""
    from mlflow.exceptions import MlflowException

    try:
        insisting(lambda: store.client.log_param(run_id, key, value))
    except MlflowException as error:
        run = store.client.get_run(run_id)
        if run.info.lifecycle_stage != "active":
            raise InputError(
                f"the MLflow run {run_id} is deleted", right="the run restored in MLflow"
            ) from error
        if key not in run.data.params:
            raise
        return run.data.params[key]
    return value


def notebook(store: Store, name: str) -> str:
    """The run on which the moves of a model are claimed: that of its oldest version, if it is left."""
    for version in reversed(versions(store, name)):
        if version.run_id and _active(store, version.run_id):
            return version.run_id
    raise InputError(
        f"every MLflow run that registered a version of {name!r} is deleted",
        right="one of them restored in MLflow; moves of the champion are claimed on it",
    )


def checked_reason(reason: str) -> str:
    """The reason, if it is short enough to be kept whole; otherwise InputError."""
    if len(reason) > LONGEST_REASON:
        raise InputError(
            f"the reason has {len(reason):,} characters", right=f"at most {LONGEST_REASON:,}"
        )
    return reason


def _active(store: Store, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return store.client.get_run(run_id).info.lifecycle_stage == "active"
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False
