//! What runs on spins, and how: the flags of `ceas run` that say so, checked against the model.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use anyhow::{anyhow, bail};
use ceas_npu::mapping::nonideal::{Chip, NonIdeal, Reads};
use ceas_npu::mapping::pbits::Noise;
use ceas_npu::mapping::reference::Loaded;
use ceas_npu::mapping::reference::layer::Activation;
use ceas_npu::mapping::spins::{Component, RowSampler, Setup};
use clap::{Args, ValueEnum};

use super::value;

/// Flags that say what runs on spins.
#[derive(Args, Debug)]
pub struct SetupFlags {
    /// Components on spins: attention, ffn, norm, position, or all that the model has
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', default_value = "attention", help_heading = "Spins", value_parser = component)]
    on: Vec<Chosen>,
    /// S: read-outs of every row and gate, or each by name, such as attention=256,ffn=64
    #[arg(long, value_name = "S|A=S,…", default_value = "64", help_heading = "Spins")]
    samples: Samples,
    /// How the Potts spin of a row is read out
    #[arg(long, value_enum, default_value_t = SamplerName::Race, help_heading = "Spins")]
    sampler: SamplerName,
    /// T of the spherical spins of norms, in the units of what they normalise; at 0 they are exact
    #[arg(long, value_name = "T", default_value = "0", help_heading = "Spins", value_parser = value::number)]
    norm_temperature: f64,
    /// Flaws of the device, such as field-bits=4,coupling-bits=6,field-noise=0.25,beta-error=0.05
    ///
    /// Bits: field-bits, coupling-bits. Frozen, standard deviations: mismatch (relative, of couplings), field-noise (kT), beta-error (of
    /// ln β). Others: beta-drift, stuck-off, stuck-on, read-out-error, sweeps (of a Metropolis chain between read-outs),
    /// comparator=gaussian or logistic, penalty (βA: rows on one-hot p-bits with clocks of their own) and latency (of the wires
    /// between these), device (a seed: another number, another device).
    #[arg(long, value_name = "A=X,…", value_delimiter = ',', help_heading = "Spins")]
    flaws: Vec<String>,
}

/// An entry of `--on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    One(Component),
    All,
}

fn component(name: &str) -> Result<Chosen, String> {
    if name == "all" {
        return Ok(Chosen::All);
    }
    let known = Component::ALL.into_iter().find(|component| component.name() == name);
    known.map(Chosen::One).ok_or_else(|| "known are attention, ffn, norm, position and all".into())
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplerName {
    /// All states race at their own rates, the first to flip wins
    Race,
    /// A fresh draw from the law per read-out
    HeatBath,
    /// The S counts of a row drawn by the host; touches no spin
    #[value(alias = "law")]
    Multinomial,
}

/// S of rows and of gates.
#[derive(Debug, Clone, Copy)]
struct Samples {
    attention: NonZeroU32,
    ffn: NonZeroU32,
}

impl FromStr for Samples {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        /// Beyond this an f32 counts no longer.
        const MOST: u32 = 1 << 24;
        let number = |text: &str| {
            let n: u32 = value::whole(text)?;
            NonZeroU32::new(n).filter(|n| n.get() <= MOST).ok_or_else(|| {
                format!("each row and gate is read out at least once and at most {MOST} times")
            })
        };
        if !text.contains('=') {
            let all = number(text)?;
            return Ok(Self { attention: all, ffn: all });
        }
        let usual = NonZeroU32::new(64).expect("64 is not 0");
        let mut samples = Self { attention: usual, ffn: usual };
        for entry in text.split(',') {
            match entry.split_once('=') {
                Some(("attention", n)) => samples.attention = number(n)?,
                Some(("ffn", n)) => samples.ffn = number(n)?,
                _ => return Err(format!("{entry:?}: expected a number, or attention=S,ffn=S")),
            }
        }
        Ok(samples)
    }
}

/// What runs on spins, as it was settled for one model.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The components on spins.
    pub on: Vec<Component>,
    /// How they run without flaws.
    pub setup: Setup,
    /// The device that has flaws, if one was asked for.
    pub chip: Option<Chip>,
    /// Its flaws as given.
    pub flaws: Vec<String>,
    /// Name of the sampler.
    pub sampler: RowSampler,
}

