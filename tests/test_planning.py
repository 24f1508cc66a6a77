"""Keys are made of source that is read, not imported."""

import subprocess
import sys

KEY = """
import sys
from lslm.planning import key_parts
parts = key_parts({}, ("lslm.heads.classify", "lslm.training.fitting"))
assert "source of lslm.heads._losses" in parts
assert "keras" not in sys.modules
"""


def test_the_key_of_a_stage_that_trains_is_made_without_keras():
    subprocess.run([sys.executable, "-c", KEY], check=True)
