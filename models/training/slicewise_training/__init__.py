"""Trains, measures and exports the networks of Slicewise; the command is `slicewise-training` (cli.py)."""

import sys


def _refuse_a_module_as_a_command() -> None:
    """`python -m slicewise_training.train` was a command once; it would do nothing now, and call that a success."""
    words = sys.orig_argv
    if sys.argv[:1] != ["-m"] or "-m" not in words:
        return
    package, _, module = words[words.index("-m") + 1].partition(".")
    if package == __name__ and module not in ("", "__main__"):
        verb = module.removeprefix("verbs.").replace("_", "-")
        sys.stderr.write(f"error: {package}.{module} is no command: run slicewise-training {verb}\n")
        sys.exit(2)


_refuse_a_module_as_a_command()