impl SetupFlags {
    /// How heads are sampled, for the task that runs them one by one.
    pub fn for_heads(&self) -> anyhow::Result<(SamplerName, NonZeroU32)> {
        if self.on != [Chosen::One(Component::Attention)] || !self.flaws.is_empty() {
            bail!(
                "--task heads runs rows of attention of the exact model: it takes neither --on nor --flaws"
            );
        }
        Ok((self.sampler, self.samples.attention))
    }

    /// Settles the flags for a model.
    pub fn settle(&self, model: &Loaded, seed: u64) -> anyhow::Result<Settled> {
        let mut on = Vec::new();
        for chosen in &self.on {
            match chosen {
                Chosen::One(component) => {
                    runs(*component, model)
                        .map_err(|reason| anyhow!("--on {}: {reason}", component.name()))?;
                    on.push(*component);
                }
                Chosen::All => on.extend(Component::ALL.into_iter().filter(|&c| runs(c, model).is_ok())),
            }
        }
        on.sort_unstable();
        on.dedup();
        let has = |component| on.contains(&component);
        let t = self.norm_temperature;
        if !(t >= 0.0 && t.is_finite()) {
            bail!("--norm-temperature {t}: a finite number from 0 is expected");
        }
        if t > 0.0 && !has(Component::Norm) {
            bail!("--norm-temperature {t} needs norms on spins: --on …,norm");
        }
        let sampler = match self.sampler {
            SamplerName::Race => RowSampler::Race,
            SamplerName::HeatBath => RowSampler::HeatBath,
            SamplerName::Multinomial => RowSampler::Multinomial,
        };
        let setup = Setup {
            attention: has(Component::Attention).then_some(sampler),
            attention_samples: self.samples.attention,
            gates: has(Component::FeedForward).then_some(self.samples.ffn),
            norm: (has(Component::Norm) && t > 0.0).then_some(t),
            position: has(Component::Position),
            seed,
        };
        let chip = if self.flaws.is_empty() { None } else { Some(self.chip(&setup)?) };
        Ok(Settled { on, setup, chip, flaws: self.flaws.clone(), sampler })
    }

    fn chip(&self, setup: &Setup) -> anyhow::Result<Chip> {
        let flaws = parse_flaws(&self.flaws)?;
        let times =
            |on: bool, samples: NonZeroU32| if on { Reads::Times(samples.get()) } else { Reads::Host };
        Ok(Chip {
            flaws,
            attention: times(setup.attention.is_some(), setup.attention_samples),
            feed_forward: times(setup.gates.is_some(), self.samples.ffn),
            norm_temperature: setup.norm,
            ..Chip::new(setup.seed)
        })
    }
}

/// Whether a component of this model can run on spins.
fn runs(component: Component, model: &Loaded) -> Result<(), String> {
    match (component, model) {
        (Component::Position, Loaded::Encoder(model)) => Err(format!(
            "{} adds learned vectors to its embeddings; they are no flow of a disk, and nothing is left to run on spins",
            model.name()
        )),
        (Component::FeedForward, Loaded::Encoder(model))
            if model.encoder().config().activation == Activation::Relu =>
        {
            Err("ReLU is the gate at zero temperature: it never fluctuates and there is nothing to sample"
                .into())
        }
        (Component::FeedForward, Loaded::Decoder(model))
            if model.decoder().config().activation == Activation::Relu =>
        {
            Err("ReLU is the gate at zero temperature: it never fluctuates and there is nothing to sample"
                .into())
        }
        _ => Ok(()),
    }
}

