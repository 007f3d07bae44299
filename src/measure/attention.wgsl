// Exact attention, tile by tile, with a running softmax; no matrix units, so that it runs on every adapter.
//
// A workgroup of 8 × 8 threads answers 32 queries of one head. It goes through the keys 32 at a time:
//   S = Q Kᵀ/√d, accumulated over chunks of 32 dimensions that all threads share;
//   m' = max(m, S), P = exp(S − m'), l = l exp(m − m') + ΣP;
//   O = O exp(m − m') + P V, again in chunks of 32 dimensions.
// A thread holds 4 rows of everything. The host writes the lines above this one: `Stored` (f32 or f16), WIDTH = d/4.

const ROWS: u32 = 32u;       // queries, and keys, of a tile
const CHUNK: u32 = 8u;       // vec4 in a chunk of dimensions
const STRIDE: u32 = 9u;      // a row of a shared chunk, one more than it holds: neighbours then lie in other banks
const SCORES: u32 = 33u;
const CHUNKS: u32 = (WIDTH + CHUNK - 1u) / CHUNK;
const HIDDEN: f32 = -3.0e38;

struct Shape {
    n: u32,
    causal: u32,
    scale: f32,
    unused: u32,
}

@group(0) @binding(0) var<storage, read> q: array<vec4<Stored>>;
@group(0) @binding(1) var<storage, read> k: array<vec4<Stored>>;
@group(0) @binding(2) var<storage, read> v: array<vec4<Stored>>;
@group(0) @binding(3) var<storage, read_write> o: array<vec4<Stored>>;
@group(0) @binding(4) var<uniform> shape: Shape;

var<workgroup> q_chunk: array<vec4<f32>, 288>;   // ROWS · STRIDE
var<workgroup> kv_chunk: array<vec4<f32>, 288>;
var<workgroup> p_tile: array<f32, 1056>;         // ROWS · SCORES
var<workgroup> row_part: array<f32, 256>;        // ROWS · 8

