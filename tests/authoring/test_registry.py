import subprocess
import sys

import pytest

from pneumobench import Estimator, Recipe
from pneumobench.authoring import registry
from pneumobench.errors import PluginError, UsageError


def test_built_in_plugins_and_the_users_are_listed_together():
    entries = registry.entries()
    assert entries["baseline"].origin == "built-in"
    assert entries["tiny"].summary == "A network that trains in a blink, for tests."
    assert isinstance(registry.load("tiny"), Recipe)
    assert isinstance(registry.load("thumbnail"), Estimator)


def test_a_typo_is_answered_with_the_nearest_name():
    with pytest.raises(UsageError, match="no plugin named 'baselin'; did you mean 'baseline'"):
        registry.find("baselin")


def test_a_broken_plugin_does_not_affect_others():
    assert registry.entries()["broken"].summary
    with pytest.raises(PluginError, match=r"plugin 'broken' .*No module named 'no_such_module'"):
        registry.load("broken")


def test_a_file_that_cannot_be_parsed_is_still_listed(tmp_path, monkeypatch):
    (tmp_path / "torn.py").write_text("def (")
    (tmp_path / "empty.py").write_text("")
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    assert "cannot be read" in registry.entries()["torn"].summary
    with pytest.raises(PluginError, match="must define a value named `plugin`"):
        registry.load("empty")


def test_two_plugins_of_one_name_are_both_reported(tmp_path, monkeypatch):
    (tmp_path / "baseline.py").write_text("")
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    with pytest.raises(UsageError, match=r"two plugins are named 'baseline'.*baseline\.py.*baseline\.py"):
        registry.entries()


@pytest.mark.slow
def test_listing_imports_no_plugin_and_no_heavy_library():
    code = (
        "import sys; from pneumobench.authoring import registry; [e.summary for e in registry.entries().values()];"
        "print([m for m in ('tensorflow', 'keras', 'sklearn', 'mlflow', 'pneumobench.plugins.baseline') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_plugins_of_the_working_directory_are_listed_unless_a_folder_is_named(tmp_path, monkeypatch):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "new_idea.py").write_text('"""An idea."""\n')
    monkeypatch.chdir(tmp_path)
    assert "new_idea" not in registry.entries()
    monkeypatch.delenv("PNEUMOBENCH_PLUGINS")
    assert registry.entries()["new_idea"].summary == "An idea."


def test_the_folder_of_the_built_in_plugins_is_not_listed_twice(monkeypatch):
    from pathlib import Path

    import pneumobench.plugins

    monkeypatch.delenv("PNEUMOBENCH_PLUGINS")
    monkeypatch.chdir(Path(pneumobench.plugins.__file__).parents[1])
    assert registry.entries()["baseline"].origin == "built-in"


PACKAGE = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "thirdparty-xray"
version = "1.0"
[project.entry-points."pneumobench.plugins"]
scaling = "thirdparty_xray.scaling"
""",
    "thirdparty_xray/__init__.py": "",
    "thirdparty_xray/scaling.py": '''"""A custom layer, provided by a package."""

import keras

from pneumobench import Recipe, View


@keras.saving.register_keras_serializable(package="thirdparty_xray")
class Scaled(keras.layers.Layer):
    def call(self, images):
        return images / 255.0


def build(shape):
    images = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(Scaled()(images))
    return keras.Model(images, keras.layers.Dense(1, activation="sigmoid", dtype="float32")(x))


plugin = Recipe(build=build, view=View(8, 8, channels=1), defaults={"epochs": 1})
''',
}


@pytest.mark.slow
def test_an_installed_package_provides_a_plugin_whose_custom_layers_are_loaded(tmp_path, phantom_folder):
    """The package is really built and installed; the model is loaded by a process that imports MLflow only."""
    import json
    import os

    for name, text in PACKAGE.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    site = tmp_path / "site"
    install = ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([sys.executable, "-m", *install, str(tmp_path / "source")], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site), "PNEUMOBENCH_PLUGINS": str(tmp_path / "none")}
    (tmp_path / "none").mkdir()

    def python(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=240
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    rows = json.loads(python("-m", "pneumobench", "plugins", "--json"))["plugins"]
    (row,) = [row for row in rows if row["name"] == "scaling"]
    assert (row["origin"], row["summary"]) == ("thirdparty-xray", "A custom layer, provided by a package.")
    result = json.loads(python("-m", "pneumobench", "run", "scaling", "--data", str(phantom_folder), "--json"))
    output = python(
        "-c",
        f"""
import mlflow, numpy as np
mlflow.set_tracking_uri("sqlite:///{tmp_path}/runs/mlflow.db")
(model,) = mlflow.MlflowClient().get_run({result["run_id"]!r}).outputs.model_outputs
loaded = mlflow.pyfunc.load_model("models:/" + model.model_id)
print(loaded.predict(np.full((2, 8, 8, 1), 128, np.float32)).shape)
""",
    )
    assert output.strip().endswith("(2,)")
