"""A pipeline file is read as it is meant, or refused with the file, line, value and choices."""

from pathlib import Path

import pytest

from lslm.errors import InputError
from lslm.pipelines.loader import load, shipped
from lslm.settings import Range


def written(folder: Path, text: str) -> str:
    file = folder / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def refusal(reference: str, *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        load(reference, overrides)
    return str(caught.value)


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_pipeline_loads_and_is_named_after_its_file(name):
    pipeline = load(name)
    assert pipeline.settings.name == name
    assert pipeline.settings.corpus.sources


def test_rotten_tomatoes_learns_words_from_imdb_and_imdb_from_itself_alone():
    first, second = load("rotten-tomatoes").settings.corpus, load("imdb").settings.corpus
    assert first.sources[0].where == {"source": "rotten_tomatoes"}
    assert first.outside[0].where == second.sources[0].where == {"source": "imdb"}
    assert second.outside == ()


def test_a_file_states_only_differences_and_paths_start_from_its_folder(tmp_path):
    pipeline = load(written(tmp_path, "name: mine\nencoder: {cell: gru}\n"))
    assert pipeline.base == tmp_path
    assert pipeline.settings.encoder.cell == "gru"
    assert pipeline.settings.encoder.layers == 1


def test_overrides_win_over_the_file_and_the_last_one_over_the_others(tmp_path):
    file = written(tmp_path, "name: mine\nsearch: {n_trials: 3}\n")
    settings = load(file, ["search.n_trials=4", "search.n_trials=5", "search.budget=5m"]).settings
    assert (settings.search.n_trials, settings.search.budget) == (5, 300)


def test_an_override_reaches_into_lists_and_into_the_search_space():
    space = "search.space.encoder.units=[64, 128]"
    settings = load("imdb", [space, "corpus.sources.0.path=other.csv"]).settings
    assert settings.search.space["encoder.units"] == (64, 128)
    assert settings.corpus.sources[0].path == "other.csv"


def test_a_search_space_of_choices_and_ranges_loads(tmp_path):
    text = """\
name: mine
search:
  space:
    encoder.cell: [lstm, gru]
    training.learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}
"""
    assert load(written(tmp_path, text)).settings.search.space == {
        "encoder.cell": ("lstm", "gru"),
        "training.learning_rate": Range(low=1e-4, high=1e-2, log=True),
    }


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("serch: {}", 2, "unknown key 'serch' (did you mean 'search'?); expected one of: cl"),
        ("search:\n  n_trial: 3", 3, "unknown key 'n_trial' in search (did you mean 'n_trials'?)"),
        ("search:\n  sampler: tep", 3, "search.sampler is 'tep' (did you mean 'tpe'?); expected one"
         " of: 'tpe', 'random', 'grid'"),
        ("search: {n_trials: -1}", 2, "search.n_trials is -1; expected a whole number of at"),
        ("search: {n_trials: x}", 2, "search.n_trials is 'x'; expected a whole number"),
        ("training: {epochs: 0}", 2, "training.epochs is 0; expected a whole number of at least 1"),
        ("encoder: {layers: 9}", 2, "encoder.layers is 9; expected a whole number from 1 to 3"),
        ("search: {budget: 5x}", 2, "expected seconds above 0, or a time such as 90s, 5m, 2h"),
        ("split: {holdout: 1}", 2, "expected a number from 0 up to but not including 1"),
        ("cleaning: {near_duplicates: 2}", 2, "a number above 0 and at most 1, or null"),
        ("execution: {workers: 0}", 2, "expected a whole number of at least 1, or null"),
        ("encoder: 3", 2, "encoder is 3; expected a mapping with keys of: cell, layers"),
        ("corpus:\n  sources:\n    - {path: a}\n    - {fromat: csv}", 5, "corpus.sources.1.path is"
         " missing"),
        ("corpus:\n  sources:\n    - path: a\n      where:\n        stars: 1", 6, "in quotes"),
        ("corpus:\n  sources:\n    - {path: a, separator: ;;}", 4, "separator is ';;'; expected one char"),
        ("head: {kind: clasify}", 2, "unknown head 'clasify'; expected one of: classify"),
        ("head:\n  options:\n    x: 1", 4, "unknown key 'x' in head.options"),
        ("evaluation:\n  baselines:\n    - svm", 4, "unknown baseline 'svm'; expected one of: maj"),
        ("search:\n  space:\n    encoder.cell: [lstm, grru]", 4, "encoder.cell cannot be 'grru';"
         " expected one of: 'lstm', 'gru'"),
        ("search:\n  space:\n    encoder.unit: [1]", 4, "(did you mean 'encoder.units'?)"),
        ("search:\n  space:\n    encoder.units: []", 4, "is an empty list"),
        ("search:\n  space:\n    encoder.units: 64", 4, "a list of choices, or a range"),
        ("search:\n  space:\n    encoder.layers: [true]", 4, "encoder.layers cannot be True"),
        ("search:\n  space:\n    encoder.cell: {low: 1, high: 2}", 4, "cell takes no range"),
        ("search:\n  space:\n    encoder.units: {low: 9, high: 1}", 4, "low is not below high"),
        ("search:\n  space:\n    encoder.units: {low: 1, high: 9, lg: 1}", 4, "unknown key 'lg'"),
        ("search:\n  space:\n    encoder.layers: {low: 1, high: 9}", 4, "layers cannot be 9"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_what_is_right(tmp_path, text, line, said):
    file = written(tmp_path, f"name: mine\n{text}\n")
    message = refusal(file)
    assert f"my.yaml:{line}: " in message
    assert said in message


def test_several_errors_are_all_told_one_a_line_in_the_order_of_the_file(tmp_path):
    text = "name: A b\nsplit: {holdout: 2}\nsearch:\n  space: {encoder.cell: [x]}\nzzz: 1\n"
    lines = refusal(written(tmp_path, text), "search.n_trials=x").splitlines()
    assert [line.split(": ")[0].rsplit("/")[-1] for line in lines] == [
        "my.yaml:1",
        "my.yaml:2",
        "my.yaml:4",
        "my.yaml:5",
        "--set search.n_trials=x",
    ]


def test_an_override_is_named_as_it_was_typed():
    message = refusal("imdb", "search.n_trials=x")
    assert message.startswith("--set search.n_trials=x: search.n_trials is 'x'; expected a whole")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("search.n_trials", "is no override; expected NAME=VALUE"),
        ("split.seed=[", "is not a YAML value"),
        ("corpus.sources.7.path=x", "corpus.sources has no item 7; expected 0 to 0"),
        ("execution.worker=3", "(did you mean 'workers'?)"),
        ("corpus.licence=2024-02-30", "is not a YAML value"),
        ("corpus.sources.²=1", "corpus.sources has no item ²; expected 0 to 0"),
        ("evaluation.baselines=[1]", "evaluation.baselines.0 is 1; expected text"),
        ("registry.input_example=[1]", "registry.input_example.0 is 1; expected text"),
        (
            "evaluation.swaps=[[he]]",
            "evaluation.swaps.0 is a list; expected a list of at least 2: ",
        ),
        ("search.sampler=" + "x" * 99, f"search.sampler is '{'x' * 27}...{'x' * 28}'"),
        ("registry.name=team/reviews", "a name without `/`, `:`, `@` and quotation marks"),
        ("cleaning.max_characters=0", "of at least 1"),
        ("cleaning={min_characters: 9, max_characters: 8}", "every document would be rejected"),
    ],
)
def test_a_bad_override_is_refused(override, said):
    assert said in refusal("imdb", override)


