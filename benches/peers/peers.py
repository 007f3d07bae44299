"""The peers, each as a function of a number of sweeps. A rate is a slope: the call is timed at two numbers of sweeps, and the difference
counts, so that building a model, converting a graph and compiling are left out. All run on one core."""
import os
import time

for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON"):
    os.environ.setdefault(name + "_NUM_THREADS", "1")

import dimod
import mcising
import numba
import numpy as np
import openjij
import peapods
from dwave.samplers import SimulatedAnnealingSampler

BETA_C = np.log(1 + np.sqrt(2)) / 2


def clock(run, sweeps):
    begin = time.perf_counter()
    run(sweeps)
    return time.perf_counter() - begin


def slope(run, spins, low, high, repeats=3):
    """Spins times sweeps per nanosecond, from the medians at two numbers of sweeps."""
    run(low)
    short = np.median([clock(run, low) for _ in range(repeats)])
    long = np.median([clock(run, high) for _ in range(repeats)])
    # On a busy machine the longer call may seem the shorter one: then there is no rate.
    return spins * (high - low) / (long - short) / 1e9 if long > short else float("nan")


# mcising

def mcising_sweeps(lattice, length, beta, update, low, high):
    simulation = mcising.IsingSimulation(length, 1.0, 0.0, 0.0, 0.0, 7, update, lattice)
    run = lambda sweeps: simulation.sweep(sweeps, temperature=1 / beta)
    run(5 if update != "metropolis" else 50)
    return lambda: slope(run, simulation.num_sites, low, high)


def mcising_wolff(length, clusters):
    simulation = mcising.IsingSimulation(length, 1.0, 0.0, 0.0, 0.0, 7, "wolff", "square")
    simulation.set_spins(np.ones(simulation.get_spins().shape, np.int8))
    simulation.sweep(200, temperature=1 / BETA_C)

    def rate():
        begin = time.perf_counter()
        flipped = simulation.sweep(clusters, temperature=1 / BETA_C)[0]
        return flipped / (time.perf_counter() - begin) / 1e9

    return rate


# numba, as a reader would write it

@numba.njit
def checkerboard(s, p, sweeps):
    size = s.shape[0]
    for _ in range(sweeps):
        for parity in range(2):
            for i in range(size):
                up = s[i - 1 if i else size - 1]
                down = s[i + 1 if i + 1 < size else 0]
                row = s[i]
                for j in range((i + parity) & 1, size, 2):
                    h = up[j] + down[j] + row[j - 1 if j else size - 1] + row[j + 1 if j + 1 < size else 0]
                    e = row[j] * h
                    if e <= 0 or np.random.random() < p[e]:
                        row[j] = -row[j]


@numba.njit
def cached_field(couplings, s, f, betas):
    n = s.shape[0]
    for beta in betas:
        for i in range(n):
            cost = 2.0 * s[i] * f[i]
            if cost <= 0 or np.random.random() < np.exp(-beta * cost):
                s[i] = -s[i]
                twice = 2.0 * s[i]
                row = couplings[i]
                for k in range(n):
                    f[k] += twice * row[k]


def numba_square(length, low, high):
    s = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (length, length))
    p = np.exp(-2 * BETA_C * np.arange(5))
    return lambda: slope(lambda sweeps: checkerboard(s, p, sweeps), length * length, low, high)


def normal(n):
    upper = np.triu(np.random.default_rng(0).standard_normal((n, n)) / np.sqrt(n), 1)
    return (upper + upper.T).astype(np.float32)


def signs(n):
    upper = np.triu(np.random.default_rng(0).choice([-1.0, 1.0], (n, n)) / np.sqrt(n), 1)
    return (upper + upper.T).astype(np.float32)


def numba_dense(couplings, betas, low, high):
    n = len(couplings)
    start = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), n)

    def run(sweeps):
        s = start.copy()
        cached_field(couplings, s, couplings @ s, np.geomspace(*betas, sweeps).astype(np.float32))

    return lambda: slope(run, n, low, high)


# D-Wave and OpenJij: their energies have the other sign

def model_of(n, a, b, j):
    return dimod.BinaryQuadraticModel.from_numpy_vectors(np.zeros(n), (a, b, -np.asarray(j, float)), 0.0, "SPIN")


