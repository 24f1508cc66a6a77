"""What a sample says of cleaning and tokenizing goes by the characters that each of them is given."""

from lslm.costing import sampling
from lslm.costing.texts import size, texts
from lslm.settings import Settings


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
