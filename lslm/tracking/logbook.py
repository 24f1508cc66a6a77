"""What a stage writes on its pipeline's run, each call in as few requests as MLflow allows."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from lslm.tracking.store import Store

Entry = TypeVar("Entry")

_LONGEST_PARAM = 6000
_BATCH = 100
"""MLflow takes at most this many parameters, and as many tags, in one request."""
LARGEST_BATCH = 1000
"""Metric values MLflow takes in one request."""
_LONGEST_DIGEST = 36
"""Of an MLflow dataset; the whole digest stands in its tags."""


@dataclass(frozen=True)
class Measured:
    """Which logged model some metrics tell of, and on which of the run's data sets it was measured."""

    model_id: str
    data: str
    """Name of the data set, as `log_dataset` logged it."""
    digest: str


def log_stage(
    store: Store,
    run_id: str,
    stage: str,
    metrics: Mapping[str, float],
    artifacts: Mapping[str, Path | str | Mapping[str, Any] | Sequence[Any]] | None = None,
    measured: Measured | None = None,
) -> None:
    """Log a finished stage: metrics as `STAGE/NAME`, artifacts as `STAGE/NAME`.

    An artifact is a path (copied, a folder whole), a text, or something that JSON can hold. With `measured` the
    metrics stand on the page of that model as well. A metric that is there with the same value is not logged
    again, as by a run that goes on: MLflow would draw it as a line.
    """
    if metrics:
        named = {f"{stage}/{name}": value for name, value in metrics.items()}
        _log_metrics(store, run_id, named, measured)
    if artifacts:
        with store.workspace.scratch() as folder:
            for name, content in artifacts.items():
                _write(folder / stage / name, content)
            store.client.log_artifacts(run_id, str(folder))


def log_params(
    store: Store, run_id: str, params: Mapping[str, Any], tags: Mapping[str, str]
) -> None:
    """Log parameters and tags; a parameter can be logged again only with the same value."""
    from mlflow.entities import Param, RunTag

    entries = [Param(name, text) for name, text in as_params(params).items()]
    labels = [RunTag(name, value) for name, value in tags.items()]
    for part in parts(entries, _BATCH):
        store.client.log_batch(run_id, params=part, tags=labels)
        labels = []


def as_params(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as MLflow keeps them: as text, cut where it would refuse it."""
    return {name: _told(value) for name, value in values.items()}


def log_table(store: Store, run_id: str, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Log rows as a table that the MLflow UI shows, at `NAME.json`; a table there is replaced."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = {"columns": columns, "data": [[row.get(column) for column in columns] for row in rows]}
    file = f"{name}.json"
    store.client.log_text(run_id, _json(table).decode(), file)
    known = json.loads(store.client.get_run(run_id).data.tags.get("mlflow.loggedArtifacts", "[]"))
    entry = {"path": file, "type": "table"}
    if entry not in known:
        store.client.set_tag(run_id, "mlflow.loggedArtifacts", json.dumps([*known, entry]))


def log_dataset(
    store: Store, run_id: str, *, name: str, digest: str, path: Path, context: str, n: int
) -> None:
    """Log data of `n` documents as an input of the run; `context` is its part (`holdout`)."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=name,
        digest=digest[:_LONGEST_DIGEST],
        source_type="local",
        source=json.dumps({"uri": path.absolute().as_uri()}),
        profile=json.dumps({"num_rows": n}),
    )
    tags = [InputTag("mlflow.data.context", context), InputTag("lslm.digest", digest)]
    store.client.log_inputs(run_id, datasets=[DatasetInput(dataset, tags)])


def dotted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of sections under names such as `encoder.units`; those of no section as they are.

    Example:
        >>> dotted({"encoder": {"units": 8}, "deterministic": True})
        {'encoder.units': 8, 'deterministic': True}
    """
    found: dict[str, Any] = {}
    for section, value in settings.items():
        if isinstance(value, Mapping):
            found |= {f"{section}.{field}": each for field, each in value.items()}
        else:
            found[section] = value
    return found


def parts(entries: Sequence[Entry], most: int) -> Iterator[Sequence[Entry]]:
    """Slices of at most `most` entries.

    Example:
        >>> list(parts([1, 2, 3], 2))
        [[1, 2], [3]]
    """
    for start in range(0, len(entries), most):
        yield entries[start : start + most]


def _log_metrics(
    store: Store, run_id: str, metrics: Mapping[str, float], measured: Measured | None
) -> None:
    from mlflow.entities import Metric

    now, of = int(time.time() * 1000), {}
    if measured:
        of = {
            "model_id": measured.model_id,
            "dataset_name": measured.data,
            "dataset_digest": measured.digest[:_LONGEST_DIGEST],
        }
    known = _known(store, run_id, measured)
    entries = [
        Metric(name, float(value), now, 0, **of)
        for name, value in metrics.items()
        if known.get(name) != value
    ]
    for part in parts(entries, LARGEST_BATCH):
        store.client.log_batch(run_id, metrics=part)


def _known(store: Store, run_id: str, measured: Measured | None) -> dict[str, float]:
    """Metrics that were logged before, of the model where they tell of one."""
    if measured:
        model = store.client.get_logged_model(measured.model_id)
        return {metric.key: metric.value for metric in model.metrics or ()}
    return store.client.get_run(run_id).data.metrics


def _write(path: Path, content: Path | str | Mapping[str, Any] | Sequence[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        copy = shutil.copytree if content.is_dir() else shutil.copyfile
        copy(content, path)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    else:
        path.write_bytes(_json(content))


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_PARAM else f"{text[: _LONGEST_PARAM - 1]}…"


def _json(value: Any) -> bytes:
    return orjson.dumps(
        value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2
    )
