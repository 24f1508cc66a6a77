import gzip
from pathlib import Path

import orjson
import polars as pl
import pytest

from lslm.corpus.reading import input_files, read, read_file
from lslm.corpus.records import Broken, Record
from lslm.errors import InputError
from lslm.settings import CorpusSettings, Source


def corpus(*sources: Source, **settings: object) -> CorpusSettings:
    return CorpusSettings.model_validate({"sources": sources, **settings})


def documents(settings: CorpusSettings, base: Path, needs_label: bool = True):
    return list(read(settings, base, needs_label=needs_label))


def pairs(folder: Path, content: bytes, name: str = "a.csv", **settings: object):
    """(text, label) of each good document, and the reasons of the broken ones."""
    (folder / name).write_bytes(content)
    found = documents(corpus(Source(path=name), **settings), folder)
    good = [(r.text, r.label) for r in found if isinstance(r, Record)]
    return good, [r.reason for r in found if isinstance(r, Broken)]


CSV = {
    "plain": (b"text,label\ngood,1\n", [("good", "1")]),
    "byte order mark": (b"\xef\xbb\xbftext,label\ngood,1\n", [("good", "1")]),
    "quoted separators and line breaks": (
        b'text,label\n"a, ""b""\nc",1\n',
        [('a, "b"\nc', "1")],
    ),
    "words that pandas takes for missing": (
        b"text,label\nNA,null\nNone,nan\n",
        [("NA", "null"), ("None", "nan")],
    ),
    "labels that numbers would merge": (
        b"text,label\na,01\nb,1\nc,1.0\n",
        [("a", "01"), ("b", "1"), ("c", "1.0")],
    ),
    "semicolons": (b"text;label\ngood, really;1\n", [("good, really", "1")]),
    "tabs": (b"label\ttext\n1\tgood, so good\n", [("good, so good", "1")]),
    "bars": (b"text|label\na|1\n", [("a", "1")]),
    "Windows line ends": (b"text,label\r\na,1\r\n", [("a", "1")]),
    "no last line end": (b"text,label\na,1", [("a", "1")]),
    "blank lines": (b"text,label\n\na,1\n\n", [("a", "1")]),
    "spaces in the header": (b"text, label\na, 1\n", [("a", "1")]),
    "a null byte": (b"text,label\na\x00b,1\n", [("a\x00b", "1")]),
    "an empty label": (b"text,label\na,\n", [("a", None)]),
    "a field beyond the default limit": (
        b"text,label\n" + b"x" * 200_000 + b",1\n",
        [("x" * 200_000, "1")],
    ),
    "UTF-16": ("text,label\ncafé,1\n".encode("utf-16"), [("café", "1")]),
    "latin-1": ("text,label\ncafé,1\n".encode("latin-1"), [("café", "1")]),
}


@pytest.mark.parametrize(("content", "expected"), CSV.values(), ids=CSV.keys())
def test_hostile_csv_reads_as_written(tmp_path, content, expected):
    assert pairs(tmp_path, content) == (expected, [])


@pytest.mark.parametrize(
    ("content", "good", "reason"),
    [
        (b'text,label\n"a"b,1\nc,0\n', [("c", "0")], "badly quoted"),
        (b"text,label\na,1,2\nc,0\n", [("c", "0")], "3 cells where the header has 2"),
        (b"text,label\na\nc,0\n", [("c", "0")], "1 cells where the header has 2"),
        (b'text,label\nc,0\n"a,1\nb,1\n', [("c", "0")], "never closed (lines 3 to 4)"),
    ],
)
def test_a_bad_csv_row_is_broken_and_the_rest_is_read(tmp_path, content, good, reason):
    found, reasons = pairs(tmp_path, content)
    assert found == good
    assert len(reasons) == 1
    assert reason in reasons[0]


def test_raw_tsv_with_leading_quotation_marks_is_read_unquoted(tmp_path):
    content = b'text\tlabel\n"hello" she said\t1\nfine\t0\n'
    expected = [('"hello" she said', "1"), ("fine", "0")]
    assert pairs(tmp_path, content, "a.tsv") == (expected, [])


def test_rows_are_numbered_by_the_line_they_begin_at(tmp_path):
    (tmp_path / "a.csv").write_text('text,label\n"a\nb",1\nc,1\n')
    assert [r.row for r in documents(corpus(Source(path="a.csv")), tmp_path)] == [2, 4]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_missing_column_names_the_file_the_column_and_those_there_are(tmp_path, name):
    frame = pl.DataFrame({"txt": ["a"], "label": ["1"]})
    write = {".csv": frame.write_csv, ".jsonl": frame.write_ndjson, ".parquet": frame.write_parquet}
    write[Path(name).suffix](tmp_path / name)
    with pytest.raises(InputError, match=rf"{name}: no column 'text'; expected one of: txt, label"):
        documents(corpus(Source(path=name)), tmp_path)


