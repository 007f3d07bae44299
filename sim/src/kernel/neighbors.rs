//! Metropolis on sparse graphs with any couplings, replicas in the lanes: local fields are summed anew at every visit.
//!
//! With sixteen replicas in the lanes nearly every site turns in one of them, so that to keep fields means to read and write whole vectors of
//! all neighbours at every visit. Here a neighbour is sixteen bits, of which sixteen signs are made: nothing is passed on, fields
//! do not drift, and the configurations of 10⁵ sites are 200 kB.
//!
//! Every attempt has one 32-bit draw d and flips if ΔE ≤ 0 or d < round(2³² e^(−βΔE)), decided as in [`super::panel`]. Sums begin with
//! 2h_i and add ±2J_ij in the order of the row, nothing is fused, and each replica has a generator of its own: all instruction
//! sets give the same bytes, and a replica alone the same as in company.
// Loops over lanes index several arrays at once and become vector instructions; an iterator's closure would not.
#![allow(clippy::needless_range_loop)]

use super::generators::Generators;
use super::multispin::Level;
use super::panel::{accepted, accepts_exactly, minus_ln};
use super::wide::{Loop, at};
use crate::couplings::Real;
use crate::stream::{Stream, mix};

/// Replicas that are visited together.
pub const LANES: usize = 16;

/// The rows of a sparse graph.
#[derive(Debug, Clone, Copy)]
pub struct Neighbors<'a, T> {
    /// Where the entries of each row begin, and where the last one ends.
    pub starts: &'a [usize],
    /// (j, 2J_ij), row by row.
    pub entries: &'a [(u32, T)],
    /// h_i.
    pub fields: &'a [T],
}

impl<T: Real> Neighbors<'_, T> {
    #[inline(always)]
    fn row(&self, site: usize) -> &[(u32, T)] {
        &self.entries[self.starts[site]..self.starts[site + 1]]
    }

    /// 2(h_i + Σ_j J_ij s_j) of a site of one configuration of ±1.
    #[inline(always)]
    pub(crate) fn twice_field(&self, spins: &[T], site: usize) -> T {
        let h = self.fields[site];
        self.row(site).iter().fold(h + h, |sum, &(j, twice)| sum + twice * spins[j as usize])
    }
}

/// Up to `L` replicas: where they are, what they draw from, and what a sweep does.
#[derive(Debug, Clone)]
pub struct Crew<T, const L: usize> {
    /// β of each replica; 0 in lanes that hold none.
    pub betas: [T; L],
    /// The four words of each replica's xoshiro256++.
    pub generators: Generators<L>,
    /// By replica: the energy gained.
    pub energy: [f64; L],
    /// By replica: flips that raised the energy.
    pub uphill: [u32; L],
    /// By replica: flips.
    pub flips: [u32; L],
}

impl<T: Real, const L: usize> Crew<T, L> {
    /// A replica in each of the first lanes: its β and the stream that seeds its generator, once for every sweep, with 256 bits.
    pub fn new(betas: impl Fn(usize) -> T, streams: &mut [Stream]) -> Self {
        let mut crew = Self {
            betas: [T::of(0.0); L],
            generators: Generators([[1; L]; 4]),
            energy: [0.0; L],
            uphill: [0; L],
            flips: [0; L],
        };
        for (lane, stream) in streams.iter_mut().enumerate().take(L) {
            crew.betas[lane] = betas(lane);
            let mut words = [0; 4].map(|_: u64| mix(stream.next_u64()));
            // Four zero words would stay so; that has probability 2⁻²⁵⁶ and costs nothing to exclude.
            words[0] |= u64::from(words == [0; 4]);
            crew.generators.0.iter_mut().zip(words).for_each(|(all, word)| all[lane] = word);
        }
        crew
    }
}

/// One sweep of all replicas over sites 0, 1, 2, …, with the instructions of `level`, or plain ones where the machine lacks them. Bit r of
/// `down[i]` is set if spin i of replica r is −1.
///
/// # Panics
/// If there are fewer spins than fields, or a row names a site that is not there.
pub fn sweep<T: Real>(level: Level, rows: Neighbors<'_, T>, down: &mut [u16], crew: &mut Crew<T, LANES>) {
    at(level, Sweep { rows, down, crew });
}

