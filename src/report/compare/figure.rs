//! The picture of `ceas compare`: energy, time, and where the energy goes.

use ceas_npu::npu_model::bill::Spread;
use ceas_npu::npu_model::comparison::Row;
use ceas_npu::npu_model::device::{CONTROL, Kind};
use ceas_npu::npu_model::interval::Interval;
use ceas_npu::npu_model::units::Quantity;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::figure::{FAINT, Figure, INK, SAMPLED, SERIES, THEORY, Trouble, text};
use crate::report::table::si;

/// What the energy goes to, with its colour and the parts that belong to it.
const GROUPS: [(&str, RGBColor, &[&str]); 7] = [
    ("spins deciding", SERIES[0], &["attempts", "flips", "random_bits", "coupler_reads"]),
    ("writing fields and keys", SERIES[1], &["field_writes", "coupling_writes"]),
    ("reading out, adding v", SERIES[4], &["read_outs", "decoder_adds"]),
    ("products q·k", SERIES[2], &["field_macs"]),
    ("softmax, exact average", SERIES[3], &["value_macs", "exponentials"]),
    ("GPU: least by components", RGBColor(90, 90, 90), &["arithmetic", "memory", "idle"]),
    ("GPU: from there up", RGBColor(190, 190, 190), &["up_to_tdp"]),
];

const WIDTH: i32 = 1500;
const LABELS: i32 = 235;
const TOP: i32 = 104;
const ROW: i32 = 52;
const LEGEND: i32 = 96;
/// Behind every other line.
const BAND: RGBColor = RGBColor(246, 246, 246);

/// One line of the picture.
struct Line {
    name: String,
    below: String,
    colour: RGBColor,
    gpu: bool,
    energy: Option<[f64; 3]>,
    time: Option<[f64; 3]>,
    shares: Vec<f64>,
}

/// Three panels with a line for every row.
pub struct Picture {
    title: String,
    lines: Vec<Line>,
}

impl Picture {
    /// The picture of the rows of a comparison.
    pub fn new(title: String, rows: &[Row]) -> Self {
        Self { title, lines: rows.iter().map(Line::new).collect() }
    }
}

impl Line {
    fn new(row: &Row) -> Self {
        fn ends<Q: Quantity>(range: Option<Interval<Q>>, drawn: Option<Spread>) -> Option<[f64; 3]> {
            let range = range?;
            let [low, high] = drawn.map_or([range.low.si(), range.high.si()], |d| [d.p05, d.p95]);
            Some([low, range.mid.si(), high])
        }
        let mc = row.monte_carlo;
        let colour = match row.kind {
            Kind::Gpu => INK,
            Kind::Cpu => SERIES[3],
            _ if row.name == CONTROL => THEORY,
            _ => SAMPLED,
        };
        let total: f64 = row.breakdown.energy_j.values().map(|part| part.mid.si()).sum();
        let share = |parts: &[&str]| {
            let of = |name: &&str| row.breakdown.energy_j.get(name).map_or(0.0, |part| part.mid.si());
            parts.iter().map(of).sum::<f64>() / total
        };
        let below = match &row.unreachable {
            Some(_) => "cannot reach this error".into(),
            None => format!("{}, error {:.2} %", row.evidence.name(), 100.0 * row.output_error),
        };
        let possible = row.unreachable.is_none();
        Self {
            name: row.name.clone(),
            below,
            colour,
            gpu: row.kind == Kind::Gpu,
            energy: ends(row.energy_j, mc.and_then(|m| m.energy_j)).filter(|_| possible),
            time: ends(row.time_s, mc.map(|m| m.time_s)).filter(|_| possible),
            shares: if possible && total > 0.0 {
                GROUPS.iter().map(|g| share(g.2)).collect()
            } else {
                Vec::new()
            },
        }
    }
}

/// A horizontal logarithmic axis over pixels.
struct Axis {
    left: i32,
    right: i32,
    decades: (i32, i32),
}

