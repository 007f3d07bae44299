//! The picture: how entropies move, how β moves, where heads sit, what gating saves and costs, what a stream of tokens does.

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::control::{Moment, TokenScore, Variant};
use plotters::prelude::{RGBColor, SeriesLabelPosition};

use super::over_steps::SHOWN;
use super::{Controlled, HeadLine};
use crate::report::figure::{FAINT, INK, SAMPLED, SERIES, THEORY};
use crate::report::panels::{Mark, Panel, Panels, Series};
use crate::report::present::Answer;

/// Steps that are drawn.
const STEPS: usize = 24;

/// The picture of a run.
pub fn panels(answer: &Controlled) -> Panels {
    let tallies = answer.tallies();
    let corrected = &tallies[Variant::CORRECTED];
    let panel =
        |caption: String, axes: [&str; 2], log: bool, legend: SeriesLabelPosition, series: Vec<Series>| {
            Panel {
                caption,
                axes: axes.map(str::to_owned),
                log: [false, log],
                band: None,
                level: None,
                legend,
                series,
            }
        };
    let on_target = Some((0.0, "on target".to_owned()));
    let shown = &answer.heads[answer.shown()].control;
    let head = format!("head {}.{}", shown.layer, shown.head);
    let right = SeriesLabelPosition::LowerRight;
    Panels {
        title: answer.title(),
        subtitle: format!(
            "published defaults for {}: {} converge, {} cycle    corrected: {} converge, in at most {:.0} steps",
            answer.scale.published_name,
            tallies[0].converged,
            tallies[0].limit_cycle,
            corrected.converged,
            corrected.steps.max,
        ),
        panels: vec![
            Panel {
                level: on_target.clone(),
                ..panel(
                    format!("Distance of H = ln N_eff from its target (bold: {head})"),
                    ["step", "H − H_t  (nats)"],
                    false,
                    right.clone(),
                    steps(answer, |m, _| m.entropy - m.target),
                )
            },
            panel(
                format!("β on the way (bold: {head})"),
                ["step", "β/β₀"],
                true,
                right,
                steps(answer, |m, textbook| m.beta / textbook),
            ),
            panel(
                format!("Specific heat on the way (bold: {head})"),
                ["step", "C = β² Var"],
                false,
                SeriesLabelPosition::UpperRight,
                steps(answer, |m, _| m.specific_heat),
            ),
            panel(
                format!("Queries that pass the published gate (bold: {head})"),
                ["step", "queries kept  (%)"],
                false,
                SeriesLabelPosition::UpperRight,
                passing(answer),
            ),
            panel(
                "Where the heads sit: β over β at the peak of C".into(),
                ["heads, in ascending order of β₀/β_peak", "β/β_peak"],
                true,
                SeriesLabelPosition::UpperLeft,
                seats(answer),
            ),
            panel(
                format!("What gating saves and costs at S = {} (median head)", answer.samples),
                ["queries pruned = sampling events saved  (%)", "output error  (%)"],
                false,
                SeriesLabelPosition::UpperLeft,
                gates(answer),
            ),
            Panel {
                level: on_target,
                ..panel(
                    format!("A stream of tokens, {head}: every token has another row"),
                    ["token", "H − H_t  (nats)"],
                    false,
                    SeriesLabelPosition::LowerLeft,
                    tokens(answer, |m, _| m.entropy - m.target),
                )
            },
            panel(
                format!("β along the stream, {head}"),
                ["token", "β/β₀"],
                true,
                SeriesLabelPosition::MiddleLeft,
                tokens(answer, |m, textbook| m.beta / textbook),
            ),
        ],
    }
}

const COLOURS: [RGBColor; 2] = [THEORY, SAMPLED];

fn line(name: String, points: Vec<(f64, f64, f64)>, colour: (RGBColor, f64), width: u32) -> Series {
    Series { name, points, colour, mark: Mark::Line(width) }
}

/// Numbers of moments, one after another.
fn along(moments: &[Moment], textbook: f64, f: fn(&Moment, f64) -> f64) -> Vec<(f64, f64, f64)> {
    moments.iter().enumerate().map(|(at, m)| (at as f64, f(m, textbook), 0.0)).collect()
}

/// Every head thinly, and the one that is shown boldly: what the published gate of every step keeps.
fn passing(answer: &Controlled) -> Vec<Series> {
    let points = |head: &HeadLine, which: usize| {
        let kept = head.passing[which].kept.iter().take(STEPS + 1).enumerate();
        kept.map(|(at, share)| (at as f64, 100.0 * share, 0.0)).collect::<Vec<_>>()
    };
    thin_and_bold(answer, points)
}

