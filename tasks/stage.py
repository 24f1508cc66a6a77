"""What makes a function a stage: a Prefect task cached by content, that can also be planned."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import prefect
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import CacheKeyFnPolicy
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture
from prefect.serializers import JSONSerializer
from prefect.transactions import CommitMode, transaction
from pydantic import BaseModel, ConfigDict

from lslm import metering, planning, progress, stopping
from lslm.errors import InputError
from lslm.planning import Parts, StagePlan
from lslm.settings import Settings
from lslm.workspace import Workspace

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Record = TypeVar("Record")

_CARRYING = {f"tasks.{name}" for name in ("stage", "tracked", "runners", "fits", "flow_runs")}
"""Modules that carry runs and decide no result: keys do not hold their source."""

# Prefect's default is a pickle, which runs whatever was planted in it.
_JSON = JSONSerializer()


Pages = dict[str, str]
"""What a stage leaves for people to look at: Markdown by name (lower-case letters and hyphens)."""


class Named:
    """An argument whose words name the task run that is given it."""


class Run(BaseModel):
    """One pipeline run, as far as its tasks must know: where things are kept and tracked."""

    model_config = ConfigDict(frozen=True)

    settings: Settings
    base: Path
    """Folder that relative source paths start from."""
    run_id: str
    """Of MLflow; empty while planning."""
    study_url: str = ""
    """Of Optuna's storage; processes elsewhere need not find it again."""
    store: str = ""
    """Which one of MLflow's, whatever the way there."""
    page: str | None = None
    """Where a person sees the MLflow run; none where no server shows it."""

    @property
    def workspace(self) -> Workspace:
        """Where files are kept."""
        return Workspace(self.settings.workspace)


made: ContextVar[dict[str, dict[str, str]] | None] = ContextVar("made", default=None)
"""What the stages of the flow that is running made: digests by stage, in order, and by name."""


class Planner:
    """Walks the flow without running it: each stage looks up its result instead."""

    def __init__(self) -> None:
        self.stages: list[StagePlan] = []
        self.results: dict[str, Any] = {}
        """What was found, by stage."""

    def look(self, stage: "Stage[Any, Any]", run: Run, arguments: dict[str, Any]) -> Any:
        """The result the stage would find, or an unknown one."""
        if any(isinstance(value, Unknown) for value in arguments.values()):
            self.stages.append(StagePlan(stage.name, "unknown", ()))
            return Unknown()
        parts = stage.parts(arguments)
        key = planning.key(stage.name, parts)
        if not run.workspace.finished(key):
            differing = planning.changed(run.workspace, run.settings.name, stage.name, parts)
            self.stages.append(StagePlan(stage.name, "run", differing))
            return Unknown()
        self.stages.append(StagePlan(stage.name, "done", ()))
        self.results[stage.name] = _JSON.loads(run.workspace.result(key))
        return self.results[stage.name]


class Unknown:
    """The result of a stage that has not run; so is everything in it."""

    def __getattr__(self, name: str) -> "Unknown":
        return self

    def __getitem__(self, name: object) -> "Unknown":
        return self


def gathered(make: Callable[..., Record], **made: Any) -> Record | Unknown:
    """What is made of results of stages; while planning, unknown where one of them is."""
    if any(isinstance(value, Unknown) for value in made.values()):
        return Unknown()
    return make(**made)


planner: ContextVar[Planner | None] = ContextVar("planner", default=None)


class Pending(Generic[Result]):
    """A part of a stage that is done beside others."""

    def __init__(self, future: PrefectFuture[Any], then: Callable[[], None]) -> None:
        self._future, self._then = future, then

    def result(self) -> Result:
        """What it comes to, once it is done."""
        found: Result = self._future.result()
        self._then()
        return found


