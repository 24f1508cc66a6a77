import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

import lslm
from lslm.serving.model_folder import calibrate
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


def test_a_class_that_is_held_back_is_null_over_http(folder: Path, tmp_path: Path) -> None:
    from mlflow.pyfunc.model import PythonModelContext
    from mlflow.pyfunc.scoring_server import predictions_to_json

    from lslm.serving.served import Served

    texts = ["a good film", "bad", "not a good film"]
    plain = Predictor.load(folder).predict(texts)
    least = sorted(row["probability"] for row in plain)[1]
    calibrate(folder, tmp_path / "shy", temperature=1.0, abstain_below=least)
    served, context = Served(), PythonModelContext({"model": str(tmp_path / "shy")}, {})
    served.load_context(context)
    body = StringIO()
    predictions_to_json(served.predict(context, pd.DataFrame({"text": texts})), body)
    rows = json.loads(body.getvalue(), parse_constant=pytest.fail)["predictions"]
    assert [row["label"] for row in rows] == [
        row["label"] if row["probability"] >= least else None for row in plain
    ]
    assert sum(row["label"] is None for row in rows) == 1
    assert served.predict(context, pd.DataFrame({"text": []})).columns.tolist() == [*rows[0]]
