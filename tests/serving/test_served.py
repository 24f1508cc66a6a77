import json
import subprocess
import sys
from pathlib import Path

import pytest

import lslm
from lslm.serving.predictor import Predictor
from lslm.serving.requirements import requirements

LIBRARY = Path(lslm.__file__).parent

# The package's own copy of the library answers: the checkout is not on this process's path.
PROGRAM = """
import sys
import mlflow.pyfunc
import pandas as pd

model = mlflow.pyfunc.load_model(sys.argv[1])
answers = model.predict(pd.DataFrame({"text": ["a good film", ""]}, index=[5, 9]))
assert answers.index.tolist() == [5, 9], answers
import lslm
assert lslm.__file__.startswith(sys.argv[1]), lslm.__file__
assert "keras" not in sys.modules and "tensorflow" not in sys.modules
print(answers["probability"].tolist())
"""


def test_a_package_answers_in_a_fresh_process(folder: Path, tmp_path: Path) -> None:
    from mlflow.models import ModelSignature
    from mlflow.pyfunc import save_model
    from mlflow.types import ColSpec, Schema

    columns = Schema([ColSpec("string", "label"), ColSpec("double", "probability")])
    save_model(
        path=str(tmp_path / "package"),
        python_model=str(LIBRARY / "serving" / "served.py"),
        artifacts={"model": str(folder)},
        code_paths=[str(LIBRARY)],
        signature=ModelSignature(Schema([ColSpec("string", "text")]), columns),
        pip_requirements=requirements(),
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, str(tmp_path / "package")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = [row["probability"] for row in Predictor.load(folder).predict(["a good film", ""])]
    assert json.loads(done.stdout.strip().splitlines()[-1]) == pytest.approx(expected)
    assert not list((tmp_path / "package").rglob("*.pkl"))
