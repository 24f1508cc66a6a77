import numpy as np

from lslm.heads.ragged import ragged
from lslm.heads.summarize.features import NAMES, features
from lslm.heads.summarize.grid import FEATURES, LONGEST, WINDOW, Grid, sentences_of

MARK = 9


def ids(*sentences: tuple[int, ...]) -> np.ndarray:
    parts = [list(each) for each in sentences]
    return np.array(
        [word for i, each in enumerate(parts) for word in ([MARK] if i else []) + each], np.int32
    )


def test_sentences_are_what_stands_between_marks() -> None:
    found = sentences_of(ids((2, 3), (), (4,)), MARK)
    assert [each.tolist() for each in found] == [[2, 3], [1], [4]]
    assert [each.tolist() for each in sentences_of(ids(()), MARK)] == [[1]]


def test_outputs_go_back_to_their_documents_whatever_their_size() -> None:
    long = ids(*[(2,)] * (2 * WINDOW + 3))
    documents = [ids((2, 3), (4,)), long, ids((5,))]
    inputs = Grid().inputs(documents, MARK)
    n_rows, high = inputs["tokens"].shape[:2]
    assert (n_rows, high) == (5, WINDOW)
    outputs = np.arange(n_rows * high, dtype=np.float32).reshape(n_rows, high, 1)
    first, second, third = Grid().own(outputs, documents, MARK)
    assert first.tolist() == [0, 1]
    assert second.tolist() == [*range(WINDOW, 3 * WINDOW), *range(3 * WINDOW, 3 * WINDOW + 3)]
    assert third.tolist() == [4 * WINDOW]


def test_targets_lie_where_the_sentences_do() -> None:
    documents = [ids((2,), (3,)), ids((4,))]
    truth = ragged([{"gains": [0.5, 0.1], "labels": [1, 0]}, {"gains": [0.2], "labels": [0]}])
    packed = Grid().targets(truth, Grid().inputs(documents, MARK, extra=1))
    assert packed.shape == (2, 3, 4)
    assert packed[0, :2].tolist() == [[1, 0.5, 1, 0.5], [1, np.float32(0.1), 0, 0.5]]
    assert packed[1, 1:].any() == False  # noqa: E712


def test_weights_are_one_a_token_with_none_for_marks() -> None:
    documents = [ids((2, 3), (4,))]
    attention = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)
    assert Grid().weights(attention, documents, MARK)[0].tolist() == [0.25, 0.75, 0.0, 1.0]


def test_a_long_sentence_is_read_up_to_its_limit() -> None:
    inputs = Grid().inputs([ids((2,) * (LONGEST + 5))], MARK)
    assert inputs["tokens"].shape == (1, 1, LONGEST)


def test_features_say_where_a_sentence_stands_and_what_it_repeats() -> None:
    found = features([np.array(each, np.int32) for each in ((20, 30), (20, 30, 40), (50,))])
    told = {name: found[:, place].tolist() for place, name in enumerate(NAMES)}
    assert told["first"] == [1, 0, 0]
    assert told["last"] == [0, 0, 1]
    assert told["place"] == [0, 0.5, 1]
    assert told["new"] == [1, np.float32(1 / 3), 1]
    assert told["central"][1] > told["central"][0] > told["central"][2]
    assert told["like_first"][0] > told["like_first"][1] > told["like_first"][2] == 0


def test_features_of_a_window_are_those_of_the_whole_document() -> None:
    document = ids(*[(2 + i % 7,) for i in range(WINDOW + 5)])
    inputs = Grid().inputs([document], MARK)[FEATURES]
    whole = features(sentences_of(document, MARK))
    assert np.array_equal(inputs[1, :5], whole[WINDOW:])
