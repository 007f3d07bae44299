"""Golden vectors of SmolLM2-135M-Instruct from an independent program: llama.cpp, through the PyPI package cyllama.

The Q4_1 and Q8_0 tensors are first converted to F32 with the PyPI package gguf (the arithmetic of llama.cpp on quantised
weights rounds activations to 8 bits, which is worth 1e-2 in a logit), attention is not fused, and the KV cache is F32.

    pip install cyllama==0.2.18 gguf==0.19.0 numpy
    python validation/golden/smollm2.py .tools/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf > mapping/tests/data/smollm2_golden.json
"""

import json
import os
import sys
import tempfile

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize

PROMPTS = [
    "The second law of thermodynamics says that",
    "<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n<|im_start|>assistant\n",
]


def to_f32(source, target):
    """The same model with every tensor in F32."""
    reader = GGUFReader(source)
    writer = GGUFWriter(target, "llama")
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        kind = field.types[0]
        sub = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, sub_type=sub)
    for tensor in reader.tensors:
        data = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, data, raw_dtype=GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(source, text_file):
    import cyllama.llama.llama_cpp as llama

    llama.disable_logging()
    text = open(text_file, encoding="utf8").read().strip()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "f32.gguf")
        to_f32(source, path)
        params = llama.LlamaModelParams()
        params.n_gpu_layers = 0

        class Model(llama.LlamaModel):
            # LlamaContext.get_logits_ith of cyllama 0.2.18 asks for this attribute, which the class lacks.
            n_vocab = 49152

        model = Model(path, params)
        vocab = model.get_vocab()
        assert vocab.n_vocab == Model.n_vocab

        def logits(ids):
            """Logits of every position."""
            p = llama.LlamaContextParams()
            p.n_ctx = 1024
            p.n_batch = 1024
            p.n_ubatch = 1024
            p.type_k = 0
            p.type_v = 0
            p.flash_attn_type = 0
            p.n_threads = p.n_threads_batch = 2
            context = llama.LlamaContext(model, p)
            batch = llama.LlamaBatch(n_tokens=len(ids), embd=0, n_seq_max=1)
            batch.set_batch(ids, n_past=0, logits_all=True)
            context.decode(batch)
            return np.array([context.get_logits_ith(i) for i in range(len(ids))], np.float64)

        def tokens(string):
            return list(vocab.tokenize(string, add_special=False, parse_special=True))

        answer = {"program": f"llama.cpp (ggml {llama.ggml_version()}) through cyllama 0.2.18, weights converted to F32 with gguf 0.19.0",
                  "prompts": [], "text": {}}
        for prompt in PROMPTS:
            ids = tokens(prompt)
            last = logits(ids)[-1]
            top = np.argsort(-last)[:8].tolist()
            spread = [(i * 769) % len(last) for i in range(64)]
            chosen = top + spread
            answer["prompts"].append({"text": prompt, "ids": ids, "top": top, "at": chosen,
                                      "logits": [round(float(last[i]), 6) for i in chosen]})
        ids = tokens(text)
        all_logits = logits(ids)[:-1]
        peak = all_logits.max(-1, keepdims=True)
        ln_z = np.log(np.exp(all_logits - peak).sum(-1)) + peak[:, 0]
        nll = ln_z - all_logits[np.arange(len(ids) - 1), ids[1:]]
        answer["text"] = {"file": "data/maxwell.txt", "ids": ids, "mean_nll": float(nll.mean()),
                          "nll": [round(float(x), 6) for x in nll]}
        print(json.dumps(answer, separators=(",", ":")))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "data/maxwell.txt")
