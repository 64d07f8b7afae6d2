"""A checkpoint goes on to the same weights, and only as what it was begun as."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from slicewise_training import identity
from slicewise_training.checkpoint import load_network
from slicewise_training.config import load_config
from slicewise_training.errors import InputError
from slicewise_training.finetune import find_start
from slicewise_training.identity import COMPUTING, SAME_CODE, code_hash, hash_of_start, same_code
from slicewise_training.train import Training


@pytest.fixture
def project(project: Path) -> Path:
    """With a network that is narrow, for these tests train often."""
    document = json.loads((project / "config.json").read_text())
    document["network"]["width"] = 0.125
    (project / "config.json").write_text(json.dumps(document))
    return project


def steps(training: Training, count: int) -> Training:
    for _ in range(count):
        training.one_step()
        training.step += 1
    return training


def test_a_resumed_training_is_an_uninterrupted_one_bit_by_bit(project: Path) -> None:
    config = load_config(project / "config.json")
    config = replace(config, network=replace(config.network, dropout=0.5))
    straight = steps(Training(config, project / "data", project / "straight", budget_s=3600), 6)
    steps(Training(config, project / "data", project / "killed", budget_s=3600), 3).save()
    torch.rand(17)  # what another program's draws would do
    resumed = steps(Training(config, project / "data", project / "killed", budget_s=3600), 3)
    for one, other in ((straight.network, resumed.network), (straight.average, resumed.average)):
        for name, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name
    for one, other in zip(*(t.optimiser.state_dict()["state"].values() for t in (straight, resumed)), strict=True):
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_dropout_differs_from_step_to_step(project: Path) -> None:
    config = load_config(project / "config.json")
    training = Training(config, project / "data", project / "run", budget_s=3600)
    drawn = []
    for training.step in (0, 1, 0):
        training.one_step()
        drawn.append(torch.rand(4))
    assert torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[1])


def begun(project: Path) -> Path:
    steps(Training(load_config(project / "config.json"), project / "data", project / "run", budget_s=3600), 1).save()
    return project / "run"


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_another_configuration_is_refused(project: Path) -> None:
    run = begun(project)
    document = json.loads((project / "config.json").read_text())
    change(project / "config.json", training=document["training"] | {"learning_rate": 0.5})
    with pytest.raises(ValueError, match=r"begun with another configuration: .*begin a new run folder"):
        Training(load_config(project / "config.json"), project / "data", run, budget_s=3600)


def test_another_split_of_the_same_name_is_refused(project: Path) -> None:
    run = begun(project)
    change(project / "split.json", train=["a", "d"], test=["b"])
    with pytest.raises(ValueError, match="another split:"):
        Training(load_config(project / "config.json"), project / "data", run, budget_s=3600)


def test_another_start_and_schedule_are_refused(project: Path) -> None:
    run, config = begun(project), load_config(project / "config.json")
    with pytest.raises(ValueError, match="another start and another minutes:"):
        Training(config, project / "data", run, budget_s=60, start="0" * 64)


def test_other_code_is_refused_and_other_comments_are_not(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, config = begun(project), load_config(project / "config.json")
    copy = shutil.copytree(Path(identity.__file__).parent, project / "code")
    loss = copy / "train.py"
    loss.write_text('"""Said anew."""  # and here\n' + loss.read_text().replace('"""Moves', '"""Slowly moves'))
    assert code_hash(copy) == code_hash(Path(identity.__file__).parent)
    loss.write_text(loss.read_text().replace("auxiliary_weight * ", "auxiliary_weight + "))
    monkeypatch.setattr(identity, "__file__", str(copy / "identity.py"))
    with pytest.raises(ValueError, match="another code:"):
        Training(config, project / "data", run, budget_s=3600)


def test_a_checkpoint_of_code_that_computes_the_same_goes_on_and_is_one_of_this_code_from_then_on(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, config = begun(project), load_config(project / "config.json")
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    own = state["identity"]["code"]
    torch.save(state | {"identity": state["identity"] | {"code": "earlier"}}, run / "checkpoint.pt")
    with pytest.raises(InputError, match="another code:"):
        Training(config, project / "data", run, budget_s=3600)
    for code, accepted in ((own, True), ("another", False)):
        (project / "same.json").write_text(json.dumps({"code": code, "earlier": ["earlier"]}))
        assert ("earlier" in same_code(own, project / "same.json")) == accepted
    monkeypatch.setattr(identity, "same_code", lambda code: {code, "earlier"})
    resumed = Training(config, project / "data", run, budget_s=3600)
    assert resumed.step == 1
    resumed.save()
    assert torch.load(run / "checkpoint.pt", weights_only=True)["identity"]["code"] == own


def test_the_record_of_code_that_computes_the_same_is_of_this_code() -> None:
    folder = Path(identity.__file__).parent
    said = json.loads((folder / SAME_CODE).read_text())
    assert said["code"] == code_hash(folder), (
        "the code that training runs has changed: show that it computes the same weights, bit by bit, and write its "
        f"hash into {SAME_CODE} with the one before among the earlier; or empty the earlier"
    )
    assert said["code"] not in said["earlier"]


def test_the_hash_of_the_code_has_every_module_that_training_imports() -> None:
    folder, needed, open_ = Path(identity.__file__).parent, set(), ["train", "finetune"]
    while open_:
        name = open_.pop()
        if name not in needed:
            needed.add(name)
            open_ += re.findall(r"^from \.(\w+) import", (folder / f"{name}.py").read_text(), re.M)
    # Words of errors, refusing a configuration and noting a reading change no weight.
    assert needed - {"errors", "lateral", "readings"} == set(COMPUTING)


def test_a_checkpoint_that_does_not_say_what_it_is_serves_only_as_a_start(project: Path) -> None:
    run, config = begun(project), load_config(project / "config.json")
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    torch.save({"average": state["average"]}, run / "checkpoint.pt")
    with pytest.raises(ValueError, match="does not say what it was begun as"):
        Training(config, project / "data", run, budget_s=3600)
    assert load_network(run, config.network)
    start = find_start(str(run), config, None, "as-is", False)
    assert start.hash != hash_of_start(run / "checkpoint.pt")
    assert start.hash != find_start(str(run), config, None, "as-is", True).hash
    assert start.give(Training(config, project / "data", project / "next", 3600, start.hash)) == []


def test_validation_is_read_every_so_many_steps_where_a_configuration_says_so(project: Path) -> None:
    config = load_config(project / "config.json")
    config = replace(config, training=replace(config.training, steps=5, validate_steps=2))
    Training(config, project / "data", project / "run", budget_s=3600).go()
    rows = [json.loads(line) for line in (project / "run" / "curves.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "validation" in row] == [2, 4, 5]
