"""Random blocks of every quantised format that is read, and their weights by the PyPI package gguf (0.19.0).

    python validation/golden/quantised_blocks.py > mapping/tests/data/quantised_blocks.json
"""

import json

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.quants import dequantize

SIZES = {"Q8_0": (34, [0]), "Q4_0": (18, [0]), "Q4_1": (20, [0, 2]), "Q5_0": (22, [0]), "Q5_1": (24, [0, 2]),
         "Q4_K": (144, [0, 2]), "Q6_K": (210, [208])}
rng = np.random.default_rng(0)
answer = {}
for name, (size, scales) in SIZES.items():
    blocks = rng.integers(0, 256, (2 if name.endswith("K") else 6, size), dtype=np.uint8)
    for at in scales:  # a finite scale where the format keeps one
        blocks[:, at:at + 2] = rng.normal(0, 0.1, len(blocks)).astype(np.float16).view(np.uint8).reshape(-1, 2)
    weights = dequantize(blocks, T[name]).astype(np.float32).ravel()
    answer[name] = {"bytes": blocks.ravel().tolist(), "weights": [float(w) for w in weights]}
print(json.dumps(answer, separators=(",", ":")))
