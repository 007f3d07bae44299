//! Components from which a device that does not exist is composed, with technology scaling stated as a formula.
//!
//! ```text
//! digital energy   E(node) = E₀ · (node/node₀)^a · (V/V₀)²     a = 1: capacitance shrinks with length
//! area             A(node) = A₀ · (node/node₀)² · width as for the energy; links and off-chip memory are not scaled
//! rate             f(node) = f₀ · node₀/node         delay shrinks with length; a converter takes a cycle for each bit: · bits₀/bits;
//!                                                    wires, links and off-chip memory are not scaled
//! converter        E(bits) = E₀ · 2^(bits − bits₀)  below the thermal knee, · 4^(bits − bits₀) above 10 bits
//! wire             E = e · length                    e shrinks with the supply alone: its capacitance per length does not
//! thermal floor    E ≥ 12·k_B T·2^(2·bits)           an analogue value of so many bits on a capacitor
//! ```
//!
//! Scaling is an assumption about a family of processes, not a measurement: from 45 to 7 nm it comes out five times below the
//! published 7 nm multiplier, because wires shrink less than gates. What is composed here has the grade "projected", and its
//! spread is that of the grade, unless the component is used at the node and width it was published for. Device files name components
//! (`compose`), and are refused outside [`NODES`] and outside the widths of [`Kind::widths`].

use serde::Serialize;

use crate::provenance::{Evidence, Provenance};
use crate::units::{Hertz, Joules, Kelvin, SquareMetres, thermal};

mod library;

pub use library::LIBRARY;

/// What a component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Analogue to digital, one conversion.
    Adc,
    /// Digital to analogue, one conversion.
    Dac,
    /// A comparator, one decision.
    Comparator,
    /// A multiplication and an addition.
    Mac,
    /// Reading or writing one bit of on-chip memory.
    Sram,
    /// Reading or writing one bit of off-chip memory: not scaled.
    Dram,
    /// Moving one bit by one millimetre on a chip.
    Wire,
    /// Moving one bit off a chip: not scaled.
    Link,
}

impl Kind {
    /// What it does, as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adc => "ADC",
            Self::Dac => "DAC",
            Self::Comparator => "comparator",
            Self::Mac => "MAC",
            Self::Sram => "SRAM, a bit",
            Self::Dram => "DRAM, a bit",
            Self::Wire => "wire, a bit and mm",
            Self::Link => "link, a bit",
        }
    }

    /// Widths in bits for which its formula is meant.
    pub fn widths(self) -> (f64, f64) {
        match self {
            Self::Adc | Self::Dac => (1.0, 16.0),
            Self::Mac => (2.0, 64.0),
            Self::Comparator => (1.0, 64.0),
            Self::Sram | Self::Dram | Self::Wire | Self::Link => (1.0, 4096.0),
        }
    }
}

/// Nodes in nanometres between which [`Component::scaled`] is meant: from where gates stop shrinking with their name to the oldest
/// component of the library.
pub const NODES: (f64, f64) = (5.0, 130.0);

/// A published component.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Component {
    /// Its name.
    pub id: &'static str,
    /// What it does.
    pub kind: Kind,
    /// Joules for one action, as published.
    pub energy: Joules,
    /// Silicon of one, where it is published; of memory, that of one bit held.
    pub area: Option<SquareMetres>,
    /// Actions that one performs in a second, where it is published.
    pub rate: Option<Hertz>,
    /// Process node in nanometres.
    pub node_nm: f64,
    /// Width in bits.
    pub bits: f64,
    /// What the numbers are worth.
    pub evidence: Evidence,
    /// How this project came by them.
    pub provenance: Provenance,
    /// Where they stand.
    pub source: &'static str,
    /// When, and against what text, this project read them, and what stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<&'static str>,
}

/// A component of the library by its name.
pub fn find(id: &str) -> Option<&'static Component> {
    LIBRARY.iter().find(|c| c.id == id)
}

/// Supply voltage that belongs to a node: 1.1 V at 65 nm and above, falling to 0.7 V at 7 nm and below, straight in between in log(node).
pub fn supply(node_nm: f64) -> f64 {
    let share = libm::log(node_nm / 7.0) / libm::log(65.0 / 7.0);
    0.7 + 0.4 * share.clamp(0.0, 1.0)
}

/// Joules for an analogue value of `bits` held on a capacitor against thermal noise: 12·k_B T·2^(2·bits).
pub fn analogue_floor(bits: f64, temperature: Kelvin) -> Joules {
    thermal(temperature) * (12.0 * libm::exp2(2.0 * bits))
}