def torus(length):
    i = np.arange(length * length).reshape(length, length)
    ends = np.concatenate([np.roll(i, -1, 1).ravel(), np.roll(i, -1, 0).ravel()])
    return np.concatenate([i.ravel(), i.ravel()]), ends


def six_regular(n):
    rng = np.random.default_rng(0)
    pairs = set()
    for _ in range(3):
        order = rng.permutation(n)
        pairs.update((min(a, b), max(a, b)) for a, b in zip(order.tolist(), np.roll(order, 1).tolist()))
    ends = np.array(sorted(pairs))
    return ends[:, 0], ends[:, 1]


def dwave(model, betas, low, high):
    sampler = SimulatedAnnealingSampler()

    def run(sweeps):
        if betas[0] == betas[1]:
            sampler.sample(model, num_reads=1, num_sweeps=sweeps, num_sweeps_per_beta=sweeps,
                           beta_schedule_type="custom", beta_schedule=[betas[0]], seed=7)
        else:
            sampler.sample(model, num_reads=1, num_sweeps=sweeps, beta_range=betas, seed=7)

    return lambda: slope(run, model.num_variables, low, high)


def open_jij(model, betas, sparse, low, high):
    sampler = openjij.SASampler()
    run = lambda sweeps: sampler.sample(model, num_reads=1, num_sweeps=sweeps, beta_min=betas[0],
                                        beta_max=betas[1], sparse=sparse, seed=7)
    return lambda: slope(run, model.num_variables, low, high)


def peapods_sweeps(shape, couplings, beta, low, high):
    model = peapods.Ising(shape, couplings=couplings, temperatures=np.array([1 / beta]))
    run = lambda sweeps: model.sample(sweeps, sweep_mode="metropolis", sequential=True, warmup_ratio=0.9)
    return lambda: slope(run, int(np.prod(shape)), low, high)


def cases():
    """By row of the table: the peers by name, each a function that measures once. Sizes are those at which the peer is fastest, or
    nearly so; they do not have to be ours."""
    a, b = torus(128)
    ferro = model_of(128 * 128, a, b, np.ones(len(a)))
    glass = model_of(128 * 128, a, b, np.random.default_rng(1).choice([-1.0, 1.0], len(a)))
    a, b = six_regular(100_000)
    sparse = model_of(100_000, a, b, np.random.default_rng(1).choice([-1.0, 1.0], len(a)))
    gaussian, binary = normal(1024), signs(1024)
    a, b = np.triu_indices(1024, 1)
    sk, sk_signs = model_of(1024, a, b, gaussian[a, b]), model_of(1024, a, b, binary[a, b])
    return {
        "square": {
            "mcising": mcising_sweeps("square", 512, BETA_C, "metropolis", 10, 210),
            "numba": numba_square(512, 10, 90),
            "peapods": peapods_sweeps((128, 128), "ferro", BETA_C, 100, 1100),
            "dwave-samplers": dwave(ferro, (BETA_C, BETA_C), 100, 1100),
            "openjij": open_jij(ferro, (BETA_C, BETA_C), True, 20, 520),
        },
        "square ±J": {
            "peapods": peapods_sweeps((128, 128), "bimodal", 1.0, 100, 1100),
            "dwave-samplers": dwave(glass, (1.0, 1.0), 100, 1100),
        },
        "cubic": {
            "mcising": mcising_sweeps("cubic", 32, 0.221654626, "metropolis", 50, 1050),
            "peapods": peapods_sweeps((32, 32, 32), "ferro", 0.221654626, 50, 350),
        },
        "6-regular ±J": {"dwave-samplers": dwave(sparse, (0.5, 0.5), 5, 45)},
        "complete ±J": {
            "numba": numba_dense(binary, (0.5, 1.5), 100, 1100),
            "dwave-samplers": dwave(sk_signs, (0.5, 1.5), 50, 350),
        },
        "complete normal": {
            "numba": numba_dense(gaussian, (0.1, 5.0), 100, 2100),
            "dwave-samplers": dwave(sk, (0.1, 5.0), 50, 350),
            "openjij": open_jij(sk, (0.1, 5.0), False, 50, 550),
        },
        "swendsen-wang": {"mcising": mcising_sweeps("square", 1024, BETA_C, "swendsen_wang", 2, 12)},
        "wolff": {"mcising": mcising_wolff(1024, 40)},
    }
