#!/usr/bin/env python3
"""Attention of PyTorch on the machine at hand, saved as a baseline that `ceas compare` and the model of `npu-model` read.

    python3 benches/gpu/attention_sdpa.py --save h100.toml                     # every backend that works, on the GPU
    python3 benches/gpu/attention_sdpa.py --device cpu --n 64,128 --save cpu.toml

For every backend of scaled_dot_product_attention (cuDNN, flash, efficient, math), and FlashAttention-3 if `flash_attn_interface` is
installed, and every length n: the output is compared with attention in float64 on the same inputs, then timed (CUDA events, or the
wall clock on a CPU), the median of the repeats stands. As the FlashAttention papers measure, batch * n = 16384 tokens and heads * d = 2048.
Operations are 4 n^2 d a head, half if causal.

Power: on NVIDIA parts board power is sampled every 20 ms while a kernel repeats for --power-seconds, and while idle before. The mean of
the samples in the second half of the run is saved, idle power INCLUDED, which is what the board draws; idle is printed and noted
beside it, so that whoever wants the difference can subtract it. nvidia-smi averages over some 100 ms: shorter runs mean nothing.
"""

import argparse
import datetime
import json
import math
import shlex
import shutil
import statistics
import subprocess
import sys
import threading
import time

TOKENS, WIDTH = 16384, 2048
PROGRAM = "benches/gpu/attention_sdpa.py"
# Largest relative error against float64 that rounding explains, by stored format.
ALLOWED = {"fp16": 4e-3, "fp32": 1e-4}


def text(value):
    """A TOML string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(str(value), ensure_ascii=True).replace("\x7f", "\\u007f")


def number(value):
    """A TOML float; what is not finite has no place in a baseline."""
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be saved")
    return repr(value)


def flops(n, d, heads, causal):
    """As papers count: 2 for a multiply-accumulate, masked pairs left out, the softmax not counted."""
    pairs = n * (n + 1) // 2 if causal else n * n
    return 4 * pairs * d * heads


class Power:
    """Board power in watts, sampled by nvidia-smi; nothing where there is none."""

    def __init__(self, index=0):
        self.index, self.tool = index, shutil.which("nvidia-smi")

    def query(self, fields):
        if self.tool is None:
            return None
        command = [self.tool, f"--id={self.index}", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return done.stdout.strip() if done.returncode == 0 and done.stdout.strip() else None

    def watts(self):
        try:
            return float(self.query("power.draw"))
        except (TypeError, ValueError):
            return None

    def clocks(self):
        row = self.query("clocks.sm,clocks.max.sm,clocks.mem,power.limit")
        if row is None:
            return None
        sm, most, memory, limit = [x.strip() for x in row.split(",")]
        return f"SM {sm} of {most} MHz, memory {memory} MHz, power limit {limit} W (after the run)"

    def while_running(self, work, seconds):
        """Mean watts over the second half of `seconds` of `work` repeated, or None."""
        if self.watts() is None:
            return None
        samples, stop = [], threading.Event()

        def sample():
            while not stop.is_set():
                drawn = self.watts()
                if drawn is not None:
                    samples.append((time.monotonic(), drawn))
                stop.wait(0.02)

        thread = threading.Thread(target=sample)
        begin = time.monotonic()
        thread.start()
        while time.monotonic() - begin < seconds:
            work()
        stop.set()
        thread.join()
        late = [watts for at, watts in samples if at - begin > seconds / 2]
        return statistics.fmean(late) if late else None


def backends(torch, device):
    """(name, attention) pairs; attention(q, k, v, causal) on [batch, heads, n, d]."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def sdpa(backend):
        def run(q, k, v, causal):
            with sdpa_kernel(backend):
                return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

        return run

    names = [("SDPA cuDNN", "CUDNN_ATTENTION"), ("SDPA flash", "FLASH_ATTENTION")]
    names += [("SDPA efficient", "EFFICIENT_ATTENTION"), ("SDPA math", "MATH")]
    found = [(name, sdpa(getattr(SDPBackend, key))) for name, key in names if hasattr(SDPBackend, key)]
    if device == "cuda":
        try:
            from flash_attn_interface import flash_attn_func

            def third(q, k, v, causal):
                out = flash_attn_func(*(x.transpose(1, 2).contiguous() for x in (q, k, v)), causal=causal)
                return (out[0] if isinstance(out, tuple) else out).transpose(1, 2)

            found.insert(0, ("FlashAttention-3", third))
        except ImportError:
            print("flash_attn_interface is not installed: FlashAttention-3 is left out", file=sys.stderr)
    return found


