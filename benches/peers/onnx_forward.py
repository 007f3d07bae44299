"""The exact forward of all-MiniLM-L6-v2 in ONNX Runtime and in `ceas run`, in turn, on the same tokens and threads.

    python3 -m venv .tools/onnx && .tools/onnx/bin/pip install -r benches/peers/requirements-onnx.txt
    .tools/onnx/bin/python3 benches/peers/onnx_forward.py [CEAS] [ROUNDS]

The graphs are built here from config.json and model.safetensors, without PyTorch: `plain` of standard operators (LayerNormalization, Gelu,
Softmax, MatMul), `fused` with ONNX Runtime's own Attention operator, one product for q, k and v, and its BiasGelu and SkipLayerNormalization.
Both are run with all graph optimisations; a row shows both, and the ratio is to the faster. Embeddings are compared before anything is timed.
Times are of the forward alone, loading excluded, medians over rounds of the mean of 16 texts.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

FOLDER = Path(".tools/minilm")
TEXTS = 16


class Graph:
    """Nodes and weights of one graph."""

    def __init__(self, weights):
        self.weights, self.nodes, self.initializers, self.number = weights, [], [], 0

    def keep(self, array):
        self.number += 1
        name = f"w{self.number}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind, inputs, domain="", **attributes):
        self.number += 1
        name = f"x{self.number}"
        self.nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **attributes))
        return name

    def dense(self, x, name, bias=True):
        """x Wᵀ + b, the weight transposed once, here."""
        y = self.add("MatMul", [x, self.keep(self.weights[f"{name}.weight"].T)])
        return self.add("Add", [y, self.keep(self.weights[f"{name}.bias"])]) if bias else y

    def norm(self, x, name, epsilon):
        scale, shift = (self.keep(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", [x, scale, shift], axis=-1, epsilon=epsilon)

    def add_and_norm(self, x, y, name, epsilon, fused, bias=None):
        if not fused:
            return self.norm(self.add("Add", [x, y]), name, epsilon)
        scale, shift = (self.keep(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        inputs = [y, x, scale, shift] + ([self.keep(self.weights[bias])] if bias else [])
        return self.add("SkipLayerNormalization", inputs, "com.microsoft", epsilon=epsilon)


def attention(g, x, at, heads, width, fused):
    if fused:
        parts = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([g.weights[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([g.weights[f"{part}.bias"] for part in parts])
        return g.add("Attention", [x, g.keep(weight), g.keep(bias)], "com.microsoft", num_heads=heads)
    shape = g.keep(np.array([0, 0, heads, width // heads], np.int64))

    def split(part, axes):
        y = g.add("Reshape", [g.dense(x, f"{at}.attention.self.{part}"), shape])
        return g.add("Transpose", [y], perm=axes)

    q, k, v = split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]), split("value", [0, 2, 1, 3])
    beta = g.keep(np.array(1 / np.sqrt(width / heads), np.float32))
    p = g.add("Softmax", [g.add("Mul", [g.add("MatMul", [q, k]), beta])], axis=-1)
    context = g.add("Transpose", [g.add("MatMul", [p, v])], perm=[0, 2, 1, 3])
    return g.add("Reshape", [context, g.keep(np.array([0, 0, width], np.int64))])


def build(fused):
    """The encoder: ids [1, n] to the mean of the last hidden state [1, hidden], before it is scaled to length 1."""
    config = json.loads((FOLDER / "config.json").read_text())
    assert config["model_type"] == "bert" and config["hidden_act"] == "gelu", config
    weights = {name.removeprefix("bert."): x for name, x in load_file(FOLDER / "model.safetensors").items()}
    g = Graph(weights)
    epsilon, width, heads = config["layer_norm_eps"], config["hidden_size"], config["num_attention_heads"]
    word = g.add("Gather", [g.keep(weights["embeddings.word_embeddings.weight"]), "ids"])
    place = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    n = g.add("Shape", ["ids"], start=1, end=2)
    zero, axis = g.keep(np.array([0], np.int64)), g.keep(np.array([0], np.int64))
    x = g.add("Add", [word, g.add("Slice", [g.keep(place), zero, n, axis])])
    x = g.norm(x, "embeddings.LayerNorm", epsilon)
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        context = attention(g, x, at, heads, width, fused)
        y = g.dense(context, f"{at}.attention.output.dense", not fused)
        x = g.add_and_norm(x, y, f"{at}.attention.output.LayerNorm", epsilon, fused, f"{at}.attention.output.dense.bias")
        if fused:
            inner = g.dense(x, f"{at}.intermediate.dense", False)
            inner = g.add("BiasGelu", [inner, g.keep(weights[f"{at}.intermediate.dense.bias"])], "com.microsoft")
        else:
            inner = g.add("Gelu", [g.dense(x, f"{at}.intermediate.dense")])
        y = g.dense(inner, f"{at}.output.dense", not fused)
        x = g.add_and_norm(x, y, f"{at}.output.LayerNorm", epsilon, fused, f"{at}.output.dense.bias")
    mean = g.add("ReduceMean", [x, g.keep(np.array([1], np.int64))], keepdims=0)
    graph = helper.make_graph(
        g.nodes,
        "minilm",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "n"])],
        [helper.make_tensor_value_info(mean, TensorProto.FLOAT, [1, width])],
        g.initializers,
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    if not fused:
        onnx.checker.check_model(model)
    return model.SerializeToString()


def session(model, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def texts(n):
    """Texts of n tokens with their ids: every word is one entry of the vocabulary."""
    vocabulary = (FOLDER / "vocab.txt").read_text().split("\n")
    words = [i for i, word in enumerate(vocabulary) if len(word) > 2 and word.isascii() and word.isalpha()]
    chosen = [[words[(t * 977 + 31 * i) % len(words)] for i in range(n - 2)] for t in range(TEXTS)]
    first, last = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
    return [" ".join(vocabulary[i] for i in ids) for ids in chosen], [[first, *ids, last] for ids in chosen]


def ours(ceas, lines, threads):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(lines))
        file.flush()
        command = [ceas, "run", "--model", FOLDER, "--task", "embed", "--text-file", file.name, "--json"]
        command += ["--on", "norm", "--repeats", "1", "--threads", str(threads)]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return answer["exact"]["seconds"] / len(lines), answer["exact"]["embeddings"], answer["tokens"]


def theirs(run, ids):
    inputs = [{"ids": np.array([row], np.int64)} for row in ids]
    run.run(None, inputs[0])
    clock = time.perf_counter()
    outputs = [run.run(None, x)[0][0] for x in inputs]
    return (time.perf_counter() - clock) / len(ids), outputs


def main():
    ceas = sys.argv[1] if len(sys.argv) > 1 else "target/release/ceas"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    graphs = {"plain": build(False), "fused": build(True)}
    print(f"onnxruntime {ort.__version__}; ms per text, medians of {rounds} rounds of {TEXTS} texts; in brackets the fastest round")
    print("tokens threads         plain         fused          ceas  ceas/faster  largest difference")
    for threads in (1, 2):
        runs = {name: session(graph, threads) for name, graph in graphs.items()}
        for n in (16, 128, 256):
            lines, ids = texts(n)
            times = {name: [] for name in (*runs, "ceas")}
            worst = 0.0
            for _ in range(rounds):
                answers = {}
                for name, run in runs.items():
                    seconds, answers[name] = theirs(run, ids)
                    times[name].append(seconds)
                seconds, embeddings, tokens = ours(ceas, lines, threads)
                assert tokens == n * TEXTS, f"{tokens} tokens where {n * TEXTS} were meant"
                times["ceas"].append(seconds)
                for answer in answers.values():
                    for a, b in zip(answer, embeddings):
                        worst = max(worst, np.abs(a / np.linalg.norm(a) - np.array(b)).max())
            assert worst < 1e-5, worst
            middle = {name: 1e3 * statistics.median(x) for name, x in times.items()}
            shown = "".join(f"{middle[name]:8.2f} ({1e3 * min(x):.1f})" for name, x in times.items())
            ratio = middle["ceas"] / min(middle["plain"], middle["fused"])
            print(f"{n:6} {threads:7} {shown}  {ratio:11.2f}  {worst:.1e}", flush=True)


main()