def test_bad_items_of_a_list_are_told_without_its_length():
    lines = refusal("imdb", "evaluation.swaps=[[1, 2]]").splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == [
        f"evaluation.swaps.0.{n} is {n + 1}; expected text (in quotes where it looks like a number)"
        for n in range(2)
    ]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("search.folds=true", "search.folds is true; expected a whole number of at least 1"),
        ("gate.min_effect=true", "gate.min_effect is true; expected a number of at least 0"),
        ("split.seed=false", "split.seed is false; expected a whole number"),
        ("execution.workers=true", "expected a whole number of at least 1, or null"),
        ("search.budget=true", "expected seconds above 0, or a time such as 90s, 5m, 2h; or null"),
        ("head.options={linear_order: true}", "linear_order is true; expected a whole number"),
        (
            "search.space={encoder.units: {low: true, high: 4}}",
            "units.low is true; expected a number",
        ),
    ],
)
def test_a_truth_value_is_no_number(override, said):
    assert said in refusal("imdb", override)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("~: x", 2, "a key is empty; expected one of: cleaning, corpus"),
        ("encoder:\n  2: 3", 3, "a key in encoder is 2; expected one of: bidirectional, cell"),
        ("corpus:\n  columns:\n    2: x", 4, "a key in corpus.columns is 2; expected text"),
        ("head:\n  options:\n    true: x", 4, "a key in head.options is true; expected text"),
    ],
)
def test_a_key_that_is_no_text_is_told_with_its_line(tmp_path, text, line, said):
    assert f"my.yaml:{line}: {said}" in refusal(written(tmp_path, f"name: mine\n{text}\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nname: b\n", "my.yaml:2: not YAML: found duplicate key"),
        ("name: a\n  b: [\n", "my.yaml:2: not YAML: mapping values are not allowed here"),
        ("- a\n", "my.yaml:1: holds a list"),
        ("name: a\ncorpus: {licence: 2024-02-30}\n", "not YAML: day is out of range"),
        ("", "name is missing; expected lower-case letters, digits and hyphens"),
    ],
)
def test_what_is_no_pipeline_file_is_refused_with_its_line(tmp_path, text, said):
    assert said in refusal(written(tmp_path, text))


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "my.yaml").write_bytes(b"name: caf\xe9\n")
    assert "expected a YAML file in UTF-8" in refusal(str(tmp_path / "my.yaml"))