def test_a_column_name_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="2 columns named 'text'"):
        pairs(tmp_path, b"text,text,label\na,b,1\n")


JSONL = {
    "broken line": (b'{"text":"a","label":1}\n{"text":\n{"text":"b","label":2}\n', "not JSON"),
    "torn last line": (b'{"text":"a","label":1}\n{"text":"b","label":2}\n{"te', "not JSON"),
    "not an object": (
        b'{"text":"a","label":1}\n[1]\n{"text":"b","label":2}\n',
        "not a JSON object",
    ),
    "lone surrogate": (
        b'{"text":"a","label":1}\n{"text":"\\ud800","label":1}\n{"text":"b","label":2}\n',
        "not JSON",
    ),
    "bytes that are not UTF-8": (
        b'{"text":"a","label":1}\n{"text":"\xff","label":1}\n{"text":"b","label":2}\n',
        "not JSON",
    ),
    "not a number": (
        b'{"text":"a","label":1}\n{"text":"x","label":NaN}\n{"text":"b","label":2}\n',
        "not JSON",
    ),
    "list as label": (
        b'{"text":"a","label":1}\n{"text":"x","label":[1]}\n{"text":"b","label":2}\n',
        "column 'label' is a list",
    ),
    "object as text": (
        b'{"text":"a","label":1}\n{"text":{},"label":1}\n{"text":"b","label":2}\n',
        "an object",
    ),
}


@pytest.mark.parametrize(("content", "reason"), JSONL.values(), ids=JSONL.keys())
def test_a_bad_json_line_is_one_broken_record_and_not_the_end(tmp_path, content, reason):
    good, reasons = pairs(tmp_path, content, "a.jsonl")
    assert good == [("a", "1"), ("b", "2")]
    assert [reason in r for r in reasons] == [True]


def test_json_labels_of_every_type_become_text_as_written(tmp_path):
    values = [True, False, 1, 1.0, 2.5, "01", None]
    lines = b"\n".join(orjson.dumps({"text": "x", "label": value}) for value in values)
    good, _ = pairs(tmp_path, b"\xef\xbb\xbf" + lines, "a.jsonl")
    assert [label for _, label in good] == ["true", "false", "1", "1", "2.5", "01", None]


def test_a_list_of_sentences_is_one_document(tmp_path):
    assert (
        pairs(tmp_path, b'{"text":["One.","Two."],"label":1}', "a.jsonl")[0][0][0] == "One.\nTwo."
    )


def test_parquet_labels_of_every_type_become_text(tmp_path):
    for label, expected in ([True, "true"], [1, "1"], [1.0, "1"], ["01", "01"], [None, None]):
        pl.DataFrame({"text": ["a"], "label": [label]}).write_parquet(tmp_path / "a.parquet")
        (record,) = documents(corpus(Source(path="a.parquet")), tmp_path)
        assert isinstance(record, Record)
        assert record.label == expected


def test_labelled_lines_are_recognised_by_their_numbers(tmp_path):
    good, _ = pairs(tmp_path, "0 dull .\n1 très bon .\n".encode("latin-1"), "rt-polarity.all")
    assert good == [("dull .", "0"), ("très bon .", "1")]


def test_labelled_lines_are_recognised_by_few_first_words(tmp_path):
    content = b"LOC Where is it ?\nHUM Who is it ?\n" * 15
    assert pairs(tmp_path, content, "questions.txt")[0][:2] == [
        ("Where is it ?", "LOC"),
        ("Who is it ?", "HUM"),
    ]