struct Sweep<'a, T> {
    rows: Neighbors<'a, T>,
    down: &'a mut [u16],
    crew: &'a mut Crew<T, LANES>,
}

impl<T: Real> Loop for Sweep<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, down, crew } = self;
        // Copies, so that they can stay in registers.
        let mut own = crew.clone();
        let mut drawn = [0; LANES];
        for site in 0..rows.fields.len() {
            let mut draws = [0; LANES];
            let shift = 32 * (site & 1);
            if shift == 0 {
                drawn = own.generators.step();
            }
            for lane in 0..LANES {
                draws[lane] = (drawn[lane] >> shift) as u32;
            }
            visit(rows, down, &mut own, site, &draws);
        }
        *crew = own;
    }
}

/// Decides about one site. Each loop over lanes becomes a few vector instructions.
#[inline(always)]
fn visit<T: Real>(
    rows: Neighbors<'_, T>,
    down: &mut [u16],
    crew: &mut Crew<T, LANES>,
    site: usize,
    draws: &[u32; LANES],
) {
    let (zero, h) = (T::of(0.0), rows.fields[site]);
    let mut fields = [h + h; LANES];
    for &(j, twice) in rows.row(site) {
        let bits = down[j as usize];
        for lane in 0..LANES {
            fields[lane] = fields[lane] + if bits >> lane & 1 == 1 { -twice } else { twice };
        }
    }
    let bits = down[site];
    let mut gains = [zero; LANES];
    let mut bounds = [0.0f32; LANES];
    for lane in 0..LANES {
        gains[lane] = if bits >> lane & 1 == 1 { -fields[lane] } else { fields[lane] };
        bounds[lane] = minus_ln(draws[lane]);
    }
    let accepted = accepted(&crew.betas, &gains, draws, &bounds);
    let mut turned = 0;
    for lane in 0..LANES {
        turned |= accepted[lane] << lane;
        crew.energy[lane] += if accepted[lane] != 0 { gains[lane].to_f64() } else { 0.0 };
        crew.uphill[lane] += accepted[lane] & u32::from(crew.betas[lane] * gains[lane] > zero);
        crew.flips[lane] += accepted[lane];
    }
    down[site] = bits ^ turned as u16;
}

/// One sweep of one replica, of spins ±1: what [`sweep`] does in each of its lanes.
#[inline(always)]
pub fn sweep_alone<T: Real>(rows: Neighbors<'_, T>, spins: &mut [T], crew: &mut Crew<T, 1>) {
    let [beta] = crew.betas;
    let mut drawn = 0;
    for site in 0..rows.fields.len() {
        drawn = if site & 1 == 0 { crew.generators.step()[0] } else { drawn >> 32 };
        let gain = spins[site] * rows.twice_field(spins, site);
        let x = beta * gain;
        let uphill = x > T::of(0.0);
        // Where the exponential is below 2⁻³³ nothing flips.
        if uphill && (x > T::of(23.0) || !accepts_exactly(x.to_f64(), drawn as u32)) {
            continue;
        }
        spins[site] = -spins[site];
        crew.energy[0] += gain.to_f64();
        crew.uphill[0] += u32::from(uphill);
        crew.flips[0] += 1;
    }
}

