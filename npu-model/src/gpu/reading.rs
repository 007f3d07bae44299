//! Which numbers and curves of a baseline were read in their source, and which were not.

use super::{Gpu, Power, Role};
use crate::device::{Reading, Readings};
use crate::provenance::{Fact, Known};

fn known<Q>(known: Option<&Known<Q>>) -> Option<Reading> {
    known.map(|k| Reading::of(k.provenance, k.checked.is_some()))
}

fn fact<T>(fact: Option<&Fact<T>>) -> Option<Reading> {
    fact.map(|f| Reading::of(f.provenance, f.checked.is_some()))
}

impl Gpu {
    /// How many of its numbers, curves aside, are known how closely.
    pub fn read(&self) -> Readings {
        let mut readings = vec![
            known(self.peak.as_ref()),
            known(self.products.as_ref()),
            known(self.bandwidth.as_ref()),
            known(self.reached.as_ref()),
            fact(self.l2_bytes.as_ref()),
            fact(self.memory_bytes.as_ref()),
            fact(self.multiprocessors.as_ref()),
            fact(self.clock_hz.as_ref()),
            known(self.launch.as_ref()),
            known(self.replay.as_ref()),
        ];
        match &self.power {
            Some(Power::Modelled(board)) => readings.extend([
                known(Some(&board.tdp)),
                known(Some(&board.idle)),
                known(Some(&board.flop)),
                known(Some(&board.byte)),
                known(Some(&board.arithmetic)),
                known(Some(&board.memory)),
            ]),
            Some(Power::Metered(metered)) => readings.push(known(Some(metered))),
            None => {}
        }
        readings.into_iter().flatten().collect()
    }

    /// How many of its curves, hold-outs included, are known how closely.
    pub fn curves_read(&self) -> Readings {
        let reading = |s: &super::Series| match s.role {
            Role::Assumed => Reading::Assumed,
            Role::Fit | Role::HoldOut => Reading::of(s.provenance, s.checked.is_some()),
        };
        self.series.iter().map(reading).collect()
    }
}
