"""Promotion from the command line, on a real SQLite registry."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lslm import heads, planning
from lslm.cli.app import app
from lslm.errors import InputError
from lslm.settings import Settings
from lslm.tracking import approvals, registry, reports, runs, shown
from lslm.tracking.package import Candidate
from lslm.tracking.store import Store, connect
from lslm.workspace import Workspace
from tests.cli.samples import REPORT
from tests.evaluation.test_page import CLEANING, SEARCH, SPLIT, WORDS
from tests.tracking.conftest import write_model

SETTINGS = Settings(name="films")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two versions of one model."""
    home = tmp_path_factory.mktemp("promotion")
    store = connect(SETTINGS, Workspace(home / "workspace").create())
    run_id = runs.open_run(store, SETTINGS, digests={}, name="first")
    for weight in (1.0, 2.0):
        write_model(home / f"{weight}", weight, ())
        registry.register(store, SETTINGS, candidate(home / f"{weight}", run_id))
    return store


def candidate(folder: Path, run_id: str) -> Candidate:
    return Candidate(
        run_id=run_id,
        folder=folder,
        head=heads.get("classify"),
        card="# Films",
        input_example=("fine",),
        report="ab" * 32,
        data={},
    )


@pytest.fixture
def lslm(store: Store, capfd: pytest.CaptureFixture[str]):
    def call(*arguments: str) -> str:
        where = ("--workspace", str(store.workspace.root))
        app([*arguments, *where], standalone_mode=False)
        return capfd.readouterr().out.strip()

    return call


def test_a_model_s_life_on_the_command_line(store: Store, lslm) -> None:
    assert lslm("production", "films").endswith("UTC: no champion")
    assert lslm("promote", "films", "1", "--reason", "first", "--by", "ada") == (
        "films version 1 is the champion"
    )

    registry.annotate(store, "films", "2", tags={"lslm.gate.champion": "1"})
    approvals.ask(store, "films", "2", 60)
    said = lslm("approve", "films", "--reason", "read it", "--by", "bob")
    assert said == "films version 2 is the champion (approved by bob)"

    back = lslm("rollback", "films", "--reason", "refunds are misread", "--by", "eve")
    assert back == "films version 1 is the champion again"

    moves = json.loads(lslm("history", "films", "--json"))
    assert [(m["who"], m["action"], m["before"], m["after"], m["why"]) for m in moves] == [
        ("ada", "promote", None, "1", "first"),
        ("bob", "promote", "1", "2", "approved: read it"),
        ("eve", "rollback", "2", "1", "refunds are misread"),
    ]
    assert {m["report"] for m in moves} == {"ab" * 32}
    table = lslm("history", "films")
    assert "refunds are misread" in table
    assert "abababababab" in table

    then = json.loads(lslm("production", "films", "--at", moves[1]["when"], "--json"))
    assert (then["version"], then["since"], then["certain"]) == ("2", moves[1]["when"], True)
    day_before = lslm("production", "films", "--at", "2001-01-01")
    assert day_before == "films at 2001-01-01 23:59 UTC: no champion"
    assert "version 1, since" in lslm("production", "films")


def test_a_refused_version_is_told(store: Store, lslm) -> None:
    approvals.ask(store, "films", "1", 60)
    said = lslm("refuse", "films", "1", "--reason", "too bold", "--by", "bob")
    assert said == "films version 1 stays challenger (refused by bob)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("approve", "films", "--reason", "x"), "no version of 'films' waits for approval"),
        (("promote", "films", "9"), "'9' is no version or alias of model 'films'"),
        (("history", "nothing"), "no model 'nothing' is registered; expected one of: films"),
        (("production", "films", "--at", "yesterday"), "--at: 'yesterday' is no date"),
        (("production", "films", "--at", "0001-01-01T00:00+01:00"), "is no date"),
        (("models", "--tracking-uri", "http://127.0.0.1:1"), "http://127.0.0.1:1 does not answer"),
    ],
)
def test_bad_input_says_what_would_be_right(
    store: Store, lslm, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError) as error:
        lslm(*arguments)
    assert message in str(error.value)


def test_an_answer_without_a_reason_is_refused() -> None:
    done = CliRunner().invoke(app, ["approve", "films"])
    assert done.exit_code == 2
    assert "--reason" in done.stderr


def test_the_end_of_a_run_asks_for_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    from lslm.cli.ending import show
    from lslm.evaluation.report import Approval, Decision

    pending = Approval(state="pending", until="2026-11-25T04:00:00.000000Z")
    decision = Decision(promoted=False, reason="passed", rules=(), approval=pending)
    show(REPORT.model_copy(update={"decision": decision}))
    said = capsys.readouterr().out
    assert "registered as challenger" in said
    assert "lslm approve imdb 3 --reason ...   before 2026-11-25 04:00 UTC" in said
    assert "approval: nobody answered yet" in said


def test_commands_read_the_registry_that_the_environment_names(
    store: Store, lslm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    app(["models", "films", "--workspace", str(tmp_path), "--json"], standalone_mode=False)
    assert len(json.loads(capfd.readouterr().out)) == 2


def left_waiting(store: Store, settings: Settings, folder: Path) -> None:
    """What a run without a server leaves, where a person is to be asked."""
    run_id = runs.open_run(store, settings, digests={}, name="first")
    write_model(folder, 1.0, ())
    version = registry.register(store, settings, candidate(folder, run_id))
    decision = REPORT.decision.after(approvals.ask(store, settings.name, version, 60))
    update = {
        "corpus": {"cleaning": CLEANING, "split": SPLIT},
        "search": SEARCH,
        "embedding": WORDS,
        "run_id": run_id,
        "model": settings.name,
        "version": version,
        "decision": decision,
    }
    shown.show(store, settings, REPORT.model_copy(update=update))


@pytest.mark.parametrize(
    ("command", "told"), [("approve", "approved"), ("promote", "approved"), ("refuse", "refused")]
)
def test_an_answer_after_the_run_is_told_wherever_the_run_told_its_own(
    store: Store, lslm, tmp_path: Path, command: str, told: str
) -> None:
    settings = Settings(name=f"{command}d", workspace=store.workspace.root)
    left_waiting(store, settings, tmp_path / "model")
    version = store.client.get_model_version(settings.name, "1")
    assert "nobody answered yet" in version.description
    lslm(command, settings.name, "1", "--reason", "read it", "--by", "ada")

    version = store.client.get_model_version(settings.name, "1")
    assert "ada: read it" in version.description
    reason = f"passed the gate, {told} by ada: read it"
    (listed,) = json.loads(lslm("models", settings.name, "--json"))
    assert listed["gate"] == version.tags["lslm.gate"] == reason
    assert store.client.get_run(version.run_id).data.tags["lslm.gate"] == reason
    _, report = reports.fetch_record(store, f"{settings.name}/1")
    assert (report.decision.reason, report.decision.promoted) == (reason, told == "approved")
    assert planning.last_report(settings, store.workspace) == report
    table = store.client.download_artifacts(version.run_id, "gate.json", str(tmp_path))
    assert "ada: read it" in Path(table).read_text()
