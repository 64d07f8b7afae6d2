"""The pinned environment has all that the package needs, and is the one of the released models."""

import re
import tomllib
from importlib import import_module, metadata
from pathlib import Path

import onnx
import pytest

from slicewise_training.environment import LIBRARIES, environment

TRAINING = Path(__file__).parents[1]
PROJECT = tomllib.loads((TRAINING / "pyproject.toml").read_text())
MODELS = sorted(TRAINING.parent.glob("*/model.onnx"))


def canonical(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    """Versions by name; a line that is neither a pin, a comment nor a hash fails."""
    found = {}
    for line in path.read_text().splitlines():
        if not line or re.match(r"#|\s+--hash=sha256:[0-9a-f]{64}( \\)?$", line):
            continue
        pin = re.fullmatch(r"([\w.-]+)==([\w.+-]+)( \\)?", line)
        assert pin, f"{path.name}: {line}"
        found[canonical(pin[1])] = pin[2]
    return found


def required() -> dict[str, str]:
    """What pyproject.toml requires with every extra, by name, with its condition on the version."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    said = [*PROJECT["project"]["dependencies"], *(requirement for extra in extras for requirement in extra)]
    split = [re.fullmatch(r"([\w-]+)(?:\[.+\])?(.*)", requirement) for requirement in said]
    return {canonical(part[1]): part[2] for part in split if part and part[1] != "slicewise-training"}


def test_every_requirement_is_pinned_to_a_version_that_the_package_allows() -> None:
    pinned = pins(TRAINING / "environment.txt")
    assert required().keys() <= pinned.keys()
    for name, condition in required().items():
        if condition.startswith("=="):
            assert pinned[name] == condition.removeprefix("=="), name
        elif condition:
            least, version = (
                [int(part) for part in words.split(".")] for words in (condition.removeprefix(">="), pinned[name])
            )
            assert version >= least, name


def test_the_judges_and_the_training_agree_for_ci_has_one_environment() -> None:
    pinned, judges = pins(TRAINING / "environment.txt"), pins(TRAINING.parents[1] / "test/judges/requirements.txt")
    both = pinned.keys() & judges.keys()
    assert {"numpy", "onnxruntime", "nibabel"} <= both
    assert {name: pinned[name] for name in both} == {name: judges[name] for name in both}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.name)
def test_the_pinned_torch_is_the_one_that_wrote_the_released_models(path: Path) -> None:
    assert onnx.load(path).producer_version == pins(TRAINING / "environment.txt")["torch"]


def test_there_are_released_models_to_look_at() -> None:
    assert len(MODELS) >= 8


def test_what_figures_say_of_their_environment_is_what_is_installed() -> None:
    said = environment()
    assert list(said) == ["python", *LIBRARIES]
    assert said["python"].startswith("3.")
    for name in LIBRARIES:
        assert said[name].split("+")[0] == import_module(name).__version__.split("+")[0]


def test_the_command_is_installed_with_all_its_packages() -> None:
    module, _, function = PROJECT["project"]["scripts"]["slicewise-training"].partition(":")
    assert callable(getattr(import_module(module), function))
    folders = {path.parent.relative_to(TRAINING) for path in (TRAINING / "slicewise_training").rglob("__init__.py")}
    assert sorted(".".join(folder.parts) for folder in folders) == PROJECT["tool"]["setuptools"]["packages"]
    assert metadata.version("slicewise-training") == PROJECT["project"]["version"]
