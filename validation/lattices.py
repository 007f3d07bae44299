"""Graphs of others' packages, as the numbers that sim/tests/lattices.rs asserts.

usage: lattices.py      needs numpy, dwave-networkx, hypertiling (pip)

Chimera, Pegasus and Zephyr: sites, couplers and an FNV-1a hash of D-Wave's own numbering by dwave-networkx. Hyperbolic tilings: the
polygons of hypertiling, all that touch the patch layer by layer, their corners merged: vertices, edges, degrees.
"""

from collections import Counter

import dwave_networkx as dnx
import numpy as np
from hypertiling import HyperbolicTiling


def fingerprint(graph):
    """As `fingerprint` in sim/tests/lattices.rs: the sorted labels, then the sorted bonds, 32 bits each, little-endian."""
    bonds = sorted((min(a, b), max(a, b)) for a, b in graph.edges)
    words = sorted(graph.nodes) + [x for bond in bonds for x in bond]
    value = 0xCBF29CE484222325
    for byte in np.array(words, dtype="<u4").tobytes():
        value = (value ^ byte) * 0x0000_0100_0000_01B3 % 2**64
    return graph.number_of_nodes(), graph.number_of_edges(), f"{value:#018x}"


def corners(p, q, layers):
    """Vertices, edges and (degree, how many) of the patch, and vertices by the first layer that has them."""
    tiling = HyperbolicTiling(p, q, layers, kernel="SRS")
    known, edges, first = {}, set(), Counter()
    # Polygons by layer, so that a corner belongs to the first that has it.
    for cell in sorted(range(len(tiling)), key=tiling.get_layer):
        ring = []
        for z in np.asarray(tiling.get_vertices(cell)):
            key = (round(z.real * 1e6), round(z.imag * 1e6))
            near = [(key[0] + a, key[1] + b) for a in (0, -1, 1) for b in (0, -1, 1)]
            found = next((known[k] for k in near if k in known), None)
            if found is None:
                found = known[key] = len(known)
                first[int(tiling.get_layer(cell))] += 1
            ring.append(found)
        edges |= {frozenset(pair) for pair in zip(ring, ring[1:] + ring[:1])}
    degree = Counter(v for edge in edges for v in edge)
    return len(known), len(edges), sorted(Counter(degree.values()).items()), [first[k] for k in sorted(first)]


for shape in [(1, 1, 4), (4, 4, 4), (16, 16, 4), (3, 2, 5)]:
    print("chimera", shape, *fingerprint(dnx.chimera_graph(*shape)))
for m in [2, 3, 6, 16]:
    print("pegasus", m, *fingerprint(dnx.pegasus_graph(m)))
for shape in [(1, 4), (4, 4), (15, 4), (2, 3), (3, 1)]:
    print("zephyr", shape, *fingerprint(dnx.zephyr_graph(*shape)))
for shape in [(5, 4, 1), (5, 4, 2), (5, 4, 4), (7, 3, 5), (3, 7, 2), (3, 7, 4), (3, 8, 3), (4, 5, 4), (6, 4, 3), (8, 3, 4)]:
    print("hyperbolic", shape, *corners(*shape))
