import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lslm.cleaning import control, exact, html, length, missing, mojibake, near, unicode, whitespace
from lslm.cleaning.fingerprint import fingerprint, folded
from lslm.cleaning.groups import Groups
from lslm.cleaning.normalization import normalize
from lslm.cleaning.shingles import shingles
from lslm.cleaning.spill import Spill
from lslm.settings import CleaningSettings

DEFAULTS = CleaningSettings()

MOJIBAKE = [
    ("cafÃ© â€” nice", "café — nice"),
    ("Itâ\x80\x99s", "It’s"),
    ("wait \x85 what \x96 no", "wait … what – no"),
    ("naïve café SÃO", "naïve café SÃO"),
    ("中文评论 и русский", "中文评论 и русский"),
    ("&amp; <b>", "&amp; <b>"),
]
HTML = [
    ("One.<br /><br />Two.", "One.\n\nTwo."),
    ("One.<BR>Two.", "One.\nTwo."),
    ("<p>One.</p><p>Two.</p>", "One.\n\nTwo.\n"),
    ("so <i>very</i> good", "so very good"),
    ("hard\nwrapped<br>line", "hard wrapped\nline"),
    ("two\nlines, <b>no</b> page", "two\nlines, no page"),
    ('<a href="x>y" hidden>in</a> out', "in out"),
    ("<script>evil()</script>seen<style>p{}</style>", "seen"),
    ("a<!-- unseen -->b", "ab"),
    ("Tom &amp; Jerry &eacute; &#39;x&#39; &#x2014;", "Tom & Jerry é 'x' —"),
    ("a < b and b > c", "a < b and b > c"),
    ("a<b then c>d", "a<b then c>d"),
    ("I <3 it & AT&T ?a=1&copy=2", "I <3 it & AT&T ?a=1&copy=2"),
    ("I <3 <b>it</b> & AT&T ?a=1&copy=2", "I <3 it & AT&T ?a=1&copy=2"),
    ("&lt;br&gt;", "<br>"),
    ("<td>a</td><td>b</td>", "\na\n\nb\n"),
    ("Put the <script> tag last and it works", "Put the <script> tag last and it works"),
    ("<title> and <style> are <b>tags</b>", "<title> and <style> are tags"),
    ("<TEMPLATE>no</Template>yes <template>, <noscript>", "yes <template>, <noscript>"),
    ('<script src="</script>">seen', '<script src="">seen'),
    ("<i>one</i> <!-- two", "one <!-- two"),
    ("a<!-->b<!--->c", "abc"),
    ("<i>a</i> <!doctype begins a page", "a <!doctype begins a page"),
    ("<!DOCTYPE html><title>unseen</title><p>seen</p>", "seen"),
]
CONTROL = [
    ("a\x00b\x1bc\x7f", "abc"),
    ("co\u00adop\u200bera\ufefftion\u2060", "cooperation"),
    ("\u202eevil\u202c", "evil"),
    ("می\u200cخواهم", "می\u200cخواهم"),
    ("क्\u200dष", "क्\u200dष"),
    ("👩\u200d👩\u200d👧 ❤️\u200d🔥", "👩\u200d👩\u200d👧 ❤️\u200d🔥"),
    ("in\u200cvis\u200dible", "invisible"),
    ("a\ud800b", "ab"),
    ("tab\tand\nline", "tab\tand\nline"),
]
SPACE = [
    ("  a \t b\r\n\r\n c\u3000d\u00a0e ", "a b\nc d e"),
    ("a\u2028b\x0bc", "a\nb\nc"),
    (" \n ", ""),
]


@pytest.mark.parametrize(("text", "expected"), MOJIBAKE)
def test_mojibake_is_repaired_and_sound_text_left(text, expected):
    assert mojibake.repair(text) == expected


@pytest.mark.parametrize(("text", "expected"), HTML)
def test_html_becomes_what_its_reader_sees(text, expected):
    assert [x for x in html.to_text(text).split("\n") if x] == [
        x for x in expected.split("\n") if x
    ]


@pytest.mark.parametrize(("text", "expected"), CONTROL)
def test_invisible_characters_go_and_joiners_stay_where_they_spell(text, expected):
    assert control.remove(text) == expected


@pytest.mark.parametrize(("text", "expected"), SPACE)
def test_white_space_is_made_one(text, expected):
    assert whitespace.collapse(text) == expected


def test_characters_are_composed_but_not_made_alike():
    assert unicode.compose("e\u0301 ﬁ ２") == "é ﬁ ２"


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "no text"), ("", "no text"), (" \t\n", "no text"), (".", None)],
)
def test_missing_text_is_rejected(text, reason):
    assert missing.fault(text) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ab", "shorter than 3 characters"),
        ("abc", None),
        ("abcde", None),
        ("abcdef", "longer than 5 characters"),
        ("", "nothing left of the text"),
    ],
)
def test_length_limits_include_their_ends(text, reason):
    assert length.fault(text, CleaningSettings(min_characters=3, max_characters=5)) == reason


def test_the_chain_undoes_what_one_step_brings_to_light_in_the_next():
    raw = "  cafÃ©&nbsp;&nbsp;&#8203;noir<br/><br/>e&#769;t&eacute;\u200b "
    assert normalize(raw, DEFAULTS) == "café noir\nété"


def test_html_can_be_left_alone():
    assert normalize("if a <b> c", CleaningSettings(html=False)) == "if a <b> c"


