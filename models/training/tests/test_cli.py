"""The command: its help, its results, and its errors in one line."""

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from slicewise_training.cli import VERBS, main, name_of
from slicewise_training.config import load_config
from slicewise_training.environment import environment
from slicewise_training.network import build_network

TRAINING = Path(__file__).parents[1]
ERROR = re.compile(r"error: [^\n]+: [^\n]+\n")


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "slicewise_training", *words],
        cwd=TRAINING,
        env={key: value for key, value in os.environ.items() if key != "DEBUG"} | environment,
        text=True,
        capture_output=True,
        check=False,
    )


def shorten(project: Path, **settings: Any) -> list[str]:
    """A training of two steps of a narrow network; the words that name it and its data."""
    document = json.loads((project / "config.json").read_text())
    document["network"]["width"] = 0.125
    document["training"] |= {"steps": 2} | settings
    (project / "config.json").write_text(json.dumps(document))
    return [str(project / "config.json"), "--data", str(project / "data")]


def untrained(project: Path, run: str) -> str:
    """A run folder of a network of random weights."""
    torch.manual_seed(1)
    network = build_network(load_config(project / "config.json").network)
    (project / run).mkdir()
    torch.save({"average": network.state_dict()}, project / run / "checkpoint.pt")
    return str(project / run)


def test_help_lists_every_verb_in_the_order_of_work_and_needs_no_library() -> None:
    # A None among the modules makes an import of that name fail.
    without = "import sys; sys.modules.update(dict.fromkeys(['torch', 'numpy', 'PIL', 'nibabel', 'onnx']))"
    run = "from slicewise_training.cli import main; sys.exit(main(['--help']))"
    done = subprocess.run(
        [sys.executable, "-c", f"{without}; {run}"], cwd=TRAINING, text=True, capture_output=True, check=True
    )
    listed = re.findall(r"^    ([a-z-]+)\s+[A-Z]\w+ .+$", done.stdout, re.M)
    assert listed == [name_of(verb) for verb in VERBS]
    assert listed[:3] == ["make-split", "train", "finetune"]
    modules = {path.stem.replace("_", "-") for path in (TRAINING / "slicewise_training/verbs").glob("*.py")}
    assert set(listed) == modules - {"--init--", "arguments"}


@pytest.mark.parametrize("verb", VERBS, ids=name_of)
def test_a_verbs_help_says_what_it_reads_and_writes_with_an_example_that_it_understands(
    verb: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name_of(verb), "--help"])
    text = capsys.readouterr().out
    assert "--quiet" in text
    examples = re.findall(r"^    slicewise-training ((?:.+\\\n)*.+)$", text, re.M)
    assert examples
    seen: list[object] = []
    monkeypatch.setattr(verb, "run", lambda arguments: seen.append(arguments))
    monkeypatch.chdir(TRAINING)
    for name in ("runs/cardiac-mr", "runs/mine", "runs/mine-2", "runs/mine-3"):
        (tmp_path / name).mkdir(parents=True)
    for example in examples:
        words = re.sub(r"\\\n", " ", example).replace("<folder>", str(tmp_path))
        words = re.sub(r"configs/(mine|\*|comparison/\*)\.json", "configs/cardiac-mr.json", words)
        words = re.sub(r"(?<= )runs(?=[/ ]|$)", str(tmp_path / "runs"), words)
        assert main(words.split()) == 0, capsys.readouterr().err
    assert len(seen) == len(examples)


def test_a_training_notes_its_rows_on_standard_error_as_in_its_curves_and_is_measured_on_standard_output(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, run = shorten(project), str(project / "run")
    trained = command("train", *words, "--run", run, "--threads", "1")
    assert (trained.returncode, trained.stdout) == (0, "")
    rows = (project / "run" / "curves.jsonl").read_text()
    assert trained.stderr.splitlines()[-1:] == rows.splitlines()
    assert set(json.loads(rows)) == {"step", "minutes", "progress", "validation"}
    assert main(["evaluate", *words, "--run", run, "--output", str(project / "figures.json")]) == 0
    measured, said = capsys.readouterr()
    figures, written = json.loads(measured), json.loads((project / "figures.json").read_text())
    assert said == "" and written["environment"] == environment()
    assert figures == written["mean"]
    assert figures["all"] == pytest.approx(json.loads(rows)["validation"]["mean"], abs=0.05)
    assert main(["curves", words[0], "--run", run, "--output", str(project / "curves.svg")]) == 0
    assert capsys.readouterr() == ("", "")
    assert "validation Dice" in (project / "curves.svg").read_text()


def test_quiet_leaves_the_rows_to_the_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *shorten(project), "--run", str(project / "run"), "--threads", "1", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert (project / "run" / "curves.jsonl").read_text().count("\n") == 1
    assert logging.getLogger("slicewise_training").handlers == []


def test_a_split_is_drawn_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "split.json").unlink()
    words = ["make-split", *shorten(project), "--test", "0.25", "--validation", "0.25"]
    (project / "config.json").write_text((project / "config.json").read_text().replace('"cardiac-mr"', '"mine"'))
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == {"train": 2, "validation": 1, "test": 1}
    drawn = (project / "split.json").read_bytes()
    assert main(words) == 2
    assert "a split is drawn once" in capsys.readouterr().err
    assert (project / "split.json").read_bytes() == drawn


