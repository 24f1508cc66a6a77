"""A served language model expects what Keras expects, step by step and as a whole, and writes."""

import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest

from lslm import heads
from lslm.errors import InputError
from lslm.serving import predictor as predicting
from lslm.serving.export import to_onnx
from lslm.serving.model_files import load_members
from lslm.serving.model_folder import STEP, ModelFolder
from lslm.serving.predictor import Predictor
from lslm.serving.scoring import score_lines
from lslm.serving.stepping import LOG_PROBABILITIES, to_step
from lslm.serving.writing import Sampling, Writer
from lslm.text.vocabulary import MARK, SPECIAL, Vocabulary
from tests.serving import language
from tests.serving.language import WORDS

LONG = np.random.default_rng(0).integers(1, len(WORDS), 700).astype(np.int32)
TEXTS = ["The fox came home, the fox.\nHome", "", "fox", "an owl came"]


def expected(members: list[keras.Model], row: np.ndarray) -> np.ndarray:
    """Nats of each token after the first, by Keras."""
    return np.mean([member.predict_on_batch(row[None])[0] for member in members], axis=0)


def test_documents_cost_what_keras_says(language_model: tuple[Path, list[keras.Model]]) -> None:
    folder, members = language_model
    mark = WORDS.mark
    known = LONG[np.isin(LONG, range(2, mark))]
    outputs = Predictor.load(folder).outputs([*TEXTS, " ".join(WORDS.words[i] for i in known)])
    rows = [
        np.array([mark, 2, 3, 4, 5, 6, 2, 3, 1, mark, 5, mark], np.int32),
        np.array([mark, mark], np.int32),
        np.array([mark, 3, mark], np.int32),
        np.array([mark, 1, 1, 4, mark], np.int32),
        np.array([mark, *known, mark], np.int32),
    ]
    for row, nats in zip(rows, outputs, strict=True):
        costs = expected(members, row).sum(dtype=np.float64)
        assert nats == pytest.approx(costs, abs=1e-4, rel=1e-5)


