"""`lslm init` looks at a person's data and writes a file that the loader takes."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lslm.corpus.reading import input_files
from lslm.errors import InputError
from lslm.pipelines.glance import glance
from lslm.pipelines.loader import load
from lslm.pipelines.template import MOST_USED, pipeline_name, render
from lslm.settings import Settings

REVIEWS = [(f"It was number {n}, and a fine long evening for us all.", n % 3) for n in range(60)]


def csv_file(folder: Path) -> Path:
    rows = "".join(f'{n},"{text}",{stars}\n' for n, (text, stars) in enumerate(REVIEWS))
    file = folder / "reviews.csv"
    file.write_text("id,body,stars\n" + rows)
    return file


def jsonl_file(folder: Path) -> Path:
    file = folder / "reviews.jsonl"
    rows = (json.dumps({"id": n, "body": t, "stars": s}) for n, (t, s) in enumerate(REVIEWS))
    file.write_text("\n".join(rows))
    return file


def compressed_file(folder: Path) -> Path:
    file = csv_file(folder)
    packed = folder / "reviews.csv.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    return packed


def parquet_file(folder: Path) -> Path:
    import polars as pl

    columns = {"id": range(60), "body": [t for t, _ in REVIEWS], "stars": [s for _, s in REVIEWS]}
    pl.DataFrame(columns).write_parquet(folder / "reviews.parquet")
    return folder / "reviews.parquet"


def labelled_lines(folder: Path) -> Path:
    (folder / "reviews.txt").write_text("".join(f"star{s} {t}\n" for t, s in REVIEWS))
    return folder / "reviews.txt"


def folder_of_files(folder: Path) -> Path:
    for number, (text, stars) in enumerate(REVIEWS):
        file = folder / "reviews" / str(stars) / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder / "reviews"


@pytest.mark.parametrize("make", [csv_file, compressed_file, jsonl_file, parquet_file])
def test_text_and_label_columns_are_guessed(tmp_path, make):
    seen = glance(make(tmp_path))
    assert (seen.text, seen.label, seen.n_rows) == ("body", "stars", 60)
    assert sorted(seen.labels.values()) == [20, 20, 20]
    assert seen.median_words == 12


@pytest.mark.parametrize("make", [labelled_lines, folder_of_files])
def test_labels_outside_of_columns_are_found(tmp_path, make):
    seen = glance(make(tmp_path))
    assert sorted(seen.labels.values()) == [20, 20, 20]


def test_a_language_model_reads_whole_lines_whatever_stands_first(tmp_path):
    (tmp_path / "chat.txt").write_text("Ann: hello to you\nBob: and to you\n" * 30)
    assert glance(tmp_path / "chat.txt").format == "labelled-lines"
    seen = glance(tmp_path / "chat.txt", language_model=True)
    assert (seen.format, seen.label) == ("lines", None)


def json_lines(folder: Path) -> Path:
    return jsonl_file(folder).rename(folder / "reviews.json")


def tabs_with_a_header(folder: Path) -> Path:
    rows = "".join(f"{text}\t{stars}\n" for text, stars in REVIEWS)
    (folder / "reviews.txt").write_text("text\tstars\n" + rows)
    return folder / "reviews.txt"


@pytest.mark.parametrize(
    ("make", "language_model", "taken_for"),
    [
        (json_lines, False, "jsonl"),
        (json_lines, True, "jsonl"),
        (tabs_with_a_header, False, "csv"),
        (labelled_lines, False, "labelled-lines"),
        (labelled_lines, True, "lines"),
    ],
)
def test_a_file_is_taken_for_what_the_pipeline_reads_it_as(
    tmp_path, make, language_model, taken_for
):
    data = make(tmp_path)
    seen = glance(data, language_model=language_model)
    written = tmp_path / "my.yaml"
    written.write_text(render(seen, data.name, "mine"))
    corpus = load(str(written)).settings.corpus
    assert corpus.sources[0].format == "auto"
    (file,) = input_files(corpus, tmp_path, needs_label=not language_model)
    assert seen.format == file.format == taken_for


def test_the_columns_of_a_recognized_table_are_guessed(tmp_path):
    seen = glance(json_lines(tmp_path))
    assert (seen.text, seen.label, len(seen.labels)) == ("body", "stars", 3)
    seen = glance(tabs_with_a_header(tmp_path), label="stars")
    assert (seen.text, seen.label, len(seen.labels)) == ("text", "stars", 3)


@pytest.mark.parametrize("language_model", [False, True])
def test_a_json_array_is_refused(tmp_path, language_model):
    (tmp_path / "a.json").write_text('[{"text": "one", "label": 1}]')
    with pytest.raises(InputError, match="a JSON array; expected one JSON object a line"):
        glance(tmp_path / "a.json", language_model=language_model)


def test_a_bad_row_does_not_end_the_look(tmp_path):
    rows = "".join(f"document {n},{'abcde'[n % 5]}\n" for n in range(50))
    (tmp_path / "a.csv").write_text(f'text,label\n"good" one,a\n{rows}')
    seen = glance(tmp_path / "a.csv")
    assert (seen.n_rows, len(seen.labels)) == (50, 5)
    (tmp_path / "a.jsonl").write_text('{"text": "one\u2028two", "label": 1}\n' * 3, "utf-8")
    assert glance(tmp_path / "a.jsonl").n_rows == 3
    (tmp_path / "a.parquet").write_text("nothing of the kind")
    with pytest.raises(InputError, match="not Parquet"):
        glance(tmp_path / "a.parquet")


def test_plain_lines_have_no_label(tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"{n}th document\n" for n in range(50)))
    assert (seen := glance(tmp_path / "a.txt")).format == "lines"
    assert seen.label is None


def test_a_named_column_that_is_not_there_is_refused_with_the_columns(tmp_path):
    with pytest.raises(InputError, match="no column 'txt'; expected one of: id, body, stars"):
        glance(csv_file(tmp_path), text="txt")


@pytest.mark.parametrize(
    "make", [csv_file, compressed_file, jsonl_file, parquet_file, labelled_lines, folder_of_files]
)
def test_what_is_written_loads(tmp_path, make):
    data = make(tmp_path)
    file = tmp_path / "my.yaml"
    file.write_text(render(glance(data), data.name, "mine"))
    corpus = load(str(file)).settings.corpus
    assert corpus.sources[0].path == data.name
    assert (corpus.text, corpus.label) in {("body", "stars"), ("text", "label")}


def test_a_column_of_summaries_makes_a_pipeline_that_summarizes(tmp_path):
    rows = [{"id": n, "body": "A long text. " * 9, "gist": f"text {n}"} for n in range(20)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    seen = glance(tmp_path / "a.jsonl", summary="gist")
    (tmp_path / "my.yaml").write_text(render(seen, "a.jsonl", "mine"))
    settings = load(str(tmp_path / "my.yaml")).settings
    assert (settings.head.kind, settings.corpus.text) == ("summarize", "body")
    assert settings.corpus.columns == {"summary": "gist"}


def test_names_that_yaml_reads_as_something_else_are_quoted(tmp_path):
    file = tmp_path / "odd.csv"
    file.write_text("null,no: 1\n" + "".join(f"a long enough text,{n % 2}\n" for n in range(20)))
    written = tmp_path / "my.yaml"
    written.write_text(render(glance(file), "# odd.csv", pipeline_name(file)))
    corpus = load(str(written)).settings.corpus
    assert (corpus.text, corpus.label, corpus.sources[0].path) == ("null", "no: 1", "# odd.csv")


@pytest.mark.parametrize("name", ["2024", "null", "1e3", "0x1f", "2024-01-31", "true"])
def test_a_name_that_yaml_reads_as_something_else_is_a_name(tmp_path, name):
    data = csv_file(tmp_path).rename(tmp_path / f"{name}.csv")
    written = tmp_path / "my.yaml"
    written.write_text(render(glance(data), data.name, pipeline_name(data)))
    settings = load(str(written)).settings
    assert (settings.name, settings.corpus.sources[0].path) == (name, data.name)


def test_the_commented_settings_are_the_defaults(tmp_path):
    text = render(glance(csv_file(tmp_path)), "reviews.csv", "mine")
    start = text.index("# cleaning:")
    uncommented = "\n".join(line.removeprefix("# ") for line in text[start:].splitlines())
    file = tmp_path / "my.yaml"
    file.write_text("name: mine\n" + uncommented)
    assert load(str(file)).settings == Settings(name="mine")
    assert uncommented.count("\n") > len(MOST_USED)


def test_the_commented_head_is_one_that_can_be_taken(tmp_path):
    text = render(glance(csv_file(tmp_path)), "reviews.csv", "mine")
    start, end = text.index("# head:"), text.index("# cleaning:")
    uncommented = "\n".join(line.removeprefix("# ") for line in text[start:end].splitlines()[:2])
    file = tmp_path / "my.yaml"
    file.write_text(text[:start] + uncommented + "\n")
    assert load(str(file)).settings.head.options["linear"] == 0.5


def test_text_alone_makes_a_pipeline_of_a_language_model(tmp_path):
    data = csv_file(tmp_path)
    seen = glance(data, language_model=True)
    (tmp_path / "my.yaml").write_text(render(seen, data.name, "mine"))
    settings = load(str(tmp_path / "my.yaml")).settings
    assert (settings.head.kind, settings.corpus.text) == ("language-model", "body")
    assert settings.embedding.method == "none"
    assert (settings.training.batch_size, settings.training.learning_rate) == (4, 0.003)
    assert "pooling" not in render(seen, data.name, "mine")
    with pytest.raises(InputError, match="text alone"):
        glance(data, label="stars", language_model=True)


@pytest.mark.parametrize(("n_words", "rows"), [(100, 4), (50_000, 8), (100_000, 16), (10**7, 64)])
def test_a_language_model_reads_few_rows_of_a_small_corpus(tmp_path, n_words, rows):
    seen = replace(glance(csv_file(tmp_path), language_model=True), n_words=n_words)
    text = render(seen, "reviews.csv", "mine")
    assert f"\n  batch_size: {rows}\n" in text
    # What is commented below goes on with the section.
    (tmp_path / "my.yaml").write_text(text.replace("#   epochs: 12", "  epochs: 5"))
    training = load(str(tmp_path / "my.yaml")).settings.training
    assert (training.batch_size, training.epochs) == (rows, 5)
