import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest

from lslm.errors import InputError
from lslm.serving import predictor as predicting
from lslm.serving.model_folder import calibrate, describe
from lslm.serving.predictor import Predictor
from lslm.settings import CleaningSettings, Hyperparameters
from lslm.statistics.calibration import scale
from tests.serving.networks import HYPERPARAMETERS, SHAKEN, WORDS, write

TEXTS = ["a good film", "", "not a good film a bad film not good a", "bad", "Zebra"]


@pytest.fixture(scope="module")
def predictor(made: tuple[Path, object]) -> Predictor:
    return Predictor.load(made[0])


def test_outputs_are_the_mean_of_the_members(
    predictor: Predictor, members: Sequence[keras.Model]
) -> None:
    tokens = WORDS.encode(["a", "good", "film"])[None]
    expected = np.mean([np.asarray(member(tokens)) for member in members], axis=0)
    np.testing.assert_allclose(predictor.outputs(["a good film"]), expected, atol=1e-6)


def test_a_text_is_answered_alike_alone_and_among_others(predictor: Predictor) -> None:
    together = predictor.outputs(TEXTS, batch_size=2)
    alone = np.concatenate([predictor.outputs([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_text_without_tokens_gets_the_answer_for_padding(
    predictor: Predictor, members: Sequence[keras.Model]
) -> None:
    nothing = np.zeros((1, 3), np.int32)
    expected = np.mean([np.asarray(member(nothing)) for member in members], axis=0)
    np.testing.assert_allclose(predictor.outputs([" \u200b"]), expected, atol=1e-6)
    assert predictor.attention([""]) == [[]]


def test_no_texts_give_no_answers(predictor: Predictor) -> None:
    assert predictor.outputs([]).shape == (0, 2)
    assert predictor.predict([]) == []
    assert predictor.attention([]) == []


def test_answers_are_what_a_person_reads(predictor: Predictor) -> None:
    (answer,) = predictor.predict(["a good film"])
    assert answer["label"] in {"neg", "pos"}
    assert answer["probability"] == max(answer["probabilities"].values())


def test_attention_names_the_words_that_were_read(predictor: Predictor) -> None:
    (answer,) = predictor.predict(["Zebra film !"], attention=True)
    assert [word for word, _ in answer["attention"]] == ["Zebra", "film", "!"]
    assert sum(weight for _, weight in answer["attention"]) == pytest.approx(1, abs=1e-5)
    assert predictor.attention(["Zebra film !"]) == [answer["attention"]]


def test_a_long_text_keeps_its_head_and_tail(predictor: Predictor) -> None:
    assert HYPERPARAMETERS.training.max_tokens == 8
    (weighted,) = predictor.attention(["1 2 3 4 5 6 7 8 9 10"])
    assert [word for word, _ in weighted] == ["1", "2", "3", "4", "7", "8", "9", "10"]


def test_a_calibrated_model_gives_other_probabilities_and_the_same_labels(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    calibrate(folder, tmp_path / "calibrated", temperature=2.5, abstain_below=None)
    calibrated = Predictor.load(tmp_path / "calibrated")
    outputs = predictor.outputs(TEXTS)
    np.testing.assert_allclose(calibrated.outputs(TEXTS), scale(outputs, 2.5), atol=1e-6)
    before, after = predictor.predict(TEXTS), calibrated.predict(TEXTS)
    assert [row["label"] for row in after] == [row["label"] for row in before]
    for one, other in zip(before, after, strict=True):
        assert 0.5 <= other["probability"] < one["probability"]
    (with_words,) = calibrated.predict(TEXTS[:1], attention=True)
    assert with_words["probability"] == pytest.approx(after[0]["probability"])


def test_an_answer_that_is_not_sure_enough_is_held_back(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    sure = sorted(row["probability"] for row in predictor.predict(TEXTS))
    calibrate(folder, tmp_path / "shy", temperature=1.0, abstain_below=sure[2])
    answers = Predictor.load(tmp_path / "shy").predict(TEXTS)
    assert [row["label"] is None for row in answers] == [
        row["probability"] < sure[2] for row in answers
    ]
    assert sum(row["label"] is None for row in answers) == 2
    (unsure,) = [row for row in answers if row["probability"] == sure[0]]
    assert unsure["probability"] == max(unsure["probabilities"].values())


def test_what_is_no_text_is_refused(predictor: Predictor) -> None:
    with pytest.raises(InputError, match="nan is no text"):
        predictor.predict([float("nan")])  # pyright: ignore[reportArgumentType]


def test_documents_of_a_cleaned_corpus_are_not_cleaned_once_more(
    folder: Path, tmp_path: Path
) -> None:
    describe(folder, tmp_path / "html", {"cleaning": CleaningSettings()})
    serves, scores = (Predictor.load(tmp_path / "html", cleans=each) for each in (True, False))
    asked, stored = "a good &lt;b&gt; film", "a good <b> film"
    assert serves.cleaned(asked) == scores.cleaned(stored) == stored
    assert scores.predict([stored], attention=True) == serves.predict([asked], attention=True)
    assert scores.effects([stored]) == serves.effects([asked])
    assert serves.predict([stored]) == serves.predict(["a good film"]) != scores.predict([stored])


@pytest.mark.parametrize("attention", [False, True])
def test_a_text_is_cleaned_once(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch, attention: bool
) -> None:
    cleaned: list[str] = []
    monkeypatch.setattr(predicting, "normalize", lambda text, _: cleaned.append(text) or text)
    predictor.predict(TEXTS, attention)
    assert cleaned == TEXTS


def test_a_model_without_attention_says_so(tmp_path: Path) -> None:
    encoder = SHAKEN.model_copy(update={"pooling": "max"})
    write(tmp_path / "model", Hyperparameters(encoder=encoder))
    predictor = Predictor.load(tmp_path / "model")
    with pytest.raises(InputError, match="'max', which has no attention"):
        predictor.attention(["a film"])


def test_answering_imports_nothing_that_the_requirements_do_not_name(folder: Path) -> None:
    program = f"""
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from packaging.requirements import Requirement
from lslm.serving.predictor import Predictor
from lslm.serving.requirements import requirements

Predictor.load(Path({str(folder)!r})).predict(["caf\\u00c3\\u00a9 <b>good</b>"], attention=True)
owners = packages_distributions()
# Files that installers put beside the packages, and what editable installs and checkouts bring.
ours = {{"lslm", "flows", "tasks", "_distutils_hack"}}
used = {{
    owners[top][0].lower().replace("_", "-")
    for top in {{name.split(".")[0] for name in sys.modules}} & owners.keys() - ours
}}
# What pandas or MLflow would bring along is not needed here, so only direct needs are followed.
named = {{Requirement(line).name.lower() for line in requirements()}} - {{"mlflow", "pandas"}}
todo = list(named)
while todo:
    for line in requires(todo.pop()) or ():
        need = Requirement(line)
        name = need.name.lower().replace("_", "-")
        if (need.marker is None or need.marker.evaluate({{"extra": ""}})) and name not in named:
            named.add(name)
            todo.append(name)
print(sorted(used - named), "keras" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] False", done.stdout