def lose_a_label(project: Path) -> None:
    (project / "data" / "b_frame01_label.nii.gz").unlink()


def cut_an_image(project: Path) -> None:
    path = project / "data" / "b_frame01_image.nii.gz"
    path.write_bytes(path.read_bytes()[:200])


def lose_a_patient(project: Path) -> None:
    (project / "data" / "c_frame01_image.nii.gz").unlink()


def move_a_label(project: Path) -> None:
    label = nib.Nifti1Image(np.zeros((90, 70, 3), np.uint8), np.eye(4))
    nib.save(label, project / "data" / "b_frame01_label.nii.gz")


def empty_the_labels(project: Path) -> None:
    shorten(project, structure_share=0.5)
    for path in (project / "data").glob("*_label.nii.gz"):
        nib.save(nib.Nifti1Image(np.zeros((90, 70, 3), np.uint8), nib.load(path).affine), path)


def ignore_everything(project: Path) -> None:
    document = json.loads((project / "config.json").read_text())
    document["data"]["ignore"] = 9
    (project / "config.json").write_text(json.dumps(document))
    for path in (project / "data").glob("*_label.nii.gz"):
        nib.save(nib.Nifti1Image(np.full((90, 70, 3), 9, np.uint8), nib.load(path).affine), path)


def lose_the_split(project: Path) -> None:
    (project / "split.json").unlink()


def slip(project: Path) -> None:
    shorten(project, seeed=1)


def leave_a_torn_checkpoint(project: Path) -> None:
    (project / "run").mkdir()
    (project / "run" / "checkpoint.pt").write_bytes(b"PK\x03\x04 torn")


