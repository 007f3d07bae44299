//! The picture of `ceas compare`: energy, time, and where the energy goes; or a map of gain, energy against error, or which number moves
//! the energy most.

use ceas_npu::npu_model::bill::Spread;
use ceas_npu::npu_model::comparison::Row;
use ceas_npu::npu_model::device::{CONTROL, Encoding, Kind};
use ceas_npu::npu_model::interval::Interval;
use ceas_npu::npu_model::units::Quantity;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::drawing::{CPU, Drawing, EXACT, colour};
use crate::report::figure::{Figure, INK, SAMPLED, SERIES, THEORY, Trouble, text};
use crate::report::inference::{figure::HEIGHT, map, pareto};
use crate::report::ranges::{Bar, Panel, Range, Rows, meanings};
use crate::report::tornado::Tornado;

/// What the energy goes to, with its colour and the parts that belong to it.
const GROUPS: [(&str, RGBColor, &[&str]); 7] = [
    ("spins deciding", SERIES[0], &["attempts", "flips", "random_bits", "coupler_reads", "comparisons"]),
    ("writing fields and keys", SERIES[1], &["field_writes", "coupling_writes"]),
    ("reading, converting", SERIES[4], &["read_outs", "decoder_adds", "dac_conversions", "adc_conversions"]),
    ("products q·k", SERIES[2], &["field_macs"]),
    ("softmax, exact average", SERIES[3], &["value_macs", "exponentials"]),
    ("GPU: least by components", RGBColor(90, 90, 90), &["arithmetic", "memory", "idle", "metered"]),
    ("GPU: from there up", RGBColor(190, 190, 190), &["up_to_tdp"]),
];

const ROWS: Rows = Rows { top: 104, height: 52, width: 1500 };
const LEGEND: i32 = 96;

/// Three panels with a line for every row, or what else was asked for.
pub struct Picture {
    title: String,
    drawing: Drawing,
    bars: Vec<Bar>,
    shares: Vec<Vec<f64>>,
    tornado: Option<Tornado>,
}

impl Picture {
    /// The picture of the rows of a comparison.
    pub fn new(title: String, rows: &[Row], drawing: Drawing) -> Self {
        let first = rows.iter().find(|r| r.unreachable.is_none() && !r.tornado.is_empty());
        let tornado = first.filter(|_| matches!(drawing, Drawing::Tornado)).map(|row| {
            let middle = row.energy_j.map_or(1.0, |e| e.mid.si());
            Tornado::new(&row.name, "the whole work", middle, &row.tornado, 1.0)
        });
        let (bars, shares) = (rows.iter().map(bar).collect(), rows.iter().map(shares).collect());
        Self { title, drawing, bars, shares, tornado }
    }
}

fn bar(row: &Row) -> Bar {
    fn ends<Q: Quantity>(range: Option<Interval<Q>>, drawn: Option<Spread>) -> Option<[f64; 3]> {
        let range = range?;
        let [low, high] = drawn.map_or([range.low.si(), range.high.si()], |d| [d.p05, d.p95]);
        Some([low, range.mid.si(), high])
    }
    let possible = row.unreachable.is_none();
    let shown = |ends: Option<[f64; 3]>| -> Range {
        match possible {
            true => ends.ok_or("power unknown"),
            false => Err("cannot reach this error"),
        }
    };
    let mc = row.monte_carlo;
    Bar {
        name: row.name.clone(),
        below: match possible {
            true => format!("{}, error {:.2} %", row.evidence.name(), 100.0 * row.output_error),
            false => "cannot reach this error".into(),
        },
        colour: colour(row.kind, &row.name, row.encoding != Encoding::Exact),
        gpu: row.kind == Kind::Gpu,
        energy: shown(ends(row.energy_j, mc.and_then(|m| m.energy_j))),
        time: shown(ends(row.time_s, mc.map(|m| m.time_s))),
    }
}

/// Shares of the energy by [`GROUPS`]; none if it is unknown.
fn shares(row: &Row) -> Vec<f64> {
    let total: f64 = row.breakdown.energy_j.values().map(|part| part.mid.si()).sum();
    if row.unreachable.is_some() || row.energy_j.is_none() || total <= 0.0 {
        return Vec::new();
    }
    let of = |name: &&str| row.breakdown.energy_j.get(name).map_or(0.0, |part| part.mid.si());
    GROUPS.iter().map(|group| group.2.iter().map(of).sum::<f64>() / total).collect()
}