def test_a_long_document_goes_in_alone(foxes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def lasting(batching: object, network: object, documents: Sequence, *rest: int) -> list:
        asked.append([len(ids) for ids in documents])
        return [np.ones((len(documents), max(asked[-1]) + 1))]

    monkeypatch.setattr(predicting, "ask", lasting)
    outputs = Predictor.load(foxes).outputs(["fox", "fox " * 40_000, *["the fox"] * 20])
    assert asked == [[1, *[2] * 20], [40_000]]
    assert outputs.tolist() == [2, 40_001, *[3] * 20]


def test_answers_need_no_package_of_the_head_s_own(
    foxes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert heads.get("language-model").packages == ()
    for name in ("sentencex", "tokenizers"):
        monkeypatch.setitem(sys.modules, name, None)
    (answer,) = Predictor.load(foxes).predict(["The fox\ncame home. Home"])
    assert answer["tokens"] == 8
    assert list(Writer.load(foxes).write("The fox\ncame", 2, Sampling(), 0))


@pytest.mark.parametrize("pieces", [{}, {"pieces": ["the"]}])
def test_signs_before_a_token_are_taken_away_where_there_are_pieces(
    foxes: Path, pieces: dict[str, list[str]]
) -> None:
    files = ModelFolder(foxes)
    description = files.description()
    description = description.model_copy(update={"targets": description.targets | pieces})
    signs = Vocabulary((*SPECIAL, "##a", "##b", "##c", "##d", "##e", MARK))
    session = onnxruntime.InferenceSession(files.read(STEP))
    written = list(Writer(description, signs, session).write("the", 9, Sampling(), 0))
    words = [each for each in written if each.token != MARK]
    assert words
    for each in words:
        assert each.text.strip() == (each.token[2:] if pieces else each.token)


def test_a_prompt_s_unknown_words_and_what_is_read_of_it(foxes: Path) -> None:
    writer = Writer.load(foxes)
    assert writer.unknown("An owl, an owl came home") == ["an", "owl"]
    assert writer.cleaned(" The  <b>fox</b> ") == "The fox"


def test_a_step_at_a_time_comes_to_the_same(language_model: tuple[Path, list[keras.Model]]) -> None:
    folder, members = language_model
    row = np.concatenate([[WORDS.mark], LONG[:80]]).astype(np.int32)
    session = onnxruntime.InferenceSession(ModelFolder(folder).read(STEP))
    state = [np.zeros((4, 1, 5), np.float32)] * 2
    found = []
    for place in range(len(row) - 1):
        given = {"tokens": row[None, place : place + 1], "hidden": state[0], "cell": state[1]}
        said, *state = session.run(None, given)
        found.append(-said[0, row[place + 1]])
    assert np.abs(np.array(found) - expected(members, row)).max() < 1e-5
    at_once = session.run(
        None,
        {"tokens": row[None, :-1], "hidden": np.zeros((4, 1, 5), np.float32)}
        | {"cell": np.zeros((4, 1, 5), np.float32)},
    )
    assert np.allclose(at_once[0], said, atol=1e-5)


def test_many_tokens_go_through_in_blocks(language_model: tuple[Path, list[keras.Model]]) -> None:
    folder, members = language_model
    session = onnxruntime.InferenceSession(ModelFolder(folder).read("model.onnx"))
    row = np.concatenate([[WORDS.mark], LONG]).astype(np.int32)
    for stop in (2, 513, 514, 701):
        (found,) = session.run(None, {"tokens": row[None, :stop]})
        assert np.abs(found[0] - expected(members, row[:stop])).max() < 1e-5


def test_members_come_back_from_the_folder(language_model: tuple[Path, list[keras.Model]]) -> None:
    folder, members = language_model
    row = np.array([[WORDS.mark, 2, 3, 4]], np.int32)
    for loaded, member in zip(load_members(folder), members, strict=True):
        assert np.array_equal(loaded.predict_on_batch(row), member.predict_on_batch(row))


def test_the_same_seed_writes_the_same(language_model: tuple[Path, list[keras.Model]]) -> None:
    writer = Writer.load(language_model[0])
    written = [
        [each.token for each in writer.write("The fox", 30, Sampling(0.9, 0.95), seed)]
        for seed in (1, 1, 2)
    ]
    assert written[0] == written[1] != written[2]
    assert not {"<pad>", "<unk>"} & set(written[0])
    assert len(written[0]) == 30


def test_without_temperature_the_likeliest_is_written(
    language_model: tuple[Path, list[keras.Model]],
) -> None:
    folder, members = language_model
    row = np.array([WORDS.mark, 2, 3], np.int32)
    costs = {
        word: expected(members, np.append(row, place))[-1]
        for place, word in enumerate(WORDS.words)
        if place > 1
    }
    (first,) = Writer.load(folder).write("the fox", 1, Sampling(temperature=0), 0)
    assert first.token == min(costs, key=costs.__getitem__)
    total = sum(np.exp(-cost) for cost in costs.values())
    assert first.probability == pytest.approx(np.exp(-costs[first.token]) / total, rel=1e-4)


def test_lines_are_scored_one_by_one_and_together(
    language_model: tuple[Path, list[keras.Model]],
) -> None:
    together = score_lines(language_model[0], ["the fox", "came home , home"])
    alone = score_lines(language_model[0], ["the fox"])
    assert alone.lines[0]["perplexity"] == pytest.approx(together.lines[0]["perplexity"])
    assert together.n_tokens == 8
    nats = sum(line["nats"] for line in together.lines)
    assert together.perplexity == pytest.approx(np.exp(nats / 8))


def test_a_line_that_training_would_reject_is_not_read(foxes: Path) -> None:
    most = ModelFolder(foxes).description().cleaning.max_characters
    assert score_lines(foxes, ["fox " * (most // 4)]).n_tokens > 1000
    with pytest.raises(InputError, match="at most 100,000 characters") as refused:
        score_lines(foxes, ["the fox", "came " * most])
    assert refused.value.where == f"the line that begins {'came ' * 8!r}"


def test_a_line_is_as_long_as_training_would_have_seen_it(foxes: Path) -> None:
    most = ModelFolder(foxes).description().cleaning.max_characters
    assert score_lines(foxes, [f"the{' ' * most}fox"]).n_tokens == 3


def test_a_language_model_has_no_attention_to_show(foxes: Path) -> None:
    with pytest.raises(InputError, match="of the head 'language-model' do not pool"):
        Predictor.load(foxes).predict(["the fox"], attention=True)


@pytest.mark.parametrize(
    "numbers",
    [(float("nan"), 1.0), (float("inf"), 1.0), (-1.0, 1.0), (1.0, float("nan")), (1.0, 0.0)],
)
def test_chances_that_mean_nothing_are_refused(numbers: tuple[float, float]) -> None:
    with pytest.raises(InputError):
        Sampling(*numbers)


@pytest.mark.parametrize("temperature", [1e-320, 1e-40, 1e300])
def test_any_finite_temperature_draws(foxes: Path, temperature: float) -> None:
    writer = Writer.load(foxes)
    written = [each.token for each in writer.write("the", 9, Sampling(temperature), 0)]
    likeliest = [each.token for each in writer.write("the", 9, Sampling(0), 0)]
    assert len(written) == 9
    assert (written == likeliest) == (temperature < 1)


def test_a_quotation_that_the_prompt_began_is_closed(foxes: Path) -> None:
    files = ModelFolder(foxes)
    quotes = Vocabulary((*SPECIAL, *['"'] * 6))
    session = onnxruntime.InferenceSession(files.read(STEP))
    writer = Writer(files.description(), quotes, session)
    for prompt, texts in (('the "fox', ['"', ' "', '"']), ("the fox", [' "', '"', ' "'])):
        assert [each.text for each in writer.write(prompt, 3, Sampling(), 0)] == texts


def test_a_classifier_neither_writes_nor_scores(folder: Path) -> None:
    with pytest.raises(InputError, match="no language model"):
        Writer.load(folder)
    with pytest.raises(InputError, match="no language model"):
        score_lines(folder, ["a"])


@pytest.mark.parametrize(("stored", "off", "share"), [("float16", 5e-3, 0.7), ("int8", 0.1, 0.5)])
def test_rounded_weights_take_less_room_and_cost_nearly_the_same(
    stored: str, off: float, share: float, tmp_path: Path
) -> None:
    wide = language.HYPERPARAMETERS.replaced({"encoder.units": 48})
    members = [language.network(seed, 48, wide) for seed in (1, 2)]
    for member in members:
        for weight in member.weights:
            weight.assign(weight * 0.2)
    for write, name, outputs in (
        (to_onnx, "whole", "outputs"),
        (to_step, "step", LOG_PROBABILITIES),
    ):
        plain, rounded = tmp_path / f"{name}.onnx", tmp_path / f"{name}-{stored}.onnx"
        write(members, plain)
        write(members, rounded, stored)
        assert rounded.stat().st_size < share * plain.stat().st_size
        given = {"tokens": LONG[None, :40]}
        if name == "step":
            given |= {each: np.zeros((4, 1, 48), np.float32) for each in ("hidden", "cell")}
        one, other = (
            np.asarray(onnxruntime.InferenceSession(str(path)).run([outputs], given)[0])
            for path in (plain, rounded)
        )
        assert 0 < np.abs(one - other).max() < off
