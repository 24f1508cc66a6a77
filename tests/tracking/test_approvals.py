"""A person's word on a version: asked once, answered once, and silence is a no."""

import pytest

from lslm.errors import InputError
from lslm.tracking import approvals, registry
from lslm.tracking.versions import OPPONENT


@pytest.fixture
def name(settings) -> str:
    return settings.model_name


@pytest.fixture
def two_versions(store, settings, candidate) -> None:
    for weight in (1.0, 2.0):
        registry.register(store, settings, candidate(weight))


def asked(store, name, version="2", seconds=60.0, champion=""):
    registry.annotate(store, name, version, tags={OPPONENT: champion})
    return approvals.ask(store, name, version, seconds)


def tag(store, name, key, version="2"):
    return store.client.get_model_version(name, version).tags.get(key)


def test_an_approved_version_is_champion_and_says_by_whom(store, two_versions, name):
    asked(store, name)
    said = approvals.answer(store, name, "2", approve=True, why="read it", who="ada")
    assert (said.state, said.who, said.why) == ("approved", "ada", "read it")
    assert registry.champion(store, name) == "2"
    (move,) = registry.history(store, name)
    assert (move.who, move.why) == ("ada", "approved: read it")
    assert tag(store, name, "lslm.approval") == "approved"
    assert registry.list_models(store, name)[0].gate == "passed the gate, approved by ada: read it"


def test_a_refused_version_stays_challenger_and_says_why(store, two_versions, name):
    asked(store, name)
    approvals.answer(store, name, "2", approve=False, why="too bold", who="bob")
    assert registry.champion(store, name) is None
    assert registry.list_models(store, name)[0].aliases == ("challenger",)
    assert tag(store, name, "lslm.approval.who") == "bob"
    assert tag(store, name, "lslm.approval.why") == "too bold"


def test_asking_again_changes_nothing(store, two_versions, name):
    first = asked(store, name)
    assert asked(store, name, seconds=9999) == first
    approvals.answer(store, name, "2", approve=False, why="no", who="bob")
    assert asked(store, name).state == "refused"


@pytest.mark.parametrize("approve", [True, False])
def test_an_answer_is_given_once(store, two_versions, name, approve):
    asked(store, name)
    approvals.answer(store, name, "2", approve=approve, why="so", who="ada")
    word = "approved" if approve else "refused"
    for again in (True, False):
        with pytest.raises(InputError, match=f"was {word} by ada"):
            approvals.answer(store, name, "2", approve=again, why="again")


def test_of_two_answers_at_once_the_first_counts(store, two_versions, name, monkeypatch):
    asked(store, name)
    check = approvals.check_package

    def meanwhile(*given):
        monkeypatch.setattr(approvals, "check_package", check)
        approvals.answer(store, name, "2", approve=False, why="no", who="bob")

    monkeypatch.setattr(approvals, "check_package", meanwhile)
    with pytest.raises(InputError, match=r"was refused by bob at the same time"):
        approvals.answer(store, name, "2", approve=True, why="yes", who="ada")
    assert registry.champion(store, name) is None
    assert tag(store, name, "lslm.approval") == "refused"


def test_an_answer_cut_off_half_way_is_finished_by_the_same_answer(
    store, two_versions, name, monkeypatch
):
    def killed(*given, **named):
        raise KeyboardInterrupt

    asked(store, name)
    with monkeypatch.context() as patched:
        patched.setattr(approvals, "promote", killed)
        with pytest.raises(KeyboardInterrupt):
            approvals.answer(store, name, "2", approve=True, why="first", who="ada")
    assert tag(store, name, "lslm.approval") == "pending"
    said = approvals.answer(store, name, "2", approve=True, why="again", who="bob")
    assert (said.who, registry.champion(store, name)) == ("ada", "2")


def test_after_the_deadline_silence_has_refused(store, two_versions, name):
    asked(store, name, seconds=0)
    with pytest.raises(InputError, match=r"the time to approve .* ended .*lslm promote"):
        approvals.answer(store, name, "2", approve=True, why="late")
    assert tag(store, name, "lslm.approval") == "refused"
    assert tag(store, name, "lslm.approval.who") == "nobody"
    assert registry.champion(store, name) is None


def test_an_answer_before_the_deadline_outlives_it(store, two_versions, name):
    asked(store, name)
    approvals.answer(store, name, "2", approve=True, why="yes", who="ada")
    assert approvals.expire(store, name, "2").who == "ada"
    assert registry.champion(store, name) == "2"


def test_an_approval_is_for_the_champion_the_gate_compared_with(store, two_versions, name):
    asked(store, name)
    registry.promote(store, name, "1", "meanwhile")
    with pytest.raises(
        registry.Overtaken, match=r"with no champion; the champion is now version 1"
    ):
        approvals.answer(store, name, "2", approve=True, why="yes")
    assert tag(store, name, "lslm.approval") == "pending"


def test_an_approval_overtaken_at_the_last_moment_is_kept_as_refused(
    store, two_versions, name, monkeypatch
):
    asked(store, name)

    def meanwhile(*given):
        registry.promote(store, name, "1", "meanwhile")

    monkeypatch.setattr(approvals, "check_package", meanwhile)
    with pytest.raises(registry.Overtaken):
        approvals.answer(store, name, "2", approve=True, why="yes", who="ada")
    assert tag(store, name, "lslm.approval") == "refused"
    assert "approved by ada (yes), but" in tag(store, name, "lslm.approval.why")
    assert registry.champion(store, name) == "1"


def test_promoting_a_version_that_waits_is_its_answer(store, two_versions, name):
    asked(store, name)
    registry.promote(store, name, "1", "meanwhile")
    assert approvals.overrule(store, name, "challenger", "it is urgent", who="ada") == "2"
    # Nobody refuses it later.
    said = approvals.expire(store, name, "2")
    assert (said.state, said.who, said.why) == ("approved", "ada", "it is urgent")
    assert registry.champion(store, name) == "2"
    assert [move.why for move in registry.history(store, name)] == ["meanwhile", "it is urgent"]


def test_a_version_that_does_not_wait_is_promoted_without_an_answer(store, two_versions, name):
    assert approvals.overrule(store, name, "1", "by hand") == "1"
    assert approvals.state(store, name, "1") is None
    asked(store, name)
    approvals.answer(store, name, "2", approve=False, why="too bold", who="bob")
    approvals.overrule(store, name, "2", "not so bold", who="ada")
    assert (registry.champion(store, name), tag(store, name, "lslm.approval")) == ("2", "refused")


def test_changed_files_are_not_approved(store, two_versions, name):
    asked(store, name)
    (registry.download(store, name, "2") / "vocabulary.json").write_text("[]")
    with pytest.raises(InputError, match="not those that were registered"):
        approvals.answer(store, name, "2", approve=True, why="yes")
    assert tag(store, name, "lslm.approval") == "pending"


def test_what_does_not_wait_is_not_answered(store, two_versions, name):
    with pytest.raises(InputError, match="does not wait for approval.*lslm promote"):
        approvals.answer(store, name, "1", approve=True, why="yes")
    with pytest.raises(InputError, match="does not wait for approval.*`lslm models "):
        approvals.answer(store, name, "1", approve=False, why="no")
    with pytest.raises(InputError, match="no version of .* waits"):
        approvals.waiting(store, name)


def test_the_newest_that_waits_is_meant_where_no_version_is_named(store, two_versions, name):
    asked(store, name, "1")
    assert approvals.waiting(store, name) == "1"
    asked(store, name, "2")
    assert approvals.waiting(store, name) == "2"
