"""thrml (Extropic, JAX) on the categorical model of benches/potts.rs: every (head, query) of layer 2 of the bundled heads is one categorical
variable with a state per key and the unary weights beta0 q.k; one block Gibbs sweep draws all of them.

    python3 -m venv env && env/bin/pip install thrml
    env/bin/python benches/peers/thrml_potts.py                # thrml, one thread
    cargo bench --bench potts                                  # ours, one thread

Time per draw is the slope between two numbers of sweeps, so that compiling and set-up are left out; minimum over repeats."""
import json, os, struct, sys, time
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
import numpy as np, jax, jax.numpy as jnp
from thrml import Block, BlockGibbsSpec, CategoricalNode, FactorSamplingProgram, SamplingSchedule, sample_states
from thrml.models import CategoricalEBMFactor, CategoricalGibbsConditional

here = os.path.dirname(os.path.abspath(__file__))
raw = open(os.path.join(here, "../../data/minilm_maxwell.safetensors"), "rb").read()
size = struct.unpack("<Q", raw[:8])[0]
head = json.loads(raw[8:8 + size])


def tensor(name):
    t = head[name]
    kind = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}.get(t["dtype"])
    a, b = t["data_offsets"]
    part = raw[8 + size + a:8 + size + b]
    if t["dtype"] == "BF16":
        return (np.frombuffer(part, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(t["shape"])
    return np.frombuffer(part, kind).reshape(t["shape"]).astype(np.float64)


q, k = tensor("q")[2].astype(np.float64), tensor("k")[2].astype(np.float64)
scores = np.einsum("hid,hjd->hij", q, k) / np.sqrt(q.shape[-1])
n = scores.shape[-1]
scores = scores.reshape(-1, n)
p = np.exp(scores - scores.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)

nodes = [CategoricalNode() for _ in range(len(scores))]
block = Block(nodes)
factor = CategoricalEBMFactor([block], jnp.asarray(scores, jnp.float32))
program = FactorSamplingProgram(BlockGibbsSpec([block], []), [CategoricalGibbsConditional(n)], [factor], [])
start = [jnp.zeros(len(nodes), jnp.uint8)]
compiled = {}


def run(sweeps, seed=0):
    if sweeps not in compiled:
        schedule = SamplingSchedule(n_warmup=sweeps - 1, n_samples=1, steps_per_sample=1)
        compiled[sweeps] = jax.jit(lambda key: sample_states(key, program, schedule, start, [], [block]))
    jax.block_until_ready(compiled[sweeps](jax.random.key(seed)))


lo, hi = 20, 220
run(lo), run(hi)
clock = lambda f: (lambda t: (f(), time.perf_counter() - t)[1])(time.perf_counter())
slopes = sorted(clock(lambda: run(hi)) - clock(lambda: run(lo)) for _ in range(5))
draws = len(nodes) * (hi - lo)
keep = SamplingSchedule(n_warmup=0, n_samples=256, steps_per_sample=1)
seen = np.asarray(jax.jit(lambda key: sample_states(key, program, keep, start, [], [block]))(jax.random.key(1))[0])
counts = np.stack([(seen == j).sum(0) for j in range(n)], 1)
tv = 0.5 * np.abs(counts / len(seen) - p).sum()
expected = np.sqrt(p * (1 - p) / (2 * np.pi * len(seen))).sum()
print("thrml %s, jax %s | %d clusters of %d states | %.1f ns per draw (median of 5 slopes; min %.1f, max %.1f) | total variation over its expectation %.3f"
      % (__import__("importlib.metadata").metadata.version("thrml"), jax.__version__, len(nodes), n, 1e9 * slopes[2] / draws, 1e9 * slopes[0] / draws, 1e9 * slopes[4] / draws, tv / expected))