@compute @workgroup_size(8, 8, 1)
fn attend(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let tx = local.x;
    let ty = local.y;
    let thread = ty * 8u + tx;
    let n = shape.n;
    let first = group.x * ROWS;
    let head = group.y * n;

    var acc: array<vec4<f32>, ACC>;              // 4 · CHUNKS
    for (var i = 0u; i < 4u * CHUNKS; i++) {
        acc[i] = vec4<f32>(0.0);
    }
    var most = vec4<f32>(HIDDEN);
    var sum = vec4<f32>(0.0);

    var tiles = (n + ROWS - 1u) / ROWS;
    if (shape.causal != 0u) {
        tiles = min(tiles, group.x + 1u);
    }
    for (var tile = 0u; tile < tiles; tile++) {
        let start = tile * ROWS;
        var s0 = vec4<f32>(0.0);
        var s1 = vec4<f32>(0.0);
        var s2 = vec4<f32>(0.0);
        var s3 = vec4<f32>(0.0);
        for (var c = 0u; c < CHUNKS; c++) {
            for (var i = thread; i < ROWS * CHUNK; i += 64u) {
                let row = i / CHUNK;
                let col = c * CHUNK + i % CHUNK;
                var a = vec4<f32>(0.0);
                var b = vec4<f32>(0.0);
                if (col < WIDTH) {
                    if (first + row < n) {
                        a = vec4<f32>(q[(head + first + row) * WIDTH + col]);
                    }
                    if (start + row < n) {
                        b = vec4<f32>(k[(head + start + row) * WIDTH + col]);
                    }
                }
                q_chunk[row * STRIDE + i % CHUNK] = a;
                kv_chunk[row * STRIDE + i % CHUNK] = b;
            }
            workgroupBarrier();
            for (var x = 0u; x < CHUNK; x++) {
                let a0 = q_chunk[(ty * 4u) * STRIDE + x];
                let a1 = q_chunk[(ty * 4u + 1u) * STRIDE + x];
                let a2 = q_chunk[(ty * 4u + 2u) * STRIDE + x];
                let a3 = q_chunk[(ty * 4u + 3u) * STRIDE + x];
                let b0 = kv_chunk[tx * STRIDE + x];
                let b1 = kv_chunk[(tx + 8u) * STRIDE + x];
                let b2 = kv_chunk[(tx + 16u) * STRIDE + x];
                let b3 = kv_chunk[(tx + 24u) * STRIDE + x];
                s0 += vec4<f32>(dot(a0, b0), dot(a0, b1), dot(a0, b2), dot(a0, b3));
                s1 += vec4<f32>(dot(a1, b0), dot(a1, b1), dot(a1, b2), dot(a1, b3));
                s2 += vec4<f32>(dot(a2, b0), dot(a2, b1), dot(a2, b2), dot(a2, b3));
                s3 += vec4<f32>(dot(a3, b0), dot(a3, b1), dot(a3, b2), dot(a3, b3));
            }
            workgroupBarrier();
        }

        // Keys that do not exist, or come after the query, are hidden.
        let keys = vec4<u32>(start + tx, start + tx + 8u, start + tx + 16u, start + tx + 24u);
        let query = first + ty * 4u;
        s0 = masked(s0 * shape.scale, keys, query, n);
        s1 = masked(s1 * shape.scale, keys, query + 1u, n);
        s2 = masked(s2 * shape.scale, keys, query + 2u, n);
        s3 = masked(s3 * shape.scale, keys, query + 3u, n);

        let base = ty * 32u;
        row_part[base + tx] = greatest(s0);
        row_part[base + 8u + tx] = greatest(s1);
        row_part[base + 16u + tx] = greatest(s2);
        row_part[base + 24u + tx] = greatest(s3);
        workgroupBarrier();
        var here = most;
        for (var x = 0u; x < 8u; x++) {
            let part = vec4<f32>(row_part[base + x], row_part[base + 8u + x], row_part[base + 16u + x], row_part[base + 24u + x]);
            here = max(here, part);
        }
        workgroupBarrier();
        let shrink = exp(most - here);
        // A hidden score lies so far below every other that its exponential is zero; a row has at least one key.
        s0 = exp(s0 - vec4<f32>(here.x));
        s1 = exp(s1 - vec4<f32>(here.y));
        s2 = exp(s2 - vec4<f32>(here.z));
        s3 = exp(s3 - vec4<f32>(here.w));
        row_part[base + tx] = dot(s0, vec4<f32>(1.0));
        row_part[base + 8u + tx] = dot(s1, vec4<f32>(1.0));
        row_part[base + 16u + tx] = dot(s2, vec4<f32>(1.0));
        row_part[base + 24u + tx] = dot(s3, vec4<f32>(1.0));
        for (var j = 0u; j < 4u; j++) {
            p_tile[(ty * 4u) * SCORES + tx + 8u * j] = s0[j];
            p_tile[(ty * 4u + 1u) * SCORES + tx + 8u * j] = s1[j];
            p_tile[(ty * 4u + 2u) * SCORES + tx + 8u * j] = s2[j];
            p_tile[(ty * 4u + 3u) * SCORES + tx + 8u * j] = s3[j];
        }
        workgroupBarrier();
        sum *= shrink;
        for (var x = 0u; x < 8u; x++) {
            sum += vec4<f32>(row_part[base + x], row_part[base + 8u + x], row_part[base + 16u + x], row_part[base + 24u + x]);
        }
        most = here;

        for (var c = 0u; c < CHUNKS; c++) {
            for (var i = thread; i < ROWS * CHUNK; i += 64u) {
                let row = i / CHUNK;
                let col = c * CHUNK + i % CHUNK;
                var b = vec4<f32>(0.0);
                if (col < WIDTH && start + row < n) {
                    b = vec4<f32>(v[(head + start + row) * WIDTH + col]);
                }
                kv_chunk[row * STRIDE + i % CHUNK] = b;
            }
            workgroupBarrier();
            var o0 = acc[c * 4u] * shrink.x;
            var o1 = acc[c * 4u + 1u] * shrink.y;
            var o2 = acc[c * 4u + 2u] * shrink.z;
            var o3 = acc[c * 4u + 3u] * shrink.w;
            for (var j = 0u; j < ROWS; j++) {
                let b = kv_chunk[j * STRIDE + tx];
                o0 += p_tile[(ty * 4u) * SCORES + j] * b;
                o1 += p_tile[(ty * 4u + 1u) * SCORES + j] * b;
                o2 += p_tile[(ty * 4u + 2u) * SCORES + j] * b;
                o3 += p_tile[(ty * 4u + 3u) * SCORES + j] * b;
            }
            acc[c * 4u] = o0;
            acc[c * 4u + 1u] = o1;
            acc[c * 4u + 2u] = o2;
            acc[c * 4u + 3u] = o3;
            workgroupBarrier();
        }
    }

    for (var i = 0u; i < 4u; i++) {
        let row = first + ty * 4u + i;
        if (row < n) {
            for (var c = 0u; c < CHUNKS; c++) {
                let col = c * CHUNK + tx;
                if (col < WIDTH) {
                    o[(head + row) * WIDTH + col] = vec4<Stored>(acc[c * 4u + i] / sum[i]);
                }
            }
        }
    }
}

fn masked(s: vec4<f32>, keys: vec4<u32>, query: u32, n: u32) -> vec4<f32> {
    var last = n;
    if (shape.causal != 0u) {
        last = min(n, query + 1u);
    }
    return select(vec4<f32>(HIDDEN), s, keys < vec4<u32>(last));
}

fn greatest(s: vec4<f32>) -> f32 {
    return max(max(s.x, s.y), max(s.z, s.w));
}
