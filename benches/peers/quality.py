"""Best values at equal time: ceas anneal beside the simulated annealing and tabu search of dwave-samplers.

usage: quality.py CEAS FOLDER [NAME…]      needs numpy, dimod, dwave-samplers (pip)

FOLDER holds G1.txt G22.txt G39.txt (the G-set of Ye) and t3g7_5555.mc, ising2.5-300_5555.mc, … (Biq Mac, Liers), in the format
`n m`, then `i j w`; files that are missing are left out. The Gaussian SK instance is made here. Every solver runs on one
thread for about the seconds stated: the number of reads of dwave-samplers follows from the time of one read, ceas gets --time.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler, TabuSampler

CEAS, FOLDER = sys.argv[1], Path(sys.argv[2])
WANTED = sys.argv[3:]
# Name of the file, seconds, best known cut (energy per spin for SK) and whose it is.
CASES = [
    ("G1.txt", 0.3, 11624, "G-set literature"),
    ("G22.txt", 1.0, 13359, "G-set literature"),
    ("G39.txt", 1.0, 2408, "G-set literature"),
    ("t3g7_5555.mc", 1.0, 28302918, "Biq Mac, optimal"),
    ("t3g7_6666.mc", 1.0, 33611981, "Biq Mac, optimal"),
    ("ising2.5-300_5555.mc", 4.0, 8579363, "Biq Mac, optimal"),
    ("ising2.5-300_6666.mc", 4.0, 9102033, "Biq Mac, optimal"),
    ("sk512.edges", 4.0, -0.7556402295, "tabu, 6 of 6 seeds"),
]


def sk(path, n=512, seed=0):
    """Gaussian couplings of variance 1/n, the upper triangle of a matrix drawn row by row."""
    j = np.triu(np.random.default_rng(seed).standard_normal((n, n)) / np.sqrt(n), 1)
    lines = [f"{a} {b} {float(j[a, b])!r}\n" for a in range(n) for b in range(a + 1, n)]
    path.write_text(f"# sites {n}\n" + "".join(lines))


def read(path):
    """(n, i, j, w) with w added to the energy."""
    if path.suffix == ".edges":
        d = np.loadtxt(path)
        return int(d[:, :2].max()) + 1, d[:, 0].astype(int), d[:, 1].astype(int), -d[:, 2]
    n = int(path.read_text().split(maxsplit=1)[0])
    d = np.loadtxt(path, skiprows=1, usecols=(0, 1, 2))
    return n, d[:, 0].astype(int) - 1, d[:, 1].astype(int) - 1, d[:, 2]


def show(name, solver, seconds, values, best, better):
    top = better(values)
    gap = abs(top - best) / abs(best)
    text = f"{top:.10f}" if isinstance(best, float) else f"{top:.0f}"
    hits = sum(abs(v - top) <= 1e-9 * abs(top) for v in values)
    print(f"{name:22} {solver:26} {seconds:6.2f} s  {text:>14}  {100 * gap:8.4f} %  {hits}/{len(values)}", flush=True)


def main():
    print(f"load {os.getloadavg()[0]:.2f}; one thread each; best value, distance to the best known, reads that met it")
    sk(FOLDER / "sk512.edges")
    for file, limit, best, whose in CASES:
        path = FOLDER / file
        name = path.stem
        if not path.exists() or (WANTED and name not in WANTED):
            continue
        n, i, j, w = read(path)
        bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(np.zeros(n), (i, j, w), 0.0, "SPIN")
        cut = isinstance(best, int)
        value = (lambda e: (w.sum() - e) / 2) if cut else (lambda e: e / n)
        better = max if cut else min
        print(f"{name}: best known {best} ({whose})")
        for method in ["sa", "pt", "pt-icm"]:
            out = subprocess.run(
                [CEAS, "anneal", path, "--method", method, "--time", str(limit), "--threads", "1", "--json"],
                capture_output=True, text=True)
            if out.returncode:
                print(f"{name:22} {'ceas ' + method:26} refused: {out.stderr.strip()[:60]}…")
                continue
            d = json.loads(out.stdout)
            scale = 1 if cut else 1 / n
            values = [v * scale for v in d["values"]] or [d["best"] * scale]
            values.append(d["best"] * scale) if better(values) != d["best"] * scale else None
            show(name, f"ceas {method}, {d['sweeps']} sweeps", d["seconds"], values, best, better)
        for sweeps in [1_000, 10_000]:
            sampler = SimulatedAnnealingSampler()
            begun = time.perf_counter()
            sampler.sample(bqm, num_reads=1, num_sweeps=sweeps, seed=0)
            reads = max(1, int(limit / (time.perf_counter() - begun)))
            begun = time.perf_counter()
            found = sampler.sample(bqm, num_reads=reads, num_sweeps=sweeps, seed=1)
            seconds = time.perf_counter() - begun
            show(name, f"dwave sa, {sweeps} sweeps", seconds, list(value(found.record.energy)), best, better)
        begun = time.perf_counter()
        found = TabuSampler().sample(bqm, num_reads=1, timeout=int(1000 * limit), seed=1)
        show(name, "dwave tabu", time.perf_counter() - begun, list(value(found.record.energy)), best, better)


main()
