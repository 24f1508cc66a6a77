"""Two promotions at once, on a real SQLite registry: one wins, the other is told."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from lslm.errors import InputError
from lslm.tracking import promotion, registry
from lslm.tracking.moves import moves_in, now


@pytest.fixture
def name(settings) -> str:
    return settings.model_name


@pytest.fixture
def three_versions(store, settings, candidate) -> None:
    for weight in (1.0, 2.0, 3.0):
        registry.register(store, settings, candidate(weight))


def tags_of(store, name):
    return store.client.get_registered_model(name).tags


def log_of(store, name):
    return [(move.before, move.after) for move in registry.history(store, name)]


ONE_PROCESS = """
import sys, time
from pathlib import Path
from lslm.settings import Settings
from lslm.tracking import registry
from lslm.tracking.store import connect
from lslm.workspace import Workspace

root, name, version = sys.argv[1:]
store = connect(Settings(name="any"), Workspace(Path(root)))
registry.champion(store, name)
print("ready", flush=True)
sys.stdin.readline()
try:
    print("won", registry.promote(store, name, version, f"by {version}"))
except registry.Overtaken as error:
    print("told", error)
"""


def test_of_processes_that_promote_at_once_one_wins_and_the_others_are_told(
    store, three_versions, name
):
    root = str(store.workspace.root)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_PROCESS, root, name, version],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for version in "12"
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].strip() for process in processes]
    won = [line for line in said if line.startswith("won")]
    told = [line for line in said if line.startswith("told")]
    moves = registry.history(store, name)
    # Those that came a moment later and saw the first move are no rivals of it.
    assert len(won) == len(moves) >= 1
    assert len(won) + len(told) == 2
    assert all("at the same time" in line for line in told)
    assert registry.champion(store, name) == moves[-1].after
    assert [move.before for move in moves] == [None, *(move.after for move in moves[:-1])]


def test_of_many_threads_each_move_follows_the_one_before(store, three_versions, name):
    outcomes, start = [], threading.Barrier(4)

    def move(version: str) -> None:
        start.wait()
        for _ in range(4):
            try:
                outcomes.append(registry.promote(store, name, version, "race"))
            except registry.Overtaken:
                outcomes.append("told")

    threads = [threading.Thread(target=move, args=(version,)) for version in "1231"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moves = registry.history(store, name)
    assert len(outcomes) == 16
    assert "told" in outcomes
    assert [move.before for move in moves] == [None, *(move.after for move in moves[:-1])]
    assert registry.champion(store, name) == moves[-1].after


def test_who_reads_the_champion_before_another_moves_it_is_told(
    store, three_versions, name, monkeypatch
):
    check = promotion.check_package

    def meanwhile(*given):
        monkeypatch.setattr(promotion, "check_package", check)
        registry.promote(store, name, "2", "the other", who="ada")

    monkeypatch.setattr(promotion, "check_package", meanwhile)
    with pytest.raises(registry.Overtaken, match=r"version 2 of .* made champion by ada"):
        registry.promote(store, name, "3", "mine")
    assert log_of(store, name) == [(None, "2")]
    assert registry.champion(store, name) == "2"
    assert registry.promote(store, name, "3", "still") == "3"


def test_two_who_want_the_same_version_both_have_it(store, three_versions, name, monkeypatch):
    check = promotion.check_package

    def meanwhile(*given):
        monkeypatch.setattr(promotion, "check_package", check)
        registry.promote(store, name, "3", "the other")

    monkeypatch.setattr(promotion, "check_package", meanwhile)
    assert registry.promote(store, name, "3", "mine") == "3"
    assert log_of(store, name) == [(None, "3")]


@pytest.mark.parametrize("done", ["claimed", "moved"])
def test_a_move_whose_maker_died_over_it_is_finished_by_the_next(
    store, three_versions, name, monkeypatch, done
):
    def killed(*given):
        raise KeyboardInterrupt

    registry.promote(store, name, "1", "first")
    with monkeypatch.context() as patched:
        if done == "claimed":
            patched.setattr(promotion, "_finish", killed)
        else:
            patched.setattr(store.client, "set_registered_model_tag", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.promote(store, name, "2", "second")
    monkeypatch.setattr(promotion, "_PATIENCE", 0.1)
    with pytest.raises(registry.Overtaken):
        registry.promote(store, name, "3", "third")
    assert (registry.champion(store, name), log_of(store, name)[-1]) == ("2", ("1", "2"))
    registry.promote(store, name, "3", "third")
    assert log_of(store, name) == [(None, "1"), ("1", "2"), ("2", "3")]


def test_a_promotion_that_expects_another_champion_is_refused(store, three_versions, name):
    registry.promote(store, name, "1", "first", expected=None)
    with pytest.raises(registry.Overtaken, match="now version 1, no longer none"):
        registry.promote(store, name, "2", "late", expected=None)
    assert registry.promote(store, name, "2", "in time", expected="1") == "2"


def test_a_note_that_was_deleted_comes_back_with_the_next_move(
    store, three_versions, name, monkeypatch
):
    registry.promote(store, name, "1", "first")
    key = next(key for key in tags_of(store, name) if key.startswith("lslm.move."))
    store.client.delete_registered_model_tag(name, key)
    monkeypatch.setattr(promotion, "_PATIENCE", 0.1)
    with pytest.raises(registry.Overtaken):
        registry.promote(store, name, "2", "second")
    assert log_of(store, name) == [(None, "1")]


@pytest.mark.parametrize(("deleted", "back"), [("2", "1"), ("3", "2")])
def test_a_version_that_was_deleted_is_not_gone_back_to(store, three_versions, name, deleted, back):
    for version in "123":
        registry.promote(store, name, version, "better")
    store.client.delete_model_version(name, deleted)
    assert registry.rollback(store, name, "a bad one") == back
    if back == "2":
        assert registry.rollback(store, name, "this one too") == "1"
    with pytest.raises(InputError, match="no earlier champion"):
        registry.rollback(store, name, "and again")


def test_without_its_alias_a_champion_comes_back_once(store, three_versions, name):
    for version in "12":
        registry.promote(store, name, version, "better")
    store.client.delete_registered_model_alias(name, "champion")
    assert [registry.rollback(store, name, "back") for _ in range(2)] == ["2", "1"]


def test_the_newest_version_stays_challenger(store, three_versions, settings, candidate, name):
    assert registry.register(store, settings, candidate(1.0)) == "1"
    assert store.client.get_model_version_by_alias(name, "challenger").version == 3


def test_a_move_says_who_and_why(store, three_versions, name):
    registry.promote(store, name, "1", "grün & 'good'", who="ada")
    (value,) = (v for k, v in tags_of(store, name).items() if k == "lslm.move.000001")
    assert json.loads(value) | {"when": ""} == {
        "when": "",
        "who": "ada",
        "action": "promote",
        "before": None,
        "after": "1",
        "why": "grün & 'good'",
        "report": "r" * 64,
    }


def test_a_reason_too_long_to_be_kept_whole_is_refused(store, three_versions, name):
    with pytest.raises(InputError, match="2,001 characters; expected at most 2,000"):
        registry.promote(store, name, "1", "x" * 2001)
    assert registry.champion(store, name) is None


def test_moves_are_claimed_on_a_run_that_is_left(store, settings, candidate, name, run_id):
    registry.register(store, settings, candidate())
    store.client.delete_run(run_id)
    with pytest.raises(InputError, match=r"every MLflow run .* is deleted"):
        registry.promote(store, name, "1", "why")
    store.client.restore_run(run_id)
    assert registry.promote(store, name, "1", "why") == "1"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_champion_of_a_moment_is_told(store, three_versions, name):
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert registry.champion_at(store, name, before).version is None
    registry.promote(store, name, "1", "first")
    between = at(now())
    registry.promote(store, name, "2", "second")
    first, second = (move.when for move in registry.history(store, name))
    assert registry.champion_at(store, name, before) == registry.Reign(None, "", certain=True)
    assert registry.champion_at(store, name, between) == registry.Reign("1", first, certain=True)
    assert registry.champion_at(store, name, at(now())) == registry.Reign("2", second, certain=True)


def test_a_champion_set_in_mlflow_itself_makes_the_answer_uncertain(store, three_versions, name):
    registry.promote(store, name, "1", "first")
    assert registry.champion_at(store, name, at(now())).certain
    store.client.set_registered_model_alias(name, "champion", "3")
    uncertain = at(now())
    assert not registry.champion_at(store, name, uncertain).certain
    registry.promote(store, name, "2", "second")
    found = registry.champion_at(store, name, uncertain)
    assert (found.version, found.certain) == ("1", False)
    assert registry.champion_at(store, name, at(now())).version == "2"


def test_moves_keep_their_order_where_the_clocks_of_machines_differ(
    store, three_versions, name, monkeypatch
):
    ahead = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S.%fZ}"
    registry.promote(store, name, "1", "first")
    with monkeypatch.context() as patched:
        patched.setattr(promotion, "now", lambda: ahead)
        registry.promote(store, name, "2", "by a machine an hour ahead")
    assert registry.rollback(store, name, "it fails") == "1"
    assert registry.champion(store, name) == "1"
    assert log_of(store, name) == [(None, "1"), ("1", "2"), ("2", "1")]
    assert registry.champion_at(store, name, at(now())).version == "1"


def test_moves_that_were_noted_without_a_number_come_first_by_their_time():
    def note(when: str) -> str:
        fields = ("when", "who", "action", "before", "after", "why", "report")
        return json.dumps({**dict.fromkeys(fields, ""), "when": when})

    tags = {
        "lslm.move.000003": note("2026-01-03"),
        "lslm.move.2026-01-05.ab12": note("2026-01-05"),
        "lslm.move.2026-01-04.cd34": note("2026-01-04"),
    }
    assert [move.when[-2:] for move in moves_in(tags)] == ["04", "05", "03"]