impl Axis {
    /// From the decade below the least to the decade above the largest.
    fn over(left: i32, right: i32, ranges: impl Iterator<Item = [f64; 3]>) -> Self {
        let mut decades = (i32::MAX, i32::MIN);
        for range in ranges {
            let [low, high] = [range[0].max(f64::MIN_POSITIVE), range[2].max(f64::MIN_POSITIVE)];
            decades.0 = decades.0.min(low.log10().floor() as i32);
            decades.1 = decades.1.max(high.log10().ceil() as i32);
        }
        if decades.0 >= decades.1 {
            decades = (0, 1);
        }
        Self { left, right, decades }
    }

    fn at(&self, value: f64) -> i32 {
        let span = f64::from(self.decades.1 - self.decades.0);
        let share = (value.max(f64::MIN_POSITIVE).log10() - f64::from(self.decades.0)) / span;
        self.left + (share.clamp(0.0, 1.0) * f64::from(self.right - self.left)).round() as i32
    }
}

impl Figure for Picture {
    fn size(&self) -> (u32, u32) {
        (WIDTH as u32, (TOP + ROW * self.lines.len() as i32 + 40 + LEGEND) as u32)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let bottom = TOP + ROW * self.lines.len() as i32;
        let bold = TextStyle::from(("sans-serif", 22, FontStyle::Bold).into_font()).color(&INK);
        area.draw(&Text::new(self.title.clone(), (24, 18), bold))?;
        for (i, line) in self.lines.iter().enumerate() {
            let y = TOP + ROW * i as i32 + ROW / 2;
            if i % 2 == 0 {
                let band = [(16, y - ROW / 2), (WIDTH - 16, y + ROW / 2)];
                area.draw(&Rectangle::new(band, BAND.filled()))?;
            }
            area.draw(&Text::new(line.name.clone(), (24, y - 18), text(16).color(&line.colour)))?;
            area.draw(&Text::new(line.below.clone(), (24, y + 2), text(13).color(&FAINT)))?;
        }
        let energy = Axis::over(LABELS, 690, self.lines.iter().filter_map(|l| l.energy));
        let filled = self.lines.iter().find(|l| l.gpu);
        self.ranges(area, ("energy of the whole work", "J"), &energy, filled, |l| l.energy)?;
        let time = Axis::over(765, 1150, self.lines.iter().filter_map(|l| l.time));
        // The bar by itself comes right after the bar.
        let alone = self.lines.iter().skip_while(|l| !l.gpu).nth(1).filter(|l| l.gpu);
        self.ranges(area, ("time of the whole work", "s"), &time, alone, |l| l.time)?;
        self.shares(area, (1195, WIDTH - 32))?;
        legend(area, bottom + 40)
    }
}