@pytest.mark.parametrize("name", ["data.csv", "data.TSV.gz", "data.jsonl", "data.parquet"])
def test_data_in_the_place_of_a_pipeline_file_is_refused_unread(tmp_path, name):
    (tmp_path / name).write_bytes(b"name: a\n")
    said = refusal(file := str(tmp_path / name))
    right = f"a YAML file, such as `lslm init {file}` writes"
    assert said == f"{file}: is data, not a pipeline file; expected {right}"


def test_text_in_the_place_of_a_pipeline_file_is_shown_in_short(tmp_path):
    said = refusal(written(tmp_path, "A long text of many words.\n" * 1000))
    assert "my.yaml:1: holds 'A long text of many words. ..." in said
    assert len(said) < len(str(tmp_path)) + 150


def test_an_unknown_pipeline_names_the_shipped_ones():
    assert refusal("imbd") == (
        "no pipeline 'imbd' (did you mean 'imdb'?); expected the path of a pipeline file,"
        " or one of: docstrings, imdb, rotten-tomatoes"
    )
    assert "missing.yaml: is not a file" in refusal("missing.yaml")


def test_options_of_the_head_can_be_searched_and_are_checked():
    space = load(
        "docstrings", ["search.space={head.sentence_units: [16, 32]}"]
    ).settings.search.space
    assert space == {"head.sentence_units": (16, 32)}
    said = refusal("docstrings", "search.space={head.objective: [soft, sift]}")
    assert "head.objective cannot be 'sift'" in said
    said = refusal("docstrings", "search.space={head.sentence_units: {low: 0, high: 4}}")
    assert "head.sentence_units cannot be 0" in said
    said = refusal("docstrings", "search.space={head.sentence_units: {low: 8, high: 32}}")
    assert "whole numbers without a step; expected a step, such as 1, or a list" in said
    assert "unknown setting 'head.objectiv'" in refusal(
        "docstrings", "search.space={head.objectiv: [soft]}"
    )
    assert "unknown setting 'head.n_sentences'" in refusal(
        "docstrings", "search.space={head.n_sentences: [1, 2]}"
    )
    assert "unknown setting 'head.objective'" in refusal(
        "imdb", "search.space={head.objective: [soft]}"
    )


def test_a_column_that_the_head_does_not_use_is_refused():
    said = refusal("docstrings", "corpus.columns={sumary: abstract}")
    assert "uses no column 'sumary' (did you mean 'summary'?)" in said
    assert "uses no column 'summary'" in refusal("imdb", "corpus.columns={summary: abstract}")


LANGUAGE_MODEL = "name: mine\nembedding: {method: none, min_count: 3}\nhead: {kind: language-model"


def test_options_that_stand_elsewhere_are_filled_in(tmp_path):
    file = written(tmp_path, LANGUAGE_MODEL + "}\ntext: {tokenizer: all-characters}\n")
    options = load(file).settings.head.options
    assert (options["tokenizer"], options["min_count"]) == ("all-characters", 3)


@pytest.mark.parametrize(
    ("options", "overrides", "said"),
    [
        ("", ["encoder.max_words=50"], "encoder.max_words is 50, which the head"),
        (
            ", options: {subwords: 90}",
            ["embedding.method=word2vec", "corpus.outside=[{path: more.txt}]"],
            "nothing to begin pieces of words with",
        ),
        ("", ["search.space={encoder.max_words: [0, 50]}"], "takes encoder.max_words at one value"),
        (", options: {min_count: 2}", [], "2 is not embedding.min_count, which is 3"),
        (", options: {stepz: 9}", [], "unknown key 'stepz'"),
        ("", ["evaluation.swaps=[[he, she]]"], "answers of the head 'language-model' are no"),
        ("", ["evaluation.wanted_accuracy=0.9"], "are no classes; expected null"),
        ("", ["gate.test=mcnemar"], "are no classes; expected auto or bootstrap"),
        ("", ["registry.candidate=best"], "cannot be served; expected network"),
    ],
)
def test_what_a_head_cannot_use_is_refused(tmp_path, options, overrides, said):
    assert said in refusal(written(tmp_path, LANGUAGE_MODEL + options + "}\n"), *overrides)


PRETRAINED = "pretraining.language_model=true"


@pytest.mark.parametrize(
    ("pipeline", "overrides", "said"),
    [
        ("imdb", [PRETRAINED], "the pretrained layer has encoder.units at one value"),
        (
            "docstrings",
            [PRETRAINED, "embedding.method=none"],
            "it needs embedding.method: word2vec",
        ),
        (
            "docstrings",
            ["training.unfreeze_epochs=1"],
            "they need pretraining.language_model: true",
        ),
        (
            "docstrings",
            ["search.space={training.layer_decay: [0.5, 1.0]}"],
            "training.layer_decay is for a pretrained layer",
        ),
    ],
)
def test_settings_that_do_not_go_with_a_pretrained_layer_are_refused(pipeline, overrides, said):
    assert said in refusal(pipeline, *overrides)


def test_a_pretrained_layer_s_rates_can_be_searched():
    given = "search.space={training.layer_decay: [0.4, 1.0], training.unfreeze_epochs: [0, 1]}"
    assert len(load("docstrings", [PRETRAINED, given]).settings.search.space) == 2
