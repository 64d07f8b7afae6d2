"""The verbs of `slicewise-training`, one a module: its doc comment is the help, its first line the line in the list.

A verb's work is imported when it runs, so that help needs no PyTorch and a verb only its own libraries.
"""