/// Every head thinly, and the one that is shown boldly, under both controllers.
fn steps(answer: &Controlled, f: fn(&Moment, f64) -> f64) -> Vec<Series> {
    thin_and_bold(answer, |head, which| {
        let moments = &head.control.traces[SHOWN[which].0].moments;
        along(&moments[..moments.len().min(STEPS + 1)], head.control.textbook, f)
    })
}

/// Points of every head under both controllers.
fn thin_and_bold(
    answer: &Controlled,
    points: impl Fn(&HeadLine, usize) -> Vec<(f64, f64, f64)>,
) -> Vec<Series> {
    let mut series = Vec::new();
    for (which, colour) in COLOURS.into_iter().enumerate() {
        series.extend(
            answer.heads.iter().map(|head| line(String::new(), points(head, which), (colour, 0.16), 1)),
        );
    }
    for (which, colour) in COLOURS.into_iter().enumerate() {
        let shown = points(&answer.heads[answer.shown()], which);
        let name = format!("{}, {} steps", SHOWN[which].1, shown.len().saturating_sub(1));
        series.push(line(name, shown, (colour, 1.0), 3));
    }
    series
}

/// The head that is shown, token by token, under both controllers.
fn tokens(answer: &Controlled, f: fn(&Moment, f64) -> f64) -> Vec<Series> {
    let head = &answer.heads[answer.shown()];
    let names = [&answer.streams.published.name, &answer.streams.corrected.name];
    let series = head.streamed.iter().zip(names).zip(COLOURS).map(|((streamed, name), colour)| {
        line(name.clone(), along(&streamed.moments, head.control.textbook, f), (colour, 1.0), 2)
    });
    series.collect()
}

/// β₀ and the controlled β over β at the peak of C, sorted by the first.
fn seats(answer: &Controlled) -> Vec<Series> {
    let mut seats: Vec<(f64, f64)> = answer
        .heads
        .iter()
        .filter_map(|head| {
            let before = head.control.over_peak()?;
            let after = head.control.traces[Variant::CORRECTED].last().beta / head.control.textbook;
            Some((before, before * after))
        })
        .collect();
    seats.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = seats.len() as f64;
    let at = |pick: fn(&(f64, f64)) -> f64| -> Vec<(f64, f64, f64)> {
        seats.iter().enumerate().map(|(rank, seat)| (rank as f64 + 1.0, pick(seat), 0.0)).collect()
    };
    let edge = |name: &str, y: f64| Series {
        name: name.into(),
        points: vec![(0.0, y, 0.0), (count + 1.0, y, 0.0)],
        colour: (FAINT, 1.0),
        mark: Mark::Dashed,
    };
    let dots = |name: &str, points, colour| Series {
        name: name.into(),
        points,
        colour: (colour, 0.8),
        mark: Mark::Points,
    };
    vec![
        edge("a factor 1.5 from the peak", 1.5),
        edge("", 1.0 / 1.5),
        dots("as trained, β₀", at(|s| s.0), INK),
        dots("held at the target entropy", at(|s| s.1), SAMPLED),
    ]
}

/// Medians over the heads along each curve of error against share pruned.
fn gates(answer: &Controlled) -> Vec<Series> {
    let Some(first) = answer.heads.first() else { return Vec::new() };
    let points = |number: usize, pick: fn(&(f64, f64, f64)) -> f64| -> Vec<(f64, f64, f64)> {
        (0..first.curves[number].points.len())
            .map(|point| {
                let all = answer.heads.iter().map(|head| pick(&head.curves[number].points[point]));
                let pruned = 100.0 * (1.0 - first.curves[number].points[point].0);
                (pruned, 100.0 * Quantiles::of(all).median, 0.0)
            })
            .collect()
    };
    let colours = [SERIES[1], SERIES[4], SERIES[0]];
    let mut series: Vec<Series> = first
        .curves
        .iter()
        .zip(colours)
        .enumerate()
        .map(|(number, (curve, colour))| {
            let name = match curve.score {
                TokenScore::Published => "lowest T pruned (published score)",
                TokenScore::OverBetaC => "lowest β/β_c pruned",
                TokenScore::SpecificHeat => "lowest C pruned",
            };
            line(name.into(), points(number, |p| p.1), (colour, 1.0), 2)
        })
        .collect();
    if !first.curves.is_empty() {
        series.push(Series {
            name: "no gate: every query read less often".into(),
            points: points(0, |p| p.2),
            colour: (INK, 1.0),
            mark: Mark::Dashed,
        });
    }
    series
}
