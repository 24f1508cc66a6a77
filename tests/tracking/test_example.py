import json

import pytest

from lslm.serving import model_folder
from lslm.text.vocabulary import Vocabulary
from lslm.tracking.example import input_example


@pytest.fixture
def folder(candidate):
    return candidate().folder


def write(folder, *words):
    Vocabulary(("<pad>", "<unk>", *words)).save(folder / model_folder.VOCABULARY)
    (folder / model_folder.MANIFEST).unlink()
    model_folder.write_manifest(folder)


def test_the_example_is_made_of_words_that_the_package_names_anyway(folder):
    words = json.loads((folder / model_folder.VOCABULARY).read_text())
    texts = input_example(folder, None)
    assert texts == ("fine", "dull")
    assert {word for text in texts for word in text.split()} <= set(words)


def test_three_texts_of_eight_frequent_words_without_signs(folder):
    write(folder, ",", *(f"w{n}" for n in range(50)))
    first, second, third = input_example(folder, None)
    assert first == "w0 w3 w6 w9 w12 w15 w18 w21"
    assert (second[:5], third[:5]) == ("w1 w4", "w2 w5")


def test_a_model_without_words_has_an_example_too(folder):
    write(folder)
    assert input_example(folder, None) == ("text",)


def test_texts_that_the_settings_name_are_taken(folder):
    assert input_example(folder, ("an invented one",)) == ("an invented one",)