impl Figure for Picture {
    fn size(&self) -> (u32, u32) {
        match (&self.tornado, &self.drawing) {
            (Some(tornado), _) => tornado.size(),
            (None, Drawing::Map(_) | Drawing::Pareto(_)) => (1200, HEIGHT as u32),
            (None, _) => (ROWS.width as u32, (ROWS.bottom(self.bars.len()) + 40 + LEGEND) as u32),
        }
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let bold = TextStyle::from(("sans-serif", 22, FontStyle::Bold).into_font()).color(&INK);
        area.draw(&Text::new(self.title.clone(), (24, 18), bold))?;
        if let Some(tornado) = &self.tornado {
            return tornado.draw(area);
        }
        match &self.drawing {
            Drawing::Map(gains) => return map::draw(area, gains),
            Drawing::Pareto(points) => return pareto::draw(area, points),
            Drawing::Bars | Drawing::Tornado => {}
        }
        ROWS.names(area, &self.bars)?;
        let control = self.bars.iter().find(|b| b.name == CONTROL);
        // The bar by itself comes right after the bar.
        let filled = self.bars.iter().find(|b| b.gpu);
        let alone = self.bars.iter().skip_while(|b| !b.gpu).nth(1).filter(|b| b.gpu);
        let lines =
            |gpu: Option<_>| gpu.map(|b| (b, "GPU")).into_iter().chain(control.map(|b| (b, "control")));
        let energy = Panel {
            title: "energy of the whole work",
            unit: "J",
            ends: (235, 690),
            of: |b| b.energy,
            lines: lines(filled).collect(),
        };
        let time = Panel {
            title: "time of the whole work",
            unit: "s",
            ends: (765, 1150),
            of: |b| b.time,
            lines: lines(alone).collect(),
        };
        ROWS.panel(area, &self.bars, &energy)?;
        ROWS.panel(area, &self.bars, &time)?;
        self.parts(area, (1195, ROWS.width - 32))?;
        self.legend(area, ROWS.bottom(self.bars.len()) + 46)
    }
}

impl Picture {
    /// Where the energy goes, as shares.
    fn parts<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        (left, right): (i32, i32),
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        area.draw(&Text::new("where the energy goes", (left, 58), text(17)))?;
        let at = |share: f64| left + (share * f64::from(right - left)).round() as i32;
        for (i, shares) in self.shares.iter().enumerate() {
            let y = ROWS.top + ROWS.height * i as i32 + ROWS.height / 2;
            let mut sum = 0.0;
            for (share, (_, colour, _)) in shares.iter().zip(GROUPS) {
                let part = [(at(sum), y - 11), (at(sum + share), y + 11)];
                area.draw(&Rectangle::new(part, colour.filled()))?;
                sum += share;
            }
        }
        for percent in [0, 50, 100] {
            let style = text(13).pos(Pos::new(HPos::Center, VPos::Top));
            let place = (at(f64::from(percent) / 100.0), ROWS.bottom(self.bars.len()) + 6);
            area.draw(&Text::new(format!("{percent} %"), place, style))?;
        }
        Ok(())
    }

    fn legend<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, top: i32) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let mut marks = vec![
            ("samples (dot: middle of the ranges, bar: 5 to 95 % of draws)", SAMPLED),
            ("control, no thermal physics", THEORY),
            ("GPU; dashed: filled with like work (energy), this work alone (time)", INK),
        ];
        let others = [("computes", EXACT), ("a processor", CPU)];
        marks.extend(others.into_iter().filter(|mark| self.bars.iter().any(|bar| bar.colour == mark.1)));
        meanings(area, top, &marks)?;
        let mut x = 24;
        for (name, colour, _) in GROUPS {
            area.draw(&Rectangle::new([(x, top + 34), (x + 16, top + 50)], colour.filled()))?;
            area.draw(&Text::new(name, (x + 22, top + 34), text(14)))?;
            x += 42 + 8 * name.chars().count() as i32;
        }
        Ok(())
    }
}
