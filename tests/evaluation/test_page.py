"""The report's page: the verdict first, text escaped, nothing fetched, and fit for two screens."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lslm.evaluation.page import page
from lslm.evaluation.report import (
    Calibration,
    Costs,
    CurvePoint,
    ExplainedDocument,
    Explanation,
    FoldCalibration,
    Gain,
    Made,
    Provenance,
    ReliabilityBin,
    RunReport,
    Score,
    SeedSpread,
    StageCost,
    Variation,
)
from tests.cli.samples import REPORT
from tests.test_reproduction import HERE

CLEANING = {
    "read": 3,
    "kept": 2,
    "near_duplicate_documents": 0,
    "near_duplicate_groups": 0,
    "steps": {"html": {"changed": 1, "rejected": 1}},
    "rejects": [
        {"source": "a.csv", "row": 2, "reason": "too short", "text": "<script>alert(1)</script>"}
    ],
}
SPLIT = {"development": {"documents": 2}, "holdout": {"documents": 1}}


def trial(number: int, value: float, state: str = "complete") -> dict:
    parameters = {"encoder.units": 8 * (1 + number % 2), "encoder.pooling": "max"}
    return {
        "trial": number,
        "state": state,
        "value": value,
        "epochs": 2,
        "parameters": parameters,
    }


SEARCH = {
    "value": 0.8,
    "n_complete": 3,
    "n_pruned": 1,
    "n_failed": 0,
    "seconds": 4.0,
    "trials": [trial(2, 0.8), trial(0, 0.7), trial(1, 0.6), trial(3, 0.5, "pruned")],
    "importances": {"fANOVA": {"encoder.units": 0.9, "encoder.pooling": 0.1}},
}
WORDS = {
    "vocabulary": [10],
    "coverage": [0.9],
    "neighbours": {"good": ["fine"]},
    "plane": {"good": (0.1, 0.2), "fine": (0.2, 0.1), "bad": (-0.3, -0.2)},
}


CALIBRATION = Calibration(
    temperature=1.2,
    folds=(FoldCalibration(temperature=1.1, n=2, before={"ece": 0.1}, after={"ece": 0.05}),),
    holdout_before={"ece": 0.1},
    by_chance=0.02,
    reliability=tuple(
        ReliabilityBin(n=5, low=at - 0.1, high=at + 0.1, confidence=at, accuracy=at - 0.05)
        for at in (0.6, 0.8)
    ),
)


COSTS = Costs(
    stages=(
        StageCost(stage="clean", seconds=2.0, cpu_seconds=1.5, peak_mb=300, earlier=True),
        StageCost(stage="fit", seconds=30.0, cpu_seconds=58.5, peak_mb=900, earlier=False),
    ),
    watts_per_core=6.0,
)
MADE = (Made(stage="fit", name="", digest="f" * 64),)
VARIATION = Variation(
    curve=tuple(
        CurvePoint(
            n_training=n,
            systems={
                name: Score(value=at, low=at - 0.1, high=at + 0.1, n=40)
                for name, at in (("network", n / 200), ("word-char-svc", 0.4))
            },
        )
        for n in (25, 50, 100)
    ),
    gain=Gain(difference=0.25, low=0.1, high=0.3, n=40),
    seeds=SeedSpread(values=(0.5, 0.52, 0.48), deviation=0.02),
)
EXPLANATION = Explanation(
    n=4,
    words=(),
    agreement=None,
    examples=(
        ExplainedDocument(
            source="a.csv",
            row=7,
            given="neg",
            said="pos",
            words=(("<b>good</b>", 0.4), ("film", -0.2), ("a", 0.0)),
        ),
    ),
)
ORIGIN = Provenance(base="/data", sources={"a.csv": "a" * 64}, environment=HERE, made=MADE)


@pytest.fixture
def report() -> RunReport:
    update = {
        "corpus": {"cleaning": CLEANING, "split": SPLIT},
        "search": SEARCH,
        "embedding": WORDS,
        "calibration": CALIBRATION,
        "costs": COSTS,
        "variation": VARIATION,
        "explanation": EXPLANATION,
        "provenance": ORIGIN,
    }
    return REPORT.model_copy(update=update)


def test_the_verdict_comes_before_everything_else(report):
    body = page(report).split("<main>")[1]
    said = re.sub(r"<[^>]+>", " ", body)
    assert said.split()[:3] == ["imdb:", "imdb", "version"]
    assert said.index("On the holdout the network beats") < said.index("Cross-validation")


def test_text_of_documents_is_shown_and_not_obeyed(report):
    shown = page(report)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script" not in shown


@pytest.mark.parametrize(
    "text",
    ["*not* so **good**", "`code`", "<http://a.org>", "_so_ __init__", "a | b \\| c", "&lt; &#65;"],
)
def test_markup_in_text_of_documents_is_shown_and_not_obeyed(report, text: str):
    rejects = [{**CLEANING["rejects"][0], "text": text}]
    corpus = {"cleaning": {**CLEANING, "rejects": rejects}, "split": SPLIT}
    shown = page(report.model_copy(update={"corpus": corpus}))
    assert f"<td>{html.escape(text)}</td>" in shown


def test_numbers_are_told_without_the_digits_of_binary_fractions(report):
    shown = page(report.model_copy(update={"chosen": {"encoder.head_dropout": 0.1 + 0.2}}))
    assert "<td>0.3</td>" in shown


def test_each_fold_and_the_pooled_value_are_told(report):
    part = page(report).split('id="cross-validation"')[1].split("</section>")[0]
    cells = re.findall(r"<td>([^<]*)</td>", part)
    n_folds = len(report.cross_validation.folds)
    assert [str(n + 1) for n in range(n_folds)] == [c for c in cells if c.isdigit()]
    assert "pooled" in cells


def test_nothing_is_fetched(report):
    shown = page(report)
    assert "default-src 'none'" in shown
    assert not re.findall(r"(?:src|href)=[\"'](?!#)", shown)
    assert not re.findall(r"@import|url\((?!#)", shown)


def test_every_plot_takes_its_colours_from_the_page(report):
    shown = page(report)
    drawings = re.findall(r"<svg.*?</svg>", shown, re.DOTALL)
    titles = re.findall(r'<svg role="img" aria-label="([^"]*)"', shown)
    assert len(drawings) == len(titles) == 9
    assert "value of each trial in order" in titles
    for drawing in drawings:
        assert "currentColor" in drawing
        assert not re.search(r"(?:fill|stroke): #", drawing)


def test_costs_and_digests_are_told(report):
    shown = page(report)
    part = shown.split('id="costs"')[1].split("</section>")[0]
    cells = re.findall(r"<td>([^<]*)</td>", part)
    assert cells[-5:] == ["all", "32.0", "60.0", "900", ""]
    assert "About 0.1 Wh" in part
    assert "found done from an earlier run" in part
    part = shown.split('id="reproduction"')[1].split("</section>")[0]
    assert f"lslm reproduce {report.run_id}" in part
    assert "a" * 16 in part
    assert "f" * 16 in part


def test_words_are_shaded_by_what_they_do_for_the_answer(report):
    part = page(report).split('id="words-that-decide"')[1].split("</section>")[0]
    assert re.findall(
        r'<span class="(for|against)" style="--share: (\d+)%">(.*?)</span>', part
    ) == [
        ("for", "50", "&lt;b&gt;good&lt;/b&gt;"),
        ("against", "25", "film"),
        ("for", "0", "a"),
    ]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 0.3, "The curve still gets better"),
        (-0.1, 0.3, "That may be chance"),
        (-0.3, -0.1, "The score gets worse with more documents"),
    ],
)
def test_whether_more_data_would_help_is_told(report, low: float, high: float, said: str):
    for direction, sign in (("maximize", 1), ("minimize", -1)):
        edges = sorted((sign * low, sign * high))
        gain = Gain(difference=sum(edges) / 2, low=edges[0], high=edges[1], n=40)
        varied = VARIATION.model_copy(update={"gain": gain})
        changes = {"variation": varied, "direction": direction}
        assert said in page(report.model_copy(update=changes))


def test_a_difference_is_compared_with_what_the_seed_does(report):
    # 0.29 over the majority; the seeds' deviation is 0.02.
    assert "+0.2900, is 14.5 times that" in page(report)


def test_the_same_report_is_the_same_page(report):
    assert page(report) == page(report)


def test_a_report_without_a_search_or_vectors_has_a_page(report):
    nothing = {"value": None, "trials": [], "importances": {}}
    plain = {**WORDS, "neighbours": {}, "plane": {}}
    shown = page(report.model_copy(update={"search": nothing, "embedding": plain}))
    assert "the settings as they stand" in shown
    assert "were not pretrained" in shown


PROBE = """<!doctype html><title>waiting</title>
<iframe id="page" src="page.html" style="width:{width}px;height:900px;border:0"></iframe>
<script>
onload = () => {{
  const inside = document.getElementById("page").contentDocument.documentElement;
  document.title = `width ${{inside.scrollWidth}} of ${{inside.clientWidth}}`;
}};
</script>"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on the PATH")
@pytest.mark.parametrize("width", [480, 1280])
def test_in_a_browser_it_fits_its_width_without_a_complaint(report, tmp_path: Path, width: int):
    (tmp_path / "page.html").write_text(page(report), encoding="utf-8")
    (tmp_path / "probe.html").write_text(PROBE.format(width=width))
    done = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--allow-file-access-from-files", "--enable-logging=stderr", "--v=0"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000"),
            *("--dump-dom", (tmp_path / "probe.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = re.search(r"<title>width (\d+) of (\d+)</title>", done.stdout)
    assert found, done.stdout[:200]
    assert int(found[1]) <= int(found[2]) <= width
    assert "CONSOLE" not in done.stderr, done.stderr