fn parse_flaws(entries: &[String]) -> anyhow::Result<NonIdeal> {
    let mut flaws = NonIdeal::default();
    for entry in entries {
        let (name, text) = entry
            .split_once('=')
            .ok_or_else(|| anyhow!("--flaws {entry}: a flaw has a size, such as field-bits=4"))?;
        let wrong = |reason: String| anyhow!("--flaws {entry}: {reason}");
        let number = || value::number(text).map_err(wrong);
        let whole = || value::whole::<u32>(text).map_err(wrong);
        match name {
            "field-bits" => flaws.field_bits = Some(whole()?),
            "coupling-bits" => flaws.coupling_bits = Some(whole()?),
            "mismatch" => flaws.mismatch = number()?,
            "field-noise" => flaws.field_noise = number()?,
            "beta-error" => flaws.beta_error = number()?,
            "beta-drift" => flaws.beta_drift = number()?,
            "stuck-off" => flaws.stuck_off = number()?,
            "stuck-on" => flaws.stuck_on = number()?,
            "read-out-error" => flaws.read_out_error = number()?,
            "penalty" => flaws.penalty = Some(number()?),
            "latency" => flaws.latency = number()?,
            "device" => flaws.seed = value::whole(text).map_err(wrong)?,
            "sweeps" => {
                flaws.sweeps =
                    Some(NonZeroU32::new(whole()?).ok_or_else(|| wrong("at least one sweep".into()))?);
            }
            "comparator" => {
                flaws.comparator = Some(match text {
                    "gaussian" => Noise::Gaussian { scale: 1.0 },
                    "logistic" => Noise::Logistic,
                    _ => return Err(wrong("known shapes are gaussian and logistic".into())),
                });
            }
            _ => {
                return Err(wrong(
                    "known are field-bits, coupling-bits, mismatch, field-noise, beta-error, beta-drift, stuck-off, stuck-on, \
                     read-out-error, penalty, latency, sweeps, comparator, device"
                        .into(),
                ));
            }
        }
    }
    flaws.check().map_err(|e| anyhow!("--flaws: {e}"))?;
    Ok(flaws)
}

impl fmt::Display for SamplerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Race => "race",
            Self::HeatBath => "heat-bath",
            Self::Multinomial => "multinomial",
        })
    }
}

impl Settled {
    /// Where every component of the model runs and what may be believed of it, a sentence each.
    pub fn notes(&self, model: &Loaded) -> Vec<String> {
        let setup = &self.setup;
        let mut notes = Vec::new();
        notes.push(match setup.attention {
            None => "attention: host, exact softmax.".into(),
            Some(sampler) => {
                let how = match (&self.chip, sampler) {
                    (Some(_), _) => "on the device with flaws",
                    (None, RowSampler::Race) => {
                        "the winner of every race drawn from its law, all clocks counted"
                    }
                    (None, RowSampler::HeatBath) => "a fresh draw each",
                    (None, RowSampler::Multinomial) => "drawn by the host, no event counted",
                };
                let law =
                    if self.chip.is_some() { "the law is the device's, not softmax" } else { "exact in law" };
                format!("attention: Potts spins, {} read-outs a row, {how}: {law}.", setup.attention_samples)
            }
        });
        notes.push(match setup.gates {
            None => "feed-forward: host, exact activation.".into(),
            Some(samples) => {
                let activation = match model {
                    Loaded::Encoder(model) => model.encoder().config().activation,
                    Loaded::Decoder(model) => model.decoder().config().activation,
                };
                let what = match activation {
                    Activation::Gelu => "comparators with Gaussian noise (erf-GELU)",
                    Activation::GeluTanh => "p-bits in a cubic field (tanh-GELU)",
                    Activation::Silu => "p-bits (SiLU)",
                    Activation::Relu => "comparators without noise (ReLU)",
                };
                let law = if self.chip.is_some() { "on the device with flaws" } else { "exact in law" };
                format!(
                    "feed-forward: gates are {what}, {samples} read-outs each: {law}; products on the host."
                )
            }
        });
        notes.push(match (self.on.contains(&Component::Norm), setup.norm) {
            (false, _) => "norm: host, exact.".into(),
            (true, None) => "norm: spherical spins at T = 0, which is the norm itself: exact.".into(),
            (true, Some(t)) => {
                format!("norm: mean of spherical spins at T = {t}: shrunk by about T/2σ; gain and shift on the host.")
            }
        });
        notes.push(match model {
            Loaded::Encoder(_) => "position: host, learned vectors.".into(),
            Loaded::Decoder(_) if setup.position => {
                "position: rotation of q and k as an elliptic flow, exact; q and k are computed on the host."
                    .into()
            }
            Loaded::Decoder(_) => "position: host, exact rotation.".into(),
        });
        notes.push("embeddings, matrix products, residual sums and the choice of tokens: host.".into());
        notes
    }
}
