"""Measures the peers and ceas in turn, round after round, and prints one table. See the file run beside this one."""
import datetime
import json
import os
import statistics
import subprocess
import sys

if hasattr(os, "sched_setaffinity"):
    # One core for everybody, the last one; ceas inherits it.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import peers

# Row: what ceas is asked for, and which line of its answer is meant (without the size).
OURS = {
    "square": ("square 4096", "multi-spin sites"),
    "square ±J": ("square 4096 ±J", "multi-spin sites"),
    "cubic": ("cubic 256", "multi-spin sites"),
    "6-regular ±J": ("6-regular ±J 100000", "sparse replicas"),
    "complete ±J": ("complete ±J 1024", "dense replicas"),
    "complete normal": ("complete normal 1024", "cached f32 fields"),
    "swendsen-wang": ("square 1024", "clusters", "swendsen-wang"),
    "wolff": ("square 1024", "clusters", "wolff"),
}


def load():
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except OSError:
        return "unknown"


def processor():
    try:
        with open("/proc/cpuinfo") as text:
            return next(line.split(": ")[1].strip() for line in text if line.startswith("model name"))
    except (OSError, StopIteration):
        return "unknown processor"


def ours(row):
    """The best instruction set's line of a row."""
    work, kernel, *update = OURS[row]
    only = update[0] if update else f"{work} {kernel} metropolis"
    command = [os.environ["CEAS"], "bench", "engine", "--seconds", "0.5", "--threads", "1", "--json", "--only", only]
    lines = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["lines"]
    lines = [line for line in lines if line["kernel"] == kernel and line["work"] == work]
    return max(lines, key=lambda line: line["attempts_per_ns"])


def main():
    rounds = int(sys.argv[1])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    before = load()
    cases = peers.cases()
    rates = {row: {name: [] for name in [*of_row, "ceas"]} for row, of_row in cases.items()}
    level = {}
    for _ in range(rounds):
        for row, of_row in cases.items():
            for name, measure in of_row.items():
                rates[row][name].append(measure())
            line = ours(row)
            rates[row]["ceas"].append(line["attempts_per_ns"])
            level[row] = line["level"]
    print(f"{processor()}, one core; {datetime.date.today()}; commit {commit or 'unknown'}; "
          f"load {before} before, {load()} after; medians of {rounds} rounds")
    print("attempts per ns (swendsen-wang: sites decided; wolff: sites flipped); ceas at its best instruction set\n")
    print(f"{'row':16} {'who':16} {'median':>9} {'low':>9} {'high':>9} {'ceas is':>9}")
    rates = {row: {name: [x for x in values if x == x] or [0.0] for name, values in of_row.items()}
             for row, of_row in rates.items()}
    for row, of_row in rates.items():
        middle = {name: statistics.median(values) for name, values in of_row.items()}
        winner = max(middle, key=middle.get)
        for name in sorted(middle, key=middle.get, reverse=True):
            values = of_row[name]
            ratio = "" if name == "ceas" or middle[name] == 0 else f"{middle['ceas'] / middle[name]:.1f} ×"
            note = "  wins" if name == winner else ""
            who = f"ceas, {level[row]}" if name == "ceas" else name
            print(f"{row:16} {who:16} {middle[name]:9.4f} {min(values):9.4f} {max(values):9.4f} {ratio:>9}{note}")
    lost = [row for row, of_row in rates.items()
            if max(of_row, key=lambda name: statistics.median(of_row[name])) != "ceas"]
    print("\nrows that a peer wins: " + (", ".join(lost) or "none"))


main()
