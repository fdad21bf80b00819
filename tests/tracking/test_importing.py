"""The user's own MLflow in a notebook or script: run, default store, variables and autologging stay as they were."""

import json
import subprocess
import sys

import pytest

NOTEBOOK = """
import json, logging, os, warnings
import mlflow, numpy as np
from sklearn.linear_model import LogisticRegression
import pneumobench

mlflow.set_tracking_uri("sqlite:///mine.db")
mlflow.set_experiment("mine")
mlflow.sklearn.autolog(log_models=False)
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "7"

def state():
    logger = logging.getLogger("mlflow").level
    filters = [str(one) for one in warnings.filters]
    own = {k: v for k, v in os.environ.items() if k.startswith(("MLFLOW", "TF_", "XLA_", "GIT_", "NO_"))}
    return [mlflow.get_tracking_uri(), mlflow.get_registry_uri(), mlflow.active_run().info.run_id, logger, filters, own]

with mlflow.start_run() as run:
    before = state()
    result = pneumobench.run("thumbnail", data=DATA, test=False, tracking_uri="sqlite:///other.db")
    after = state()
    mlflow.log_metric("mine", 1)
    logged = mlflow.get_run(run.info.run_id).data
    LogisticRegression(C=0.3).fit(np.eye(4), [0, 1, 0, 1])
    mine = mlflow.get_run(run.info.run_id).data.params
client = mlflow.MlflowClient()
print(json.dumps({
    "same": [a == b for a, b in zip(before, after)],
    "before": logged.params, "metrics": logged.metrics, "afterwards": mine.get("C"),
    "status": client.get_run(run.info.run_id).info.status,
    "other": mlflow.MlflowClient("sqlite:///other.db").get_run(result.run_id).info.status,
}))
"""


@pytest.mark.slow
def test_a_run_inside_the_users_own_run_leaves_it_alone(phantom_folder, tmp_path):
    script = NOTEBOOK.replace("DATA", repr(str(phantom_folder)))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["same"] == [True] * 6
    assert seen["before"] == {}, "autologging of our training"
    assert seen["metrics"] == {"mine": 1}
    assert seen["afterwards"] == "0.3", "the user's autologging works again"
    assert seen["status"] == seen["other"] == "FINISHED"
