"""Makes a small network of someone else's conventions, runs a script of the docs on it, and says what the result must give.

    python wrap_network.py FOLDER SETTINGS

FOLDER holds wrap.py; SETTINGS is JSON of `channels`, `mean`, `sd`, `nhwc`, `softmax`, `fp16`. Writes wrapped.onnx, and prints
the input and the output that onnxruntime gives for the network alone, with NumPy doing what the added nodes should.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime  # noqa: E402

SIZE, CLASSES = 48, 3


def main() -> None:
    folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    channels, nhwc, fp16 = settings["channels"], settings["nhwc"], settings["fp16"]
    network = make_network(channels, nhwc, np.dtype(np.float16 if fp16 else np.float32))
    # Its weights beside it, as PyTorch exports.
    path = folder / "network.onnx"
    onnx.save(network, path, save_as_external_data=True, location="network.onnx.data", size_threshold=0)
    subprocess.run([sys.executable, folder / "wrap.py", path, folder / "wrapped.onnx"], check=True)

    image = np.random.default_rng(4).random((1, 1, SIZE, SIZE), np.float32)
    given = np.repeat(image, channels, axis=1)
    given = (given - np.float32(settings["mean"]).reshape(1, -1, 1, 1)) / np.float32(settings["sd"]).reshape(1, -1, 1, 1)
    given = given.transpose(0, 2, 3, 1) if nhwc else given
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    scores = session.run(None, {"x": given.astype(np.float16 if fp16 else np.float32)})[0].astype(np.float32)
    scores = scores.transpose(0, 3, 1, 2) if nhwc else scores
    if settings["softmax"]:
        scores = np.exp(scores - scores.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
    print(json.dumps({"input": image.ravel().tolist(), "output": scores.ravel().tolist()}))


def make_network(channels: int, nhwc: bool, dtype: np.dtype) -> onnx.ModelProto:
    """A 3 × 3 convolution of distinct weights for each channel, between transpositions if channels are last."""
    rng = np.random.default_rng(3)
    weights = [
        numpy_helper.from_array(rng.normal(size=(CLASSES, channels, 3, 3)).astype(dtype), "W"),
        numpy_helper.from_array(rng.normal(size=CLASSES).astype(dtype), "b"),
    ]
    convolution = {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}
    if nhwc:
        nodes = [
            helper.make_node("Transpose", ["x"], ["first"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", ["first", "W", "b"], ["image"], **convolution),  # a name that the docs use, too
            helper.make_node("Transpose", ["image"], ["y"], perm=[0, 2, 3, 1]),
        ]
        shapes = [["batch", SIZE, SIZE, channels], ["batch", SIZE, SIZE, CLASSES]]
    else:
        nodes = [helper.make_node("Conv", ["x", "W", "b"], ["y"], **convolution)]
        shapes = [["batch", channels, SIZE, SIZE], ["batch", CLASSES, SIZE, SIZE]]
    kind = TensorProto.FLOAT16 if dtype == np.float16 else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", kind, shapes[0])],
        [helper.make_tensor_value_info("y", kind, shapes[1])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


if __name__ == "__main__":
    main()