impl Component {
    /// The same component at another node and width, by the formulas of this module.
    ///
    /// ```
    /// use ceas_npu_model::component::find;
    /// let mac = find("int8_mac_45").unwrap();
    /// let small = mac.scaled(7.0, 8.0);
    /// assert!(small.energy < mac.energy && small.scaled(45.0, 8.0).energy.value() / mac.energy.value() - 1.0 < 1e-12);
    /// ```
    #[must_use]
    pub fn scaled(&self, node_nm: f64, bits: f64) -> Self {
        let length = node_nm / self.node_nm;
        let voltage = (supply(node_nm) / supply(self.node_nm)).powi(2);
        let factor = match self.kind {
            Kind::Dram | Kind::Link => 1.0,
            Kind::Wire => voltage,
            _ => length * voltage,
        };
        let wider = bits - self.bits;
        let width = match self.kind {
            // A multiplier grows with the product of its widths.
            Kind::Mac => (bits / self.bits).powi(2),
            Kind::Adc | Kind::Dac => {
                let knee = |b: f64| b + (b - 10.0).max(0.0);
                libm::exp2(knee(bits) - knee(self.bits))
            }
            _ if wider == 0.0 => 1.0,
            _ => bits / self.bits,
        };
        let moved = length != 1.0 || wider != 0.0;
        let faster = match self.kind {
            Kind::Dram | Kind::Link | Kind::Wire => 1.0,
            Kind::Adc | Kind::Dac => self.bits / (bits * length),
            _ => 1.0 / length,
        };
        let square = if matches!(self.kind, Kind::Dram | Kind::Link) { 1.0 } else { length * length };
        Self {
            energy: self.energy * (factor * width),
            area: self.area.map(|a| a * (square * width)),
            rate: self.rate.map(|r| Hertz::new(r.value() * faster)),
            node_nm,
            bits,
            evidence: if moved { self.evidence.min(Evidence::Projected) } else { self.evidence },
            ..*self
        }
    }
}

impl Component {
    /// [`Self::scaled`], within the range of its formula.
    ///
    /// # Errors
    /// A sentence if the node is outside [`NODES`], or the width outside [`Kind::widths`].
    pub fn checked(&self, node_nm: f64, bits: f64) -> Result<Self, String> {
        let (small, large) = NODES;
        if !(small..=large).contains(&node_nm) {
            return Err(format!(
                "puts {} at {node_nm} nm: the scaling is meant for {small} to {large} nm",
                self.id
            ));
        }
        let (narrow, wide) = self.kind.widths();
        if !(narrow..=wide).contains(&bits) {
            return Err(format!(
                "asks for {bits} bits of {}: the scaling is meant for {narrow} to {wide} bits",
                self.id
            ));
        }
        Ok(self.scaled(node_nm, bits))
    }
}

/// Joules for one multiply-accumulate in a resistive array of `rows` × `columns` cells: its converters and the charge of its lines shared
/// by all products of one use.
///
/// ```text
/// e = e_cell + (rows·e_DAC + columns·e_ADC)/(rows·columns)
/// ```
pub fn array_mac(cell: Joules, rows: u64, columns: u64, dac: Joules, adc: Joules) -> Joules {
    let (r, c) = (rows as f64, columns as f64);
    cell + dac * (1.0 / c) + adc * (1.0 / r)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eight_bit_value_costs_3_3_fj_at_least() {
        let floor = analogue_floor(8.0, Kelvin::new(300.0));
        assert!((floor.value() / 3.26e-15 - 1.0).abs() < 0.01);
        // No converter of the library is below it.
        for c in LIBRARY.iter().filter(|c| matches!(c.kind, Kind::Adc | Kind::Dac)) {
            assert!(c.energy > analogue_floor(c.bits, Kelvin::new(300.0)), "{}", c.id);
        }
    }

    #[test]
    fn scaling_is_monotone_and_what_is_not_moved_keeps_its_grade() {
        for c in LIBRARY {
            assert_eq!(c.scaled(c.node_nm, c.bits), c);
            let small = c.scaled(c.node_nm / 2.0, c.bits);
            assert!(
                small.energy <= c.energy && small.evidence == Evidence::Projected.min(c.evidence),
                "{}",
                c.id
            );
            assert!(c.scaled(c.node_nm, c.bits + 1.0).energy > c.energy, "{}", c.id);
        }
    }

    #[test]
    fn scaling_across_six_generations_is_optimistic_by_about_five() {
        // The published 7 nm MAC against the published 45 nm MAC scaled to 7 nm: neither was fitted on the other.
        let scaled = find("int8_mac_45").unwrap().scaled(7.0, 8.0).energy;
        let published = find("int8_mac_7").unwrap().energy;
        let ratio = published / scaled;
        assert!((3.0..7.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn converters_are_shared_by_an_array() {
        let j = Joules::new;
        assert_eq!(array_mac(j(1.0), 4, 8, j(8.0), j(4.0)), j(3.0));
    }
}