def timed(torch, device, work, repeats):
    """Seconds of one run, for every repeat; short work is repeated within."""

    def once(times):
        if device == "cuda":
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            for _ in range(times):
                work()
            end.record()
            torch.cuda.synchronize()
            return begin.elapsed_time(end) * 1e-3 / times
        start = time.perf_counter()
        for _ in range(times):
            work()
        return (time.perf_counter() - start) / times

    work()
    first = max(once(1), 1e-7)
    times = min(max(1, math.ceil(2e-3 / first)), 1000)
    return sorted(once(times) for _ in range(repeats))


def relative_error(torch, attention, q, k, v, causal):
    """Against float64 on the same inputs; the first head of the first sequence where all would not fit."""
    out = attention(q, k, v, causal)[:1, :1].double()
    q, k, v = (x[:1, :1].double() for x in (q, k, v))
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(hidden, float("-inf"))
    exact = scores.softmax(-1) @ v
    return ((out - exact).norm() / exact.norm()).item()


def measure(torch, options, name, attention, power):
    """All lengths of one backend and mask: rows (n, median, shortest, longest, error, watts), or None if it does not work here."""
    dtype = torch.float16 if options.format == "fp16" else torch.float32
    rows = []
    for n in options.n:
        heads = max(1, WIDTH // options.d) if options.heads is None else options.heads
        batch = max(1, TOKENS // n) if options.batch is None else options.batch
        torch.manual_seed(options.seed)
        q, k, v = (torch.randn(batch, heads, n, options.d, dtype=dtype, device=options.device) for _ in range(3))
        try:
            error = relative_error(torch, attention, q, k, v, options.causal)
        except (RuntimeError, NotImplementedError) as why:
            print(f"{name}: {str(why).strip().splitlines()[0]}", file=sys.stderr)
            return None
        if not error < ALLOWED[options.format]:
            raise SystemExit(f"{name} at n = {n}: relative error {error:.2e} is no rounding; it is not timed")
        times = timed(torch, options.device, lambda: attention(q, k, v, options.causal), options.repeats)
        watts = power.while_running(lambda: attention(q, k, v, options.causal), options.power_seconds)
        rows.append((n, statistics.median(times), times[0], times[-1], error, watts, batch * heads))
        rate = flops(n, options.d, batch * heads, options.causal) / rows[-1][1]
        drawn = "" if watts is None else f"  {watts:.0f} W"
        print(f"{name:18} n = {n:6}  {rows[-1][1] * 1e3:9.3f} ms  {rate * 1e-12:8.2f} TFLOP/s  error {error:.1e}{drawn}")
    return rows


def baseline(options, machine, driver, backend, results, idle, clocks, threads):
    """The text of the file: schema 2 of the baselines of npu-model."""
    results = {name: rows for name, rows in results.items() if rows}
    if not results:
        raise SystemExit("no backend works on this machine: nothing was saved")

    def rate(name):
        n, seconds, *_, together = results[name][-1]
        return flops(n, options.d, together, options.causal) / seconds

    best = max(results, key=rate)
    drawn = [row[5] for row in results[best] if row[5] is not None]
    if drawn:
        power = f"nvidia-smi every 20 ms, mean of the second half of {options.power_seconds} s of {best}, idle included"
        power += "" if idle is None else f"; {idle:.0f} W when idle"
    else:
        power = "not metered: nvidia-smi gives no power here"
    command = shlex.join([PROGRAM] + options.words)
    cpu = options.device == "cpu"
    lines = ["schema = 2", f"id = {text(options.id)}"]
    lines += [f"name = {text(f'{machine}, {best}, measured')}", f'kind = "{"cpu" if cpu else "gpu"}"']
    lines += [f"kernel = {text(best)}", f"notes = [{text('measured by ' + PROGRAM + '; ' + power)}]", "", "[measurement]"]
    lines += [f"program = {text(PROGRAM)}", f"command = {text(command)}"]
    lines += [f'date = "{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}"', f"machine = {text(machine)}"]
    lines += [f"driver = {text(driver)}", f"backend = {text(backend)}"]
    lines += [f"clocks = {text(clocks)}"] if clocks else []
    lines += ['timer = "wall clock"' if cpu else 'timer = "CUDA events"']
    together = results[best][0][-1]
    lines += [f"repeats = {options.repeats}", f"heads = {together}", f"threads = {threads}"]
    worst = max(row[4] for rows in results.values() for row in rows)
    lines += [f"relative_error = {number(worst)}", f"power = {text(power)}", ""]
    if drawn:
        mean = statistics.fmean(drawn)
        low, high = min(drawn + [0.95 * mean]), max(drawn + [1.05 * mean])
        lines += ["[metered_w]", f"low = {number(low)}", f"mid = {number(mean)}", f"high = {number(high)}"]
        lines += ['evidence = "measured"', 'provenance = "measured"', f"source = {text(power)}", ""]
    for name, rows in results.items():
        slug = "".join(c if c.isalnum() else "_" for c in name.lower())
        mask = "causal" if options.causal else "noncausal"
        rates = [flops(n, options.d, t, options.causal) / s * 1e-12 for n, s, _, _, _, _, t in rows]
        low = min(median / longest for _, median, _, longest, *_ in rows)
        high = max(median / shortest for _, median, shortest, *_ in rows)
        lines += ["[[series]]", f'id = "{slug}_d{options.d}_{mask}"', 'role = "fit"', f"kernel = {text(name)}"]
        lines += [f'format = "{options.format}"', f"d_head = {options.d}", f"causal = {str(options.causal).lower()}"]
        lines += [f"seq = {[row[0] for row in rows]}", f"tflops = [{', '.join(number(r) for r in rates)}]"]
        lines += ["n_half = 0.0"] if len(rows) == 1 else []
        lines += [f"spread = [{number(min(low, 1.0))}, 1.0, {number(max(high, 1.0))}]", 'evidence = "measured"']
        lines += ['provenance = "measured"', f"source = {text(PROGRAM + ', ' + command)}", ""]
    return "\n".join(lines)


def arguments(words):
    def lengths(value):
        numbers = [int(x) for x in value.split(",")]
        if not numbers or min(numbers) < 1 or any(a >= b for a, b in zip(numbers, numbers[1:])):
            raise argparse.ArgumentTypeError("lengths >= 1 that rise are expected, such as 512,1024")
        return numbers

    def count(value):
        if int(value) < 1:
            raise argparse.ArgumentTypeError("at least 1 is expected")
        return int(value)

    def identifier(value):
        if not value or not value.replace("_", "").isalnum() or not value.isascii():
            raise argparse.ArgumentTypeError("letters, digits and underscores are expected")
        return value

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--n", type=lengths, default=lengths("512,1024,2048,4096,8192,16384"))
    parser.add_argument("--d", type=count, default=128)
    parser.add_argument("--heads", type=count, help="heads [default: 2048/d]")
    parser.add_argument("--batch", type=count, help="sequences [default: 16384/n]")
    parser.add_argument("--causal", action="store_true")
    parser.add_argument("--format", choices=["fp16", "fp32"], help="[default: fp16, on a CPU fp32]")
    parser.add_argument("--repeats", type=count, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--power-seconds", type=float, default=2.0)
    parser.add_argument("--id", type=identifier, help="[default: this_gpu, or this_cpu_torch]")
    parser.add_argument("--save", help="FILE.toml")
    options = parser.parse_args(words)
    options.words = words
    options.id = options.id or ("this_cpu_torch" if options.device == "cpu" else "this_gpu")
    options.format = options.format or ("fp32" if options.device == "cpu" else "fp16")
    return options


def main(words):
    options = arguments(words)
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("PyTorch sees no GPU: use --device cpu, or a machine with one")
    cpu = options.device == "cpu"
    power = Power()
    idle = None
    if cpu:
        power.tool, machine, driver = None, f"CPU, {torch.get_num_threads()} threads", "none"
    else:
        properties = torch.cuda.get_device_properties(0)
        machine = f"{properties.name}, {properties.multi_processor_count} multiprocessors"
        driver = f"CUDA {torch.version.cuda}, driver {power.query('driver_version') or 'unknown'}"
        torch.cuda.synchronize()
        time.sleep(1.0)
        idle = power.watts()
        print(f"{machine}; idle: {'unknown' if idle is None else f'{idle:.0f} W'}")
    results = {}
    for name, attention in backends(torch, options.device):
        results[name] = measure(torch, options, name, attention, power)
    backend = f"PyTorch {torch.__version__}"
    file = baseline(options, machine, driver, backend, results, idle, power.clocks(), torch.get_num_threads())
    if options.save:
        with open(options.save, "x", encoding="utf-8") as out:
            out.write(file)
        print(f"saved {options.save}")
    else:
        print(file)


if __name__ == "__main__":
    main(sys.argv[1:])