impl Picture {
    /// A panel of ranges on a logarithmic axis, with lines down from the GPU and the control.
    fn ranges<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        (title, unit): (&str, &str),
        axis: &Axis,
        gpu: Option<&Line>,
        of: impl Fn(&Line) -> Option<[f64; 3]>,
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let bottom = TOP + ROW * self.lines.len() as i32;
        area.draw(&Text::new(title.to_owned(), (axis.left, 58), text(17)))?;
        // A label is up to 44 pixels wide.
        let step = (44 * (axis.decades.1 - axis.decades.0) / (axis.right - axis.left) + 1).max(1);
        for decade in (axis.decades.0..=axis.decades.1).step_by(step as usize) {
            let value = 10f64.powi(decade);
            let x = axis.at(value);
            area.draw(&PathElement::new([(x, TOP), (x, bottom)], RGBColor(218, 218, 218)))?;
            let style = text(13).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw(&Text::new(tick(value, unit), (x, bottom + 6), style))?;
        }
        let control = self.lines.iter().find(|l| l.name == CONTROL);
        for (reference, name, colour) in [(gpu, "GPU", INK), (control, "control", THEORY)] {
            if let Some(range) = reference.and_then(&of) {
                let x = axis.at(range[1]);
                let style = text(13).color(&colour).pos(Pos::new(HPos::Center, VPos::Bottom));
                area.draw(&Text::new(name.to_owned(), (x, TOP - 3), style))?;
                for y in (TOP..bottom).step_by(10) {
                    let dash = [(x, y), (x, (y + 5).min(bottom))];
                    area.draw(&PathElement::new(dash, colour.stroke_width(1)))?;
                }
            }
        }
        for (i, line) in self.lines.iter().enumerate() {
            let y = TOP + ROW * i as i32 + ROW / 2;
            match of(line) {
                None => {
                    let middle = (axis.left + axis.right) / 2;
                    let style = text(14).color(&THEORY).pos(Pos::new(HPos::Center, VPos::Center));
                    area.draw(&Text::new("cannot reach this error".to_owned(), (middle, y), style))?;
                }
                Some([low, mid, high]) => {
                    let bar = [(axis.at(low), y - 7), (axis.at(high).max(axis.at(low) + 2), y + 7)];
                    area.draw(&Rectangle::new(bar, line.colour.mix(0.35).filled()))?;
                    area.draw(&Circle::new((axis.at(mid), y), 6, line.colour.filled()))?;
                    // Beside the bar, where there is room: the reference lines stay clear of the numbers.
                    let right = axis.at(high) + 70 < axis.right;
                    let (x, side) =
                        if right { (axis.at(high) + 9, HPos::Left) } else { (axis.at(low) - 9, HPos::Right) };
                    let style = text(14).pos(Pos::new(side, VPos::Center));
                    let label = si(mid, unit);
                    let width = 8 * label.chars().count() as i32;
                    let from = if right { x - 2 } else { x - width };
                    let paper = if i % 2 == 0 { BAND } else { WHITE };
                    area.draw(&Rectangle::new([(from, y - 9), (from + width, y + 9)], paper.filled()))?;
                    area.draw(&Text::new(label, (x, y), style))?;
                }
            }
        }
        Ok(())
    }

    /// Where the energy goes, as shares.
    fn shares<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        (left, right): (i32, i32),
    ) -> Result<(), Trouble>
    where
        B::ErrorType: 'static,
    {
        let bottom = TOP + ROW * self.lines.len() as i32;
        area.draw(&Text::new("where the energy goes".to_owned(), (left, 58), text(17)))?;
        let at = |share: f64| left + (share * f64::from(right - left)).round() as i32;
        for (i, line) in self.lines.iter().enumerate() {
            let y = TOP + ROW * i as i32 + ROW / 2;
            let mut sum = 0.0;
            for (share, (_, colour, _)) in line.shares.iter().zip(GROUPS) {
                let bar = [(at(sum), y - 11), (at(sum + share), y + 11)];
                area.draw(&Rectangle::new(bar, colour.filled()))?;
                sum += share;
            }
        }
        for percent in [0, 50, 100] {
            let style = text(13).pos(Pos::new(HPos::Center, VPos::Top));
            let place = (at(f64::from(percent) / 100.0), bottom + 6);
            area.draw(&Text::new(format!("{percent} %"), place, style))?;
        }
        Ok(())
    }
}

/// A power of ten with its unit.
fn tick(value: f64, unit: &str) -> String {
    let shown = si(value, unit);
    // `si` keeps three digits; on an axis only the power of ten counts.
    shown.replacen(".00", "", 1).replacen(".0", "", 1)
}

fn legend<B: DrawingBackend>(area: &DrawingArea<B, Shift>, top: i32) -> Result<(), Trouble>
where
    B::ErrorType: 'static,
{
    let marks = [
        ("samples; dot: middle of the ranges, bar: 5 to 95 % of draws", SAMPLED),
        ("control, no thermal physics", THEORY),
        ("GPU; dashed: filled with like work (energy), this work alone (time)", INK),
    ];
    let mut x = 24;
    for (name, colour) in marks {
        area.draw(&Circle::new((x + 8, top + 14), 6, colour.filled()))?;
        area.draw(&Text::new(name.to_owned(), (x + 22, top + 6), text(14)))?;
        x += 60 + 8 * name.chars().count() as i32;
    }
    let mut x = 24;
    for (name, colour, _) in GROUPS {
        area.draw(&Rectangle::new([(x, top + 40), (x + 16, top + 56)], colour.filled()))?;
        area.draw(&Text::new(name.to_owned(), (x + 22, top + 40), text(14)))?;
        x += 42 + 8 * name.chars().count() as i32;
    }
    Ok(())
}