def leave_a_checkpoint_of_another_seed(project: Path) -> None:
    words = shorten(project)
    assert main(["train", *words, "--run", str(project / "run"), "--threads", "1", "--quiet"]) == 0
    shorten(project, seed=2)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lose_a_label, "b_frame01_label.nii.gz is not there: complete the data folder"),
        (cut_an_image, "b_frame01_image.nii.gz is not a NIfTI file that can be read: fetch or write it anew"),
        (lose_a_patient, "no image of c in"),
        (move_a_label, "b_frame01_label.nii.gz lies on another grid than b_frame01_image.nii.gz: resample"),
        (empty_the_labels, "no label of the training patients of split.json shows a structure: look at data.label"),
        (ignore_everything, "no slice of the training patients of split.json has a voxel that somebody judged: "),
        (lose_the_split, "is not there: draw it once with slicewise-training make-split"),
        (slip, "training.seeed is no setting: did you mean seed?"),
        (leave_a_torn_checkpoint, "checkpoint.pt is not a training's checkpoint: "),
        (leave_a_checkpoint_of_another_seed, "was begun with another configuration: go on with those of its beginning"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_user_can_mend_is_one_line_with_a_remedy(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, break_it: Any, words: str
) -> None:
    monkeypatch.delenv("DEBUG", raising=False)
    arguments = ["train", *shorten(project), "--run", str(project / "run"), "--quiet"]
    break_it(project)
    capsys.readouterr()
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and ERROR.fullmatch(err) and words in err
    monkeypatch.setenv("DEBUG", "1")
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "<verb>: see slicewise-training --help"),
        (["trian"], "invalid choice: 'trian'"),
        (["train"], "CONFIG, --data, --run: see slicewise-training train --help"),
        (["train", "nowhere.json", "--data", ".", "--run", "x"], "argument CONFIG: nowhere.json is not a file: see"),
        (["train", "{config}", "--data", "nowhere", "--run", "x"], "argument --data: nowhere is not a folder: see"),
        (["train", "{config}", "--data", ".", "--run", "x", "--minutes", "0"], "say minutes above 0: see"),
        (["train", "{config}", "--data", ".", "--run", "x", "--threads", "0"], "say 1 or more: see"),
        (["make-split", "{config}", "--data", ".", "--test", "20"], "say a number from 0 to less than 1: see"),
        (["curves", "{config}", "--run", ".", "--output", "no/folder.svg"], "no/folder.svg cannot be written: "),
        (["curves", "{config}", "--run", ".", "--output", "x.svg"], "curves.jsonl: No such file or directory: "),
        (["evaluate", "{config}", "--data", ".", "--run", "."], "checkpoint.pt is not there: name the folder of"),
        (["evaluate", "{config}", "--data", ".", "--model", "."], ". is not a model folder: name one that has a"),
        (
            ["finetune", "{config}", "--data", ".", "--run", "x", "--start", "."],
            "is neither a training run nor a model",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_words_that_cannot_be_are_refused_in_one_line_before_any_work(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.delenv("DEBUG", raising=False)
    before = sorted(project.rglob("*"))
    assert main([word.format(config="config.json") for word in words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and ERROR.fullmatch(err) and said in err
    assert sorted(project.rglob("*")) == before


def test_a_run_of_another_network_is_refused_with_what_differs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = untrained(project, "run")
    assert main(["evaluate", *shorten(project), "--run", run]) == 2
    said = r"error: \S+run is a training of another network: it differs in auxiliary\S+, .*: give the configuration "
    assert re.match(said, capsys.readouterr().err)


def test_a_library_that_is_not_installed_is_said_with_the_extra_that_has_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(project)
    runs = [untrained(project, "one")]
    monkeypatch.setitem(sys.modules, "surface_distance", None)
    monkeypatch.delitem(sys.modules, "slicewise_training.compare", raising=False)
    options = ["--data", str(project / "data"), "--runs", str(project), "--output", str(project / "c.json")]
    assert runs and main(["compare", str(project / "config.json"), *options]) == 3
    assert "needs the library surface_distance: pip install -e 'models/training[comparison]'" in capsys.readouterr().err


def test_a_command_that_is_missing_or_fails_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["deployed", *shorten(project), "--output", str(project / "figures.json"), "--command"]
    assert main([*words, "no-such-program"]) == 3
    assert capsys.readouterr().err.startswith("error: no-such-program is not installed: ")
    assert main([*words, f"{sys.executable} -c 'raise SystemExit(7)'"]) == 2
    assert "the command ended with exit code 7 on c_frame01_image.nii.gz: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        None,
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_computer_of_too_little_memory_is_no_bug(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def run_out(_training: object) -> None:
        if error is not None:
            raise error
        torch.empty(10**15)  # no computer has that much

    monkeypatch.setattr("slicewise_training.train.Training.go", run_out)
    assert main(["train", *shorten(project), "--run", str(project / "run")]) == 3
    assert capsys.readouterr().err.startswith("error: there is not enough memory: lower `batch` or `size`")


def test_a_bug_of_ours_keeps_its_traceback_and_is_exit_code_1(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slicewise_training.cost.cost_in_words", lambda _config: 1 / 0)
    assert main(["cost", str(project / "config.json")]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err and err.splitlines()[-1].startswith("error: something went wrong that should not")


def test_who_reads_only_the_first_line_of_a_result_sees_no_error(project: Path) -> None:
    words = [sys.executable, "-m", "slicewise_training", "cost", *[str(project / "config.json")] * 3]
    with subprocess.Popen(words, cwd=TRAINING, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("module", ["train", "make_split", "verbs.model_card"])
def test_a_module_is_not_a_command_that_does_nothing(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"slicewise_training.{module}", "--help"],
        cwd=TRAINING,
        text=True,
        capture_output=True,
        check=False,
    )
    verb = module.rpartition(".")[2].replace("_", "-")
    said = f"error: slicewise_training.{module} is no command: run slicewise-training {verb}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_an_interrupted_training_says_how_it_goes_on(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_training: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("slicewise_training.train.Training.go", interrupt)
    assert main(["train", *shorten(project), "--run", str(project / "run")]) == 130
    assert capsys.readouterr().err.startswith("error: interrupted; a training goes on from its last checkpoint")
