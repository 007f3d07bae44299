#!/usr/bin/env python3
"""Are the errors of `ceas sweep` honest? Many seeds, and how many of its own errors each result is off.

    cargo build --release && python3 validation/pulls.py target/release/ceas --seeds 40

For every lattice the same short command is run with seeds 1, 2, 3, …, all of which count. If errors are right, the pulls
(beta_c - literature)/error have mean 0 and width 1, within 1/sqrt(n) and 1/sqrt(2n) each; a width below 1 means that errors are
larger than they need be, as where the systematic part, which is a bound and not a scatter, has a share. The second width is that of
statistical errors alone, about the mean of all seeds.
"""
import argparse
import json
import math
import subprocess

CASES = {
    "square": ["--sizes", "8,16,32"],
    "triangular": ["--sizes", "8,16,32"],
    "honeycomb": ["--sizes", "8,16,32"],
    "cubic": ["--sizes", "6,8,12"],
    "complete": ["--sizes", "64,128,256"],
    "regular:q=3": ["--sizes", "128,256,512"],
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ceas")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--sweeps", default="200")
    parser.add_argument("--lattices", default=",".join(CASES))
    options = parser.parse_args()
    print("lattice       seeds  mean pull    width of pulls  width, statistical alone  largest  median error")
    for lattice in options.lattices.split(","):
        results = []
        for seed in range(1, options.seeds + 1):
            command = [options.ceas, "sweep", "--lattice", lattice, "--sweeps", options.sweeps, "--json", "--seed", str(seed)]
            done = subprocess.run(command + CASES[lattice], capture_output=True, check=True)
            results.append(json.loads(done.stdout)["beta_c"])
        if any(found is None for found in results):
            print(lattice, "not located:", sum(found is None for found in results), "of", len(results))
            results = [found for found in results if found is not None]
        n = len(results)
        pulls = [found["sigmas"] for found in results]
        mean = sum(pulls) / n
        width = math.sqrt(sum(pull * pull for pull in pulls) / n)
        weights = [found["statistical"] ** -2 for found in results]
        centre = sum(w * found["mean"] for w, found in zip(weights, results)) / sum(weights)
        alone = math.sqrt(sum(w * (found["mean"] - centre) ** 2 for w, found in zip(weights, results)) / (n - 1))
        largest = max(pulls, key=abs)
        median = sorted(found["error"] for found in results)[n // 2]
        print(
            f"{lattice:13} {n:5}  {mean:+.2f}({1 / math.sqrt(n):.2f})  {width:10.2f}({1 / math.sqrt(2 * n):.2f})"
            f"  {alone:18.2f}({1 / math.sqrt(2 * n):.2f})  {largest:+7.2f}  {median:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
