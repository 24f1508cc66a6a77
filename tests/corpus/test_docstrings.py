from pathlib import Path

from lslm.corpus.reading import input_files, read_file
from lslm.corpus.records import Broken, Record
from lslm.settings import CorpusSettings, Source

PROSE = "It goes on and on about what it does and why, " * 4
SOURCE = f'''
"""Too short."""

class Thing:
    """Do one thing
    well.

    {PROSE}

    >>> Thing()

    And this is prose again.

    Parameters
    ----------
    a : int
    """

    async def work(self):
        """Work.

        Args:
            b: {PROSE}
        """
'''


def rows(folder: Path) -> list[Record | Broken]:
    settings = CorpusSettings(sources=(Source(path=str(folder), format="docstrings"),))
    return [
        row
        for file in input_files(settings, folder)
        for row in read_file(file, settings, needs_label=False, extras=("summary",))
    ]


def test_the_first_paragraph_is_the_summary_of_the_prose_before_any_section(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    (tmp_path / "notes.txt").write_text("no Python")
    (found,) = rows(tmp_path)
    assert isinstance(found, Record)
    assert found.extras == {"summary": "Do one thing well."}
    assert found.text == f"{PROSE.strip()}\nAnd this is prose again."
    assert found.row == 4
    assert found.group == str(tmp_path / "a.py")


def test_what_is_no_python_is_a_rejected_row(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def (")
    (found,) = rows(tmp_path)
    assert isinstance(found, Broken)
    assert "not Python" in found.reason
