//! Genuineness: how the entropy of a head varies from token to token, and how often it falls. O(1) memory.

use serde::Serialize;

/// ΔH below which the published rule sees a collapse, in bits.
pub const COLLAPSE_BITS: f64 = -0.20;

/// Streaming statistics of the entropies of one head, in bits.
///
/// The published Y = Var(H) + collapses/L adds bits² to a rate and leaves L open (tokens, or layers); both terms are kept apart here, and the sum with
/// L = number of changes is given as published. A fall by 0.2 bits is not rare: between independent entropies it happens in almost half of all
/// steps. [`ZScored`] asks for a fall that is large *for this head*.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Genuineness {
    count: u64,
    mean: f64,
    squares: f64,
    last: f64,
    collapses: u64,
}

impl Genuineness {
    /// Adds the entropy of the next token (or layer), in bits.
    pub fn add(&mut self, bits: f64) {
        if self.count > 0 && bits - self.last < COLLAPSE_BITS {
            self.collapses += 1;
        }
        self.count += 1;
        let step = bits - self.mean;
        self.mean += step / self.count as f64;
        self.squares += step * (bits - self.mean);
        self.last = bits;
    }

    /// Var(H) in bits² (population); `None` without an entropy.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 0).then(|| self.squares / self.count as f64)
    }

    /// Share of changes that are collapses; `None` without a change.
    pub fn collapse_rate(&self) -> Option<f64> {
        (self.count > 1).then(|| self.collapses as f64 / (self.count - 1) as f64)
    }

    /// Var(H) + collapse rate, as published: units do not match.
    pub fn published(&self) -> Option<f64> {
        Some(self.variance()? + self.collapse_rate()?)
    }
}

/// Collapses by z-score with hysteresis: a collapse begins when H falls `enter` standard deviations below its moving average, and ends when it is
/// back above `leave` of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ZScored {
    enter: f64,
    leave: f64,
    window: f64,
    seen: u64,
    mean: f64,
    square: f64,
    inside: bool,
    events: u64,
}

impl ZScored {
    /// Thresholds in standard deviations, and the window of the averages in tokens. `None` unless 0 ≤ `leave` < `enter` and `window` ≥ 1.
    pub fn new(enter: f64, leave: f64, window: f64) -> Option<Self> {
        let sound = leave >= 0.0 && enter > leave && enter.is_finite() && window >= 1.0;
        sound.then_some(Self {
            enter,
            leave,
            window,
            seen: 0,
            mean: 0.0,
            square: 0.0,
            inside: false,
            events: 0,
        })
    }

    /// Adds an entropy; whether a collapse is on.
    pub fn add(&mut self, entropy: f64) -> bool {
        let step = entropy - self.mean;
        let deviation = libm::sqrt(self.square);
        if self.seen as f64 >= self.window && deviation > 0.0 {
            let z = step / deviation;
            if !self.inside && z < -self.enter {
                self.inside = true;
                self.events += 1;
            } else if self.inside && z > -self.leave {
                self.inside = false;
            }
        }
        self.seen += 1;
        // Ordinary averages until the window is full.
        let weight = 1.0 / (self.seen as f64).min(self.window);
        self.mean += weight * step;
        self.square += weight * (step * step * (1.0 - weight) - self.square);
        self.inside
    }

    /// Collapses so far.
    pub fn events(&self) -> u64 {
        self.events
    }
}

/// A quadrant of the published phase space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quadrant {
    /// High Y, low X.
    GenuineDiffuse,
    /// Low Y, high X.
    MechanicalCommitted,
    /// Low Y, low X.
    MechanicalDiffuse,
    /// High Y, high X.
    GenuineCommitted,
}

/// The quadrant of a head at (X, Y). The page gives no borders; medians over the heads of the model are used where this is called, so that
/// which heads are "genuine" depends on the company they are in.
pub fn quadrant(x: f64, y: f64, borders: (f64, f64)) -> Quadrant {
    match (x > borders.0, y > borders.1) {
        (false, true) => Quadrant::GenuineDiffuse,
        (true, false) => Quadrant::MechanicalCommitted,
        (false, false) => Quadrant::MechanicalDiffuse,
        (true, true) => Quadrant::GenuineCommitted,
    }
}