class Stage(Generic[Arguments, Result]):
    """A function whose first argument is the run and whose result depends on the others alone."""

    def __init__(
        self,
        function: Callable[Concatenate[Run, Arguments], Result],
        title: str,
        modules: tuple[str, ...],
        pages: Callable[[Result], Pages],
        outcome: Callable[[Result], Any],
        then: Callable[[Run, dict[str, Any]], None] | None,
        unread: tuple[str, ...],
    ) -> None:
        self.function, self.title = function, title
        self.modules, self.unread = modules, unread
        self.pages, self.outcome, self.then = pages, outcome, then
        self.name = function.__name__.replace("_", "-")
        self.task = prefect.task(
            name=self.name,
            persist_result=True,
            result_serializer=_JSON,
            cache_policy=CacheKeyFnPolicy(cache_key_fn=self._cache_key),
            retry_condition_fn=_may_pass,
        )(self._timed)

    def __call__(self, run: Run, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Run the stage as a Prefect task, unless its result is there; while planning, look it up."""
        arguments = self._named(args, kwargs)
        if walking := planner.get():
            return walking.look(self, run, arguments)
        stopping.check()
        progress.stage(self.title)
        result = self._kept(run, arguments)
        noted = made.get()
        if noted is not None:
            noted[self.name] = planning.digests(self.outcome(result))
        leave(run, self.pages(result))
        return result

    def here(self, run: Run, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Run the stage as a part of another one, in its thread: one that submits parts of its own and waits for
        them would hold the place that they need.
        """
        arguments = self._named(args, kwargs)
        return self._in(run, *self._which(arguments))(run=run, arguments=arguments)

    def submit(
        self, run: Run, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Pending[Result]:
        """Run the stage on the flow's task runner, as a part of another stage."""
        arguments = self._named(args, kwargs)
        future = self._in(run, *self._which(arguments)).submit(run=run, arguments=arguments)
        return Pending(future, lambda: self._go_on(run, arguments))

    def parts(self, arguments: dict[str, Any]) -> Parts:
        """What the stage's key is made of.

        Beside what `modules` say there is the source of its own module, and of those of the stages it uses.
        """
        parts = planning.key_parts(arguments, self.modules)
        for module in _own_modules(self.function.__module__):
            parts |= planning.source_part(module)
        return {name: part for name, part in parts.items() if name not in self.unread}

    def _kept(self, run: Run, arguments: dict[str, Any]) -> Result:
        """The result, once it is there for later runs.

        Prefect only logs that one cannot be written. A later run would do the stage again, and register once more.
        """
        key = planning.key(self.name, self.parts(arguments))
        for _ in range(1 + run.settings.execution.retries):
            # Else results of its parts would be written when it is done itself, and lost if it is killed before.
            with transaction(commit_mode=CommitMode.EAGER):
                result = self._in(run)(run=run, arguments=arguments)
            if run.workspace.finished(key):
                return result
        raise OSError(f"the result of {self.name} cannot be written into {run.workspace.results}")

    def _timed(self, run: Run, arguments: dict[str, Any]) -> Result:
        function: Callable[..., Result] = self.function
        with metering.measured() as cost:
            result = function(run, **arguments)
        parts = self.parts(arguments)
        planning.remember(run.workspace, run.settings.name, self.name, parts, cost, run.run_id)
        return result

    def _go_on(self, run: Run, arguments: dict[str, Any]) -> None:
        if self.then is None:
            return
        if run.workspace.finished(planning.key(self.name, self.parts(arguments))):
            self.then(run, arguments)

    def _cache_key(self, context: Any, arguments: dict[str, Any]) -> str:
        run: Run = arguments["run"]
        key = planning.key(self.name, self.parts(arguments["arguments"]))
        if not run.workspace.finished(key):
            # What is half written, or whose files are gone, is no result.
            run.workspace.forget(key)
        return key

    def _which(self, arguments: dict[str, Any]) -> list[str]:
        """What tells this part from the stage's others."""
        return [
            str(value).removeprefix(f"{self.name} ")
            for value in arguments.values()
            if isinstance(value, Named)
        ]

    def _in(self, run: Run, *which: str) -> Any:
        execution = run.settings.execution
        return self.task.with_options(
            task_run_name=" ".join((self.name, *which)),
            result_storage=run.workspace.results,
            retries=execution.retries,
            retry_delay_seconds=execution.retry_delay,
        )

    def _named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        names = self.function.__code__.co_varnames[1 : self.function.__code__.co_argcount]
        return {**dict(zip(names, args, strict=False)), **kwargs}


@cache
def _own_modules(module: str) -> frozenset[str]:
    """A stage's module, and those of the stages and functions beside it that this imports by name, and so on."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            # Not by a function's own globals: in a process of a cluster it has but those that it uses.
            homes = map(_home, vars(import_module(name)).values())
            waiting += [
                home for home in homes if home.startswith("tasks.") and home not in _CARRYING
            ]
    return frozenset(found)


def _home(value: Any) -> str:
    """The module of a stage or a function; nothing for other values."""
    function = value.function if isinstance(value, Stage) else value
    return function.__module__ if isinstance(function, FunctionType) else ""


def stage(
    title: str,
    modules: tuple[str, ...],
    pages: Callable[[Result], Pages] = lambda result: {},
    outcome: Callable[[Result], Any] = lambda result: result,
    then: Callable[[Run, dict[str, Any]], None] | None = None,
    unread: tuple[str, ...] = (),
) -> Callable[[Callable[Concatenate[Run, Arguments], Result]], Stage[Arguments, Result]]:
    """Make a function a stage; `modules` of the library, and what they import, are in its key.

    `pages` makes Prefect artifacts of its result, found or new: Markdown by name. `outcome` is the part
    of it that the same settings and data make again, without times and the like. `then` follows where the
    stage was submitted as a part and its result is there for later runs.
    `unread` names settings among its arguments, dotted, that its result does not hang on.
    """
    return lambda function: Stage(function, title, modules, pages, outcome, then, unread)


def leave(run: Run, pages: Pages) -> None:
    """Leave Markdown by name as artifacts on the flow run, each with the way to the MLflow run."""
    if FlowRunContext.get() is None:
        return
    shown = f"[MLflow run]({run.page})" if run.page else "MLflow run, once `lslm up` shows it:"
    for name, text in pages.items():
        create_markdown_artifact(
            f"{text}\n\n{shown} `{run.run_id}`",
            key=f"{run.settings.name}-{name}",
            description=f"{run.settings.name}: {name}",
        )


def _may_pass(task: object, task_run: object, state: State) -> bool:
    """Whether a failure may be gone at the next try; bad input will not."""
    try:
        state.result()
    except InputError:
        return False
    except Exception:
        return True
    return False
