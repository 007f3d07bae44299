//! The value of `--beta`: the textbook's, a number, or a table.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, anyhow, bail};
use ceas_npu::mapping::attention::textbook_beta;
use ceas_npu::mapping::heads::HeadSet;
use ceas_npu::sim::beta::Beta;

use crate::report::attention::Selected;

/// β of every head that is run.
pub struct Betas {
    /// One per head, in the order in which they are run.
    pub values: Vec<Beta>,
}

/// No table is as long as this; a longer file is another file than was meant.
const LONGEST: u64 = 64 << 20;

impl Betas {
    /// Reads `textbook`, a number, or the name of a JSON file `[layers][heads]` of numbers.
    pub fn parse(given: &str, set: &HeadSet, chosen: &[Selected]) -> anyhow::Result<Self> {
        let all = |beta| Ok(Self { values: vec![beta; chosen.len()] });
        if given == "textbook" {
            return all(textbook_beta(set.d_head()));
        }
        if let Ok(number) = given.parse::<f64>() {
            return all(Beta::new(number).with_context(|| format!("--beta {given}"))?);
        }
        let table = read(given)?;
        check(given, &table, set)?;
        Ok(Self { values: chosen.iter().map(|at| table[at.index][at.head]).collect() })
    }

    /// β, if it is the same for all heads.
    pub fn uniform(&self) -> Option<f64> {
        let first = self.values.first()?;
        self.values.iter().all(|beta| beta == first).then(|| first.value())
    }
}

fn read(name: &str) -> anyhow::Result<Vec<Vec<Beta>>> {
    let mut text = String::new();
    let length =
        File::open(name).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)).with_context(
            || format!("--beta {name:?} is neither \"textbook\", nor a number, nor a readable file"),
        )?;
    if length as u64 > LONGEST {
        bail!("--beta {name} is longer than {} MiB, which no table of β is", LONGEST >> 20);
    }
    let expected = "a JSON array of one array of numbers per layer is expected";
    let shape = || anyhow!("--beta {name}: {expected}");
    let document: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("--beta {name}: {expected}"))?;
    let layers = document.as_array().ok_or_else(shape)?;
    let beta = |layer: usize, head: usize, value: &serde_json::Value| -> anyhow::Result<Beta> {
        let place = || format!("--beta {name}: layer {layer}, head {head}");
        let number = value.as_f64().ok_or_else(|| anyhow!("{} is {value}, not a number", place()))?;
        Beta::new(number).with_context(place)
    };
    let layer = |(layer, heads): (usize, &serde_json::Value)| -> anyhow::Result<Vec<Beta>> {
        let heads = heads.as_array().ok_or_else(shape)?;
        heads.iter().enumerate().map(|(head, value)| beta(layer, head, value)).collect()
    };
    layers.iter().enumerate().map(layer).collect()
}

fn check(name: &str, table: &[Vec<Beta>], set: &HeadSet) -> anyhow::Result<()> {
    if table.len() != set.layers() {
        bail!("--beta {name} has {} layers; the input has {}", table.len(), set.layers());
    }
    if let Some((layer, heads)) = table.iter().enumerate().find(|(_, heads)| heads.len() != set.heads()) {
        bail!(
            "--beta {name}: layer {layer} has {} numbers; the input has {} heads",
            heads.len(),
            set.heads()
        );
    }
    Ok(())
}