@given(st.text())
def test_cleaned_text_is_clean(text):
    cleaned = normalize(text, DEFAULTS)
    cleaned.encode()
    assert whitespace.collapse(cleaned) == cleaned
    assert not any(line == "" or line != line.strip() for line in cleaned.split("\n") if cleaned)


@given(st.text(alphabet="<>/abpri \"'=&;!-x"))
def test_html_never_raises(text):
    html.to_text(text)


def test_many_nested_tags_are_not_slow():
    assert html.to_text("<div>" * 100_000 + "deep").strip() == "deep"


@pytest.mark.parametrize("tag", ["<script>", "<!--", '<style a="</style>">', "<b><noscript>"])
def test_many_tags_that_are_never_closed_are_not_slow(tag):
    assert html.to_text(tag * 50_000 + "deep").endswith("deep")


def test_where_tags_are_many_what_is_not_seen_goes_too():
    unseen = "<script>a < b</script><!-- <b> --><STYLE>p{}</style ><!-->"
    assert html.to_text("<b>x</b>" * 6000 + unseen + "y <script>") == "x" * 6000 + "y <script>"


def test_fingerprints_ignore_case_and_line_breaks_and_are_the_same_everywhere():
    assert fingerprint("Good FILM\nreally") == fingerprint("good film really")
    assert fingerprint("good film") != fingerprint("good  film.")
    assert fingerprint("good film") == 0xEA38CC36001B3201


PART = {"corpus": 0, "holdout": 1, "outside": 2}
DUPLICATES = [
    ([("a", "corpus"), ("a", "corpus")], [None, "duplicate"]),
    ([("a", "corpus"), ("b", "corpus")], [None, "duplicate, other label"]),
    ([("a", "holdout"), ("a", "corpus")], [None, "also in the given holdout"]),
    ([("a", "holdout"), ("b", "corpus")], [None, "also in the given holdout"]),
    ([("a", "holdout"), ("", "outside")], [None, "also in the given holdout"]),
    ([("a", "corpus"), ("", "outside")], [None, "also in the corpus"]),
    ([("", "outside"), ("", "outside")], [None, "duplicate"]),
    ([("a", "holdout"), ("b", "holdout")], [None, None]),
]


@pytest.mark.parametrize(("documents", "reasons"), DUPLICATES)
def test_exact_duplicates_are_rejected_with_their_reason(documents, reasons):
    same = np.full(len(documents), 7, np.uint64)
    labels = np.array([ord(label) if label else 0 for label, _ in documents], np.uint64)
    parts = np.array([PART[part] for _, part in documents], np.uint8)
    codes = exact.faults(same, labels, parts)
    assert [exact.REASONS[code] or None for code in codes] == reasons


def test_no_documents_have_no_duplicates():
    nothing = np.zeros(0, np.uint64)
    assert exact.faults(nothing, nothing, np.zeros(0, np.uint8)).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_groups_are_the_connected_components(pairs):
    groups = Groups(20)
    for start in range(0, len(pairs), 7):
        some = np.array(pairs[start : start + 7], np.int64)
        groups.join(some[:, 0], some[:, 1])
    expected = list(range(20))
    for _ in range(20):
        for a, b in pairs:
            expected[a] = expected[b] = min(expected[a], expected[b])
    assert groups.first.tolist() == expected


def words(text: str) -> int:
    return len(shingles([text])[0])


@pytest.mark.parametrize(
    ("text", "n_shingles"),
    [("a b c d", 2), ("a b c", 1), ("a b", 1), ("a", 1), ("...", 0), ("", 0), ("很好看的", 2)],
)
def test_texts_have_word_triples(text, n_shingles):
    assert words(text) == n_shingles


def test_shingles_do_not_depend_on_the_neighbours_or_the_signs():
    alone, _ = shingles(["the film is good"])
    together, bounds = shingles(["x", "The-film, is: GOOD!!".casefold(), "y z"])
    assert together[bounds[1] : bounds[2]].tolist() == alone.tolist()


def grouped(tmp_path, texts: list[str], threshold: float = 0.8) -> list[int]:
    spill = Spill(tmp_path / "spill")
    compared = [folded(text) for text in texts]
    near.add(spill, compared, np.array([fingerprint(t) for t in texts], np.uint64), threshold)
    groups = Groups(len(texts))
    near.join(spill, groups, np.arange(len(texts)), threshold)
    return groups.first.tolist()


LONG = " ".join(f"w{i}" for i in range(100))


def test_near_duplicates_share_a_group_and_others_do_not(tmp_path):
    texts = [LONG, "entirely other words stand here", LONG + " and more", LONG.replace("w9 ", "q ")]
    assert grouped(tmp_path, texts) == [0, 1, 0, 0]


def test_texts_half_alike_stay_apart(tmp_path):
    half = " ".join(f"w{i}" if i < 70 else f"v{i}" for i in range(100))
    assert grouped(tmp_path, [LONG, half]) == [0, 1]


def test_signs_without_words_are_not_alike(tmp_path):
    assert grouped(tmp_path, ["!!!", "???", "Great!", "great"]) == [0, 1, 2, 2]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_nearly_all_pairs_at_the_threshold(threshold):
    count, rows = near.bands(threshold)
    assert count * rows <= near.SKETCH
    assert 1 - (1 - threshold**rows) ** count >= 0.98