/// [`sweep`] one replica after another, with a generator of rand_xoshiro and an exponential for every attempt that costs energy: the naive
/// twin.
///
/// # Panics
/// As [`sweep`].
pub fn sweep_naively<T: Real, const L: usize>(
    rows: Neighbors<'_, T>,
    down: &mut [u16],
    crew: &mut Crew<T, L>,
) {
    for lane in 0..L {
        let words = [0, 1, 2, 3].map(|i| crew.generators.0[i][lane]);
        let mut stream = Stream::at(words, None).expect("no generator stands at zero");
        for site in 0..rows.fields.len() {
            let sign = |j: usize| if down[j] >> lane & 1 == 1 { T::of(-1.0) } else { T::of(1.0) };
            let mut field = rows.fields[site] + rows.fields[site];
            for &(j, twice) in rows.row(site) {
                field = field + twice * sign(j as usize);
            }
            let gain = sign(site) * field;
            let x = (crew.betas[lane] * gain).to_f64();
            if accepts_exactly(x, stream.next_u32()) {
                down[site] ^= 1 << lane;
                crew.energy[lane] += gain.to_f64();
                crew.uphill[lane] += u32::from(x > 0.0);
                crew.flips[lane] += 1;
            }
        }
        let words = stream.position().0;
        crew.generators.0.iter_mut().zip(words).for_each(|(all, word)| all[lane] = word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Purpose;

    /// A graph with sites of no, one and many neighbours, some of them twice, sweeps at every level against the twin.
    fn all_equal<T: Real>(whole: bool) {
        let mut stream = Stream::new(6, Purpose::Test, u64::from(whole), 0);
        for n in [1usize, 2, 7, 50] {
            let mut links = vec![Vec::new(); n];
            for _ in 0..3 * n {
                let (a, b) = (stream.below(n as u64) as usize, stream.below(n as u64) as usize);
                let twice = if whole { stream.below(7) as f64 - 3.0 } else { stream.normal() };
                if a != b {
                    links[a].push((b as u32, T::of(twice)));
                    links[b].push((a as u32, T::of(twice)));
                }
            }
            let mut starts = vec![0];
            starts.extend(links.iter().scan(0, |end, row| {
                *end += row.len();
                Some(*end)
            }));
            let entries: Vec<(u32, T)> = links.concat();
            let fields: Vec<T> = (0..n)
                .map(|_| T::of(if whole { stream.below(3) as f64 - 1.0 } else { 0.1 * stream.normal() }))
                .collect();
            let rows = Neighbors { starts: &starts, entries: &entries, fields: &fields };
            for beta in [0.0, 0.2, 1.0, 4.0, 1e20] {
                let mut seeds: Vec<Stream> =
                    (0..13).map(|r| Stream::new(7, Purpose::Test, r, n as u64)).collect();
                let start =
                    Crew::<T, LANES>::new(|lane| T::of(beta * (1.0 + 0.125 * lane as f64)), &mut seeds);
                let spins: Vec<u16> = (0..n).map(|_| stream.next_u32() as u16).collect();
                let (mut naive, mut twin) = (start.clone(), spins.clone());
                (0..30).for_each(|_| sweep_naively(rows, &mut twin, &mut naive));
                for level in Level::available() {
                    let (mut crew, mut down) = (start.clone(), spins.clone());
                    (0..30).for_each(|_| sweep(level, rows, &mut down, &mut crew));
                    assert_eq!(down, twin, "{level}, {n} sites, β = {beta}");
                    assert_eq!((crew.energy, crew.uphill), (naive.energy, naive.uphill), "{level}");
                    assert_eq!((crew.flips, &crew.generators), (naive.flips, &naive.generators), "{level}");
                }
                // And alone.
                for lane in [0, 12] {
                    let mut one = Crew::<T, 1> {
                        betas: [start.betas[lane]],
                        generators: Generators(start.generators.0.map(|words| [words[lane]])),
                        energy: [0.0],
                        uphill: [0],
                        flips: [0],
                    };
                    let sign = |bits: u16| T::of(1.0 - 2.0 * f64::from(bits >> lane & 1));
                    let mut alone: Vec<T> = spins.iter().map(|&bits| sign(bits)).collect();
                    (0..30).for_each(|_| sweep_alone(rows, &mut alone, &mut one));
                    assert!(alone.iter().zip(&twin).all(|(&s, &bits)| s == sign(bits)), "replica {lane}");
                    assert_eq!((one.energy[0], one.flips[0]), (naive.energy[lane], naive.flips[lane]));
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_and_a_replica_alone_do_as_the_naive_twin() {
        for whole in [true, false] {
            all_equal::<f32>(whole);
            all_equal::<f64>(whole);
        }
    }
}