@pytest.mark.parametrize(
    ("first", "label"),
    [(("Ann:", "Bob:"), None), (range(1, 61), None), (("1", "0"), "1"), (("__label__a",), "a")],
)
def test_where_no_label_is_wanted_a_name_that_stands_first_is_text(tmp_path, first, label):
    lines = [f"{first[n % len(first)]} line number {n}" for n in range(60)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    source = Source(path="a.txt")
    (record, *_) = read(corpus(source), tmp_path, needs_label=False)
    assert (record.text, record.label) == (lines[0] if label is None else "line number 0", label)
    (outside, *_) = read(CorpusSettings(outside=(source,)), tmp_path, needs_label=False)
    assert (outside.text, outside.label) == (record.text, None)


@pytest.mark.parametrize("column", ["group", "time", "metadata"])
def test_files_without_columns_have_none_that_is_asked_for(tmp_path, column):
    (tmp_path / "a" / "good").mkdir(parents=True)
    (tmp_path / "a" / "good" / "1.txt").write_text("so good")
    value = ("language",) if column == "metadata" else "author"
    settings = corpus(Source(path="a"), **{column: value})
    with pytest.raises(InputError, match=f"`corpus.{column}` asks for a column of a file"):
        documents(settings, tmp_path)
    outside = CorpusSettings(outside=(Source(path="a"),), **{column: value})
    assert [record.text for record in read(outside, tmp_path)] == ["so good"]


def test_files_that_are_no_text_are_rejected_in_a_folder_and_refused_alone(tmp_path):
    folder = tmp_path / "all" / "good"
    folder.mkdir(parents=True)
    (folder / "1.txt").write_text("so good")
    (folder / "2.docx").write_bytes(b"PK\x03\x04\x14\x00\x06\x00 word/document.xml \xff")
    (folder / "3.txt").write_bytes("очень да - нет".encode("utf-16-le"))
    first, *broken = documents(corpus(Source(path="all")), tmp_path)
    assert first.text == "so good"
    assert [each.reason.split(",")[0] for each in broken] == ["no text"] * 2
    for name in ("2.docx", "3.txt"):
        with pytest.raises(
            InputError, match="bytes of zero; expected text, or its `encoding`: utf-16"
        ):
            documents(corpus(Source(path=f"all/good/{name}", label="x")), tmp_path)
    named = Source(path="all/good/3.txt", label="x", encoding="utf-16-le")
    assert [each.text for each in documents(corpus(named), tmp_path)] == ["очень да - нет"]


def test_a_few_zeros_in_text_are_one_bad_line(tmp_path):
    lines = [f'{{"text": "number {n}", "label": 1}}' for n in range(20)]
    content = "\n".join([*lines, "\0\0\0", *lines]).encode()
    good, reasons = pairs(tmp_path, content, "a.jsonl")
    assert (len(good), len(reasons)) == (40, 1)


def test_a_file_of_labels_is_for_one_file_of_lines(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("one\ntwo\n")
    (tmp_path / "a.csv").write_text("text,label\na,1\n")
    (tmp_path / "labels").write_text("x\ny\n")
    with pytest.raises(InputError, match="`labels` beside a file that is read as csv"):
        documents(corpus(Source(path="a.csv", labels="labels")), tmp_path)
    with pytest.raises(InputError, match=r"\?\.txt: 2 files with one file of `labels`"):
        documents(corpus(Source(path="?.txt", labels="labels")), tmp_path)


def test_a_badly_quoted_header_is_refused_with_its_line(tmp_path):
    (tmp_path / "a.csv").write_text('"text"x,label\na,1\n')
    with pytest.raises(InputError, match=r"a\.csv:1: the header is badly quoted"):
        documents(corpus(Source(path="a.csv")), tmp_path)


def test_fasttext_lines_lose_their_prefix_and_take_one_label(tmp_path):
    content = b"__label__good It works .\n__label__a __label__b Both .\n"
    good, reasons = pairs(tmp_path, content, "train.txt")
    assert good == [("It works .", "good")]
    assert reasons == ["more than one label"]


def test_next_line_characters_and_carriage_returns_do_not_split_lines(tmp_path):
    good, _ = pairs(tmp_path, b"0 a \x85 b\r\n1 c\rd\n", "x.all")
    assert good == [("a \x85 b", "0"), ("c\rd", "1")]


def test_lines_take_labels_from_a_parallel_file(tmp_path):
    (tmp_path / "x.seq.in").write_text("play it\n\nbook it\n")
    (tmp_path / "x.label").write_text("Play\nNone\nBook\n")
    found = documents(corpus(Source(path="x.seq.in", labels="x.label")), tmp_path)
    assert [(r.text, r.label) for r in found if isinstance(r, Record)] == [
        ("play it", "Play"),
        ("", "None"),
        ("book it", "Book"),
    ]


@pytest.mark.parametrize(
    ("labels", "count"), [("a\n", "2 lines but 1"), ("a\nb\nc\n", "2 lines but 3")]
)
def test_parallel_files_must_agree_in_length(tmp_path, labels, count):
    (tmp_path / "x.txt").write_text("one\ntwo\n")
    (tmp_path / "y.txt").write_text(labels)
    with pytest.raises(InputError, match=count):
        documents(corpus(Source(path="x.txt", labels="y.txt")), tmp_path)


def test_one_label_for_a_whole_compressed_file(tmp_path):
    (tmp_path / "pos.txt.gz").write_bytes(gzip.compress("很好\n不错\n".encode()))
    found = documents(corpus(Source(path="pos.txt.gz", label="pos")), tmp_path)
    assert [(r.text, r.label) for r in found if isinstance(r, Record)] == [
        ("很好", "pos"),
        ("不错", "pos"),
    ]


def test_plain_lines_without_labels_are_refused_where_labels_are_needed(tmp_path):
    (tmp_path / "a.txt").write_text("just some text\nand more of it\n")
    settings = corpus(Source(path="a.txt"))
    with pytest.raises(InputError, match="carry no labels"):
        documents(settings, tmp_path)
    assert len(documents(settings, tmp_path, needs_label=False)) == 2


def test_a_folder_labels_its_files_by_their_folder(tmp_path):
    for label in ("neg", "pos"):
        (tmp_path / "reviews" / label).mkdir(parents=True)
        (tmp_path / "reviews" / label / "1.txt").write_text(f"so {label}\nindeed")
    (tmp_path / "reviews" / ".hidden").write_text("x")
    found = documents(corpus(Source(path="reviews")), tmp_path)
    assert [(r.text, r.label) for r in found if isinstance(r, Record)] == [
        ("so neg\nindeed", "neg"),
        ("so pos\nindeed", "pos"),
    ]


def test_where_keeps_the_rows_with_these_values(tmp_path):
    (tmp_path / "a.csv").write_text("text,label,lang\na,1,en\nb,1,de\n")
    found = documents(corpus(Source(path="a.csv", where={"lang": "en"})), tmp_path)
    assert [r.text for r in found] == ["a"]
    with pytest.raises(InputError, match="no column 'language'"):
        documents(corpus(Source(path="a.csv", where={"language": "en"})), tmp_path)


def test_outside_text_never_has_a_label_and_needs_no_label_column(tmp_path):
    (tmp_path / "a.csv").write_text("text\nfree\n")
    settings = CorpusSettings(outside=(Source(path="a.csv", label="x"),))
    (record,) = documents(settings, tmp_path)
    assert isinstance(record, Record)
    assert (record.label, record.part) == (None, "outside")


def test_the_given_holdout_is_read_first_and_outside_text_last(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\na,1\n")
    source = (Source(path="a.csv"),)
    settings = CorpusSettings(sources=source, holdout=source, outside=source)
    assert [r.part for r in documents(settings, tmp_path)] == ["holdout", "corpus", "outside"]


def test_a_wrong_named_encoding_is_an_input_error(tmp_path):
    (tmp_path / "a.csv").write_bytes("text,label\ncafé,1\n".encode("latin-1"))
    with pytest.raises(InputError, match="not readable as utf-8"):
        documents(corpus(Source(path="a.csv", encoding="utf-8")), tmp_path)
    for name in ("utf-9", "base64"):
        with pytest.raises(InputError, match=f"no encoding '{name}'"):
            documents(corpus(Source(path="a.csv", encoding=name)), tmp_path)


def test_a_few_stray_bytes_spoil_no_header_label_or_condition(tmp_path):
    content = "größe,label,stadt\nsüß,schön,Köln\nfad,übel,Köln\nzu viel,übel,Ulm\n".encode()
    (tmp_path / "a.csv").write_bytes(content + "café,schön,".encode("latin-1") + "Köln\n".encode())
    settings = corpus(Source(path="a.csv", where={"stadt": "Köln"}), text="größe")
    (file,) = input_files(settings, tmp_path)
    assert file.encoding == "utf-8, stray bytes as latin-1"
    found = list(read_file(file, settings))
    assert [(r.text, r.label) for r in found if isinstance(r, Record)] == [
        ("süß", "schön"),
        ("fad", "übel"),
        ("café", "schön"),
    ]


def test_a_stray_byte_behind_the_mark_of_utf_8_stays_one_byte(tmp_path):
    content = "\ufefftext,label\nvery good,1\n".encode() + "caf\xe9,0\n".encode("latin-1")
    assert pairs(tmp_path, content) == ([("very good", "1"), ("café", "0")], [])


def test_latin_1_stays_latin_1_where_two_signs_of_it_could_be_one_of_utf_8(tmp_path):
    content = "text,label\n«LIBERTÉ» ou café,été\n".encode("latin-1")
    assert pairs(tmp_path, content) == ([("«LIBERTÉ» ou café", "été")], [])


def test_a_stray_byte_costs_one_line_of_json(tmp_path):
    content = '{"text":"süß, schön","label":"é"}\n'.encode() + b'{"text":"\xff","label":1}\n'
    good, reasons = pairs(tmp_path, content, "a.jsonl")
    assert good == [("süß, schön", "é")]
    assert len(reasons) == 1


def test_composed_and_decomposed_names_of_folders_are_one_label(tmp_path):
    for number, folder in enumerate(("gr\u00fcn", "gru\u0308n")):
        (tmp_path / "all" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / folder / f"{number}.txt").write_text("so green")
    found = documents(corpus(Source(path="all")), tmp_path)
    assert [r.label for r in found if isinstance(r, Record)] == ["gr\u00fcn"] * 2


def test_a_file_of_labels_has_the_encoding_that_was_asked_for(tmp_path):
    (tmp_path / "x.txt").write_bytes("很好\n".encode("gb18030"))
    (tmp_path / "y.txt").write_bytes("好\n".encode("gb18030"))
    source = Source(path="x.txt", labels="y.txt", encoding="gb18030")
    assert [(r.text, r.label) for r in documents(corpus(source), tmp_path)] == [("很好", "好")]


def test_a_torn_gzip_file_is_an_input_error(tmp_path):
    whole = gzip.compress(b"text,label\n" + b"some words,1\n" * 5000)
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a.txt.gz").write_bytes(whole[:14])
    with pytest.raises(InputError, match="damaged gzip"):
        documents(corpus(Source(path="a.txt.gz")), tmp_path)
    for encoding in ("auto", "utf-8"):
        with pytest.raises(InputError, match="damaged gzip"):
            documents(corpus(Source(path="a.csv.gz", encoding=encoding)), tmp_path)


def test_a_json_array_is_told_from_json_lines(tmp_path):
    (tmp_path / "a.json").write_text('[\n{"text": "a", "label": 1}\n]')
    with pytest.raises(InputError, match="a JSON array; expected one JSON object a line"):
        documents(corpus(Source(path="a.json")), tmp_path)


def test_reading_streams(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n" + "some words,1\n" * 100_000)
    n_bytes: list[int] = []
    records = read(corpus(Source(path="a.csv")), tmp_path, advance=n_bytes.append)
    next(records)
    assert sum(n_bytes) < 300_000
    assert sum(1 for _ in records) == 99_999
    assert sum(n_bytes) == (tmp_path / "a.csv").stat().st_size


def test_files_are_described_before_they_are_read(tmp_path):
    (tmp_path / "a.data").write_text("text;label\na;1\n")
    (file,) = input_files(corpus(Source(path="a.data")), tmp_path)
    assert (file.format, file.encoding, file.name) == ("csv", "utf-8", "a.data")


def _csv(path: Path) -> None:
    path.write_text("text,summary\na,b\nc,\n")


def _jsonl(path: Path) -> None:
    path.write_text('{"text": "a", "summary": "b"}\n{"text": "c"}\n')


def _parquet(path: Path) -> None:
    pl.DataFrame({"text": ["a", "c"], "summary": ["b", None]}).write_parquet(path)


@pytest.mark.parametrize(
    ("name", "write"), [("a.csv", _csv), ("a.jsonl", _jsonl), ("a.parquet", _parquet)]
)
def test_columns_that_a_head_can_use_are_kept_where_they_are_there(tmp_path, name, write):
    write(tmp_path / name)
    settings = corpus(Source(path=name))
    (file,) = input_files(settings, tmp_path)
    wanted = ("summary", "sentence_labels")
    found = list(read_file(file, settings, needs_label=False, extras=wanted))
    assert [dict(record.extras) for record in found] == [{"summary": "b"}, {}]


def test_a_column_under_another_name_has_to_be_there(tmp_path):
    _csv(tmp_path / "a.csv")
    settings = corpus(Source(path="a.csv"), columns={"summary": "abstract"})
    (file,) = input_files(settings, tmp_path)
    with pytest.raises(InputError, match="no column 'abstract'; expected one of: text, summary"):
        list(read_file(file, settings, needs_label=False, extras=("summary",)))


def test_several_summaries_stay_a_list(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": ["A.", "B."], "target": ["b", "c"]}\n')
    settings = corpus(Source(path="a.jsonl"), columns={"summary": "target"})
    (file,) = input_files(settings, tmp_path)
    (found,) = read_file(file, settings, needs_label=False, extras=("summary",))
    assert (found.text, dict(found.extras)) == ("A.\nB.", {"summary": ["b", "c"]})
