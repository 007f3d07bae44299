#!/bin/sh
# What sampling costs whole models: 1 − cos of sentence embeddings (all-MiniLM-L6-v2) and Δnll (SmolLM2-135M), by S and component.
# Some minutes. Needs tools/fetch-minilm, tools/fetch-smollm2, and `ceas` on the path or in $CEAS.
#
#   cargo build --release && CEAS=target/release/ceas validation/models.sh
set -eu
cd "$(dirname "$0")/.."
ceas=${CEAS:-ceas}
python=.tools/bin/python3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
head -16 validation/texts/texts.txt > "$scratch/sentences.txt"
tail -8 validation/texts/texts.txt > "$scratch/paragraphs.txt"

read_cosine='import json, sys
a = json.load(sys.stdin); S = a["samples"]["ffn" if a["on"] == ["ffn"] else "attention"]; c = a["cosine"]; r = a["rank_correlation"]
print("%-10s %-13s S=%-5d cos %.5f(%.5f)  c = %.3f(%.3f)  pairs %.4f" %
      (sys.argv[1], "+".join(a["on"]), S, c["mean"], c["error"], S * (1 - c["mean"]), S * c["error"], r["mean"]))'
for kind in sentences paragraphs; do
    for on in attention ffn attention,ffn; do
        for samples in 16 64 256 1024; do
            "$ceas" run --model .tools/minilm --task embed --text-file "$scratch/$kind.txt" --on "$on" \
                --samples "$samples" --repeats 8 --json | "$python" -c "$read_cosine" "$kind"
        done
    done
done

read_nll='import json, sys
a = json.load(sys.stdin); d = a["delta_nll"]; S = a["samples"]["ffn" if a["on"] == ["ffn"] else "attention"]
print("%-13s S=%-5d ppl %.3f -> %.3f  delta nll %+.4f(%.4f)  times S %.2f(%.2f)" % ("+".join(a["on"]), S,
      a["exact"]["perplexity"], a["substrate"]["perplexity"], d["mean"], d["error"], S * d["mean"], S * d["error"]))'
for on in attention ffn attention,ffn; do
    for samples in 16 64 256; do
        "$ceas" run --model .tools/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf --task perplexity --lines \
            --text-file "$scratch/paragraphs.txt" --on "$on" --samples "$samples" --repeats 4 --json |
            "$python" -c "$read_nll"
    done
done
