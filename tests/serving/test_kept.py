"""A kept baseline answers as it did when it was scored, and nothing in its files is run."""

import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import skops.io

from lslm import heads
from lslm.errors import InputError
from lslm.serving import kept, model_folder
from lslm.serving.kept import KeptBaseline
from lslm.serving.model_folder import ModelFolder, write_manifest
from lslm.serving.predictor import Predictor
from lslm.settings import CleaningSettings, TextSettings
from lslm.text.tokenizers import words
from tests.serving.networks import TARGETS

HEAD = heads.get("classify")
ROWS = [(f"film {i} is {label}", label) for i in range(12) for label in TARGETS["labels"]]
TRAINING = pl.DataFrame(ROWS, schema=["text", "label"], orient="row")
ASKED = [f"this one is {label}" for label in reversed(TARGETS["labels"])]


@pytest.fixture(params=sorted(HEAD.kept))
def baseline(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Path:
    """The folder of a baseline, beside that of a network."""
    pipeline = HEAD.kept[request.param].fit(TRAINING, TARGETS, 0)
    kept.save(tmp_path / request.param, ModelFolder(folder), request.param, pipeline)
    return tmp_path / request.param


def test_it_answers_as_when_it_was_scored(baseline: Path) -> None:
    predictor = Predictor.load(baseline)
    scored = HEAD.baselines[baseline.name](TRAINING, pl.DataFrame({"text": ASKED}), TARGETS, 0)
    np.testing.assert_allclose(predictor.outputs(ASKED), scored, atol=1e-6)
    one_by_one = np.concatenate([predictor.outputs([text]) for text in ASKED])
    np.testing.assert_allclose(one_by_one, scored, atol=1e-6)
    assert predictor.outputs([]).shape == (0, len(TARGETS["labels"]))


def test_answers_have_the_form_of_a_network_s(baseline: Path, folder: Path) -> None:
    (ours,), (network,) = (Predictor.load(each).predict(ASKED[:1]) for each in (baseline, folder))
    assert ours.keys() == network.keys()
    assert ours["label"] == TARGETS["labels"][-1]


def test_its_explanation_begins_with_its_answer(baseline: Path) -> None:
    predictor = Predictor.load(baseline)
    text = f"{ASKED[0].upper()}, " + "and so on. " * 110
    (whole,) = predictor.outputs([text])
    (found,) = predictor.effects([text])
    assert [word for word, _ in found] == words(text)
    telling = TARGETS["labels"][-1].upper()
    without = predictor.outputs([text.replace(telling, "")])[0]
    effect = dict(found)[telling]
    assert effect == pytest.approx(float(whole.max() - without[whole.argmax()]), abs=1e-6)
    assert effect > 0


@pytest.mark.parametrize(
    ("lowercase", "expected"),
    [
        (False, ["ΟΔΟΣ", ".", "Α", "ΣΑΣ", "ΣΑΣ", "POS"]),
        (True, ["οδοσ", ".", "α", "σας", "σας", "pos"]),
    ],
)
def test_words_are_left_out_however_their_capitals_become_small(
    baseline: Path, tmp_path: Path, lowercase: bool, expected: list[str]
) -> None:
    text = "ΟΔΟΣ.Α ΣΑΣ ΣΑΣ POS"
    described = {"text": TextSettings(lowercase=lowercase)}
    model_folder.describe(baseline, tmp_path / "greek", described)
    predictor = Predictor.load(tmp_path / "greek")
    (found,) = predictor.effects([text])
    assert [word for word, _ in found] == expected
    (whole,) = predictor.outputs([text])
    without = predictor.outputs(["ΟΔΟΣ.Α ΣΑΣ  POS"])[0]
    assert found[4][1] == pytest.approx(float(whole.max() - without[whole.argmax()]), abs=1e-6)


def test_texts_without_a_word_are_asked_about_a_batch_at_a_time(
    baseline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    outputs = KeptBaseline.outputs

    def counted(kept: KeptBaseline, texts: Sequence[str]) -> np.ndarray:
        sizes.append(len(texts))
        return outputs(kept, texts)

    predictor = Predictor.load(baseline)
    at_once = predictor.effects(ASKED)
    monkeypatch.setattr(KeptBaseline, "outputs", counted)
    for one, whole in zip(predictor.effects(ASKED, batch_size=2), at_once, strict=True):
        assert [word for word, _ in one] == [word for word, _ in whole]
        assert [each for _, each in one] == pytest.approx([each for _, each in whole])
    assert sizes == [2, 2, 1] * len(ASKED)


def test_a_calibrated_copy_is_scaled_and_abstains(baseline: Path, tmp_path: Path) -> None:
    model_folder.calibrate(baseline, tmp_path / "flat", temperature=50.0, abstain_below=0.9)
    plain, flat = Predictor.load(baseline), Predictor.load(tmp_path / "flat")
    assert flat.outputs(ASKED).max() < plain.outputs(ASKED).max()
    assert {answer["label"] for answer in flat.predict(ASKED)} == {None}


def test_below_the_threshold_the_answer_is_the_label_for_out_of_scope(
    baseline: Path, tmp_path: Path
) -> None:
    scope = model_folder.Scope(label="other", below=0.99)
    model_folder.describe(baseline, tmp_path / "scoped", {"out_of_scope": scope})
    answers = Predictor.load(tmp_path / "scoped").predict(["nothing it knows", *ASKED])
    assert answers[0]["label"] == "other"
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1.0)


def test_documents_of_a_cleaned_corpus_are_not_cleaned_once_more(
    baseline: Path, tmp_path: Path
) -> None:
    model_folder.describe(baseline, tmp_path / "html", {"cleaning": CleaningSettings()})
    serves, scores = (Predictor.load(tmp_path / "html", cleans=each) for each in (True, False))
    asked, stored = "&lt;script&gt;film is pos&lt;/script&gt;", "<script>film is pos</script>"
    np.testing.assert_array_equal(scores.outputs([stored]), serves.outputs([asked]))
    assert serves.outputs([stored]).max() < scores.outputs([stored]).max()
    assert scores.effects([stored]) == serves.effects([asked])


def test_it_has_no_attention_to_show(baseline: Path) -> None:
    with pytest.raises(InputError, match="which has no attention"):
        Predictor.load(baseline).predict(ASKED, attention=True)


def test_a_changed_file_is_not_opened(baseline: Path) -> None:
    (baseline / kept.BASELINE).write_bytes(b"other")
    with pytest.raises(InputError, match="the file was changed"):
        Predictor.load(baseline)


class Planted:
    """What a pickle would run on loading."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("planted",)


def test_a_planted_pickle_is_not_run(baseline: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(baseline / kept.BASELINE, "w") as archive:
        archive.writestr("schema.json", pickle.dumps(Planted()))
    write_manifest(baseline)
    with pytest.raises(Exception, match="."):
        Predictor.load(baseline)
    assert "planted" not in capfd.readouterr().out


def test_a_type_that_is_no_data_is_refused(baseline: Path) -> None:
    skops.io.dump({"model": Planted()}, baseline / kept.BASELINE)
    write_manifest(baseline)
    with pytest.raises(InputError, match="holds types that are no data"):
        Predictor.load(baseline)
