"""What a sample says of cleaning and tokenizing goes by the characters that each of them is given."""

import pytest

from lslm.costing import sampling
from lslm.costing.texts import size, texts
from lslm.errors import InputError
from lslm.settings import Settings


@pytest.mark.parametrize(
    ("n", "labels", "sections", "said"),
    [
        (0, 2, {"corpus": {}}, "no documents are left to learn from"),
        (40, 2, {"cleaning": {"max_characters": 2}}, "no documents are left to learn from"),
        (2, 2, {}, "left to calibrate on: 2; expected at least 6"),
        (8, 4, {}, "left to calibrate on: 8; expected at least 12"),
        (3, 1, {}, "left to calibrate on: 3; expected at least 4"),
    ],
)
def test_too_few_documents_are_told(tmp_path, n, labels, sections, said):
    rows = "".join(f"a film of number {i},{i % labels}\n" for i in range(n))
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}")
    given = {"name": "t", "corpus": {"sources": [{"path": "a.csv"}]}, **sections}
    settings = Settings.model_validate(given)
    (folder := tmp_path / "made").mkdir()
    with pytest.raises(InputError, match=f"corpus.sources: .*{said}"):
        texts(sampling.draw(settings, tmp_path), settings, folder)


def test_markup_is_read_and_not_tokenized(tmp_path):
    markup = "<div class='wide and empty'></div>" * 5
    rows = "".join(f"a film of number {n}{markup},{n % 2}\n" for n in range(40))
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}")
    settings = Settings.model_validate({"name": "t", "corpus": {"sources": [{"path": "a.csv"}]}})
    drawn = sampling.draw(settings, tmp_path)
    folder = tmp_path / "made"
    folder.mkdir()
    made = texts(drawn, settings, folder)
    found = size(drawn["corpus"], made.samples["corpus"], min_count=1)
    assert len(markup) < found.characters < len(markup) + 30
    assert 15 < found.cleaned < 30
    assert found.kept == 1.0
