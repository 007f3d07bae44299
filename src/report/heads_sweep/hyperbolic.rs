//! β_c = 1/λ_max(J) on trees and hyperbolic patches, beside the published exponential.

use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;
use serde_json::json;

use crate::report::figure::SERIES;
use crate::report::panels::{Mark, Panel, Panels, Series};
use crate::report::present::{Answer, command_line};
use crate::report::table::{fixed, number, table, wrapped};

/// One graph.
#[derive(Serialize)]
pub struct HyperbolicRow {
    /// What it is.
    pub name: String,
    /// Its layers.
    pub layers: usize,
    /// Its sites.
    pub sites: usize,
    /// β_c with a coupling of 1 on every bond and none elsewhere.
    pub bonds: f64,
    /// (a, β_c) with J = e^(−a d) between all sites.
    pub decaying: Vec<(f64, f64)>,
    /// Slope of ln β_c against a, and the largest residual.
    pub fit: Option<(f64, f64)>,
}

/// All graphs.
pub struct Hyperbolic {
    /// The graphs.
    pub rows: Vec<HyperbolicRow>,
    /// The decays a.
    pub decays: Vec<f64>,
}

impl Serialize for Hyperbolic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "command": "sweep",
            "command_line": command_line(),
            "version": env!("CARGO_PKG_VERSION"),
            "lattice": null,
            "decays": self.decays,
            "graphs": self.rows,
        })
        .serialize(serializer)
    }
}

impl Answer for Hyperbolic {
    type Picture = Panels;

    fn title(&self) -> String {
        "Hyperbolic attention in mean field: β_c = 1/λ_max(J)".into()
    }

    fn text(&self) -> String {
        let mut columns: Vec<String> = ["graph", "layers", "sites", "bonds only"].map(str::to_owned).into();
        columns.extend(self.decays.iter().map(|a| format!("a = {a}")));
        columns.extend(["r".to_owned(), "off by".to_owned()]);
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut rows = table(&names, 1);
        for column in rows.column_iter_mut() {
            column.set_padding((0, 1));
        }
        for row in &self.rows {
            let mut cells =
                vec![row.name.clone(), row.layers.to_string(), row.sites.to_string(), number(row.bonds, 3)];
            cells.extend(row.decaying.iter().map(|(_, beta_c)| number(*beta_c, 3)));
            let (slope, worst) = row.fit.unwrap_or((f64::NAN, f64::NAN));
            cells.push(number(slope, 3));
            cells.push(format!("× {}", fixed(worst.exp(), 2)));
            rows.add_row(cells);
        }
        let words = wrapped(
            "J = e^(−a d) between all pairs of sites, d in bonds; β_c = 1/λ_max(J) is where mean field has an ordered solution. The published form \
             β_c ~ e^(r a)/λ_max with one r for all a is fitted as ln β_c = r a + const; \"off by\" is its worst factor over the a shown.\n\
             It fails because shells grow as fast as couplings decay: on a tree of branching b, λ_max diverges with the depth for a < ½ ln b (0.549 for b = 3), so that \
             β_c → 0 there, while at large a it is set by the nearest neighbours and r → 1. An r that fits one side of ½ ln b does not fit the other.\n\
             With a coupling on the bonds alone, 1/λ_max → 1/(2√(q − 1)) on a tree (0.289 for q = 4); the Bethe lattice orders at artanh(1/(q − 1)) = 0.347: mean field is low. \
             Free boundaries hold a fixed share of all sites and change the transition itself (arXiv:2507.21044).",
        );
        format!("{rows}\n\n{words}")
    }

    fn picture(&self) -> Panels {
        let deepest = |name: &str| self.rows.iter().filter(|r| r.name == name).max_by_key(|r| r.layers);
        let names: Vec<&str> = self.rows.iter().map(|r| r.name.as_str()).fold(Vec::new(), |mut all, name| {
            if !all.contains(&name) {
                all.push(name);
            }
            all
        });
        let tree = self.rows.first().map_or("", |r| r.name.as_str());
        let by_depth = self.rows.iter().filter(|r| r.name == tree).zip(SERIES).map(|(row, colour)| Series {
            name: format!("{} layers", row.layers),
            points: row.decaying.iter().map(|&(a, b)| (a, b, 0.0)).collect(),
            colour: (colour, 1.0),
            mark: Mark::Line(2),
        });
        let mut graphs = Vec::new();
        for (row, colour) in names.iter().filter_map(|name| deepest(name)).zip(SERIES) {
            graphs.push(Series {
                name: format!("{}, {} layers", row.name, row.layers),
                points: row.decaying.iter().map(|&(a, b)| (a, b, 0.0)).collect(),
                colour: (colour, 1.0),
                mark: Mark::Points,
            });
            if let Some((slope, _)) = row.fit {
                let count = row.decaying.len() as f64;
                let mean_a = row.decaying.iter().map(|p| p.0).sum::<f64>() / count;
                let mean = row.decaying.iter().map(|p| p.1.ln()).sum::<f64>() / count;
                graphs.push(Series {
                    name: String::new(),
                    points: row
                        .decaying
                        .iter()
                        .map(|p| (p.0, (mean + slope * (p.0 - mean_a)).exp(), 0.0))
                        .collect(),
                    colour: (colour, 1.0),
                    mark: Mark::Dashed,
                });
            }
        }
        let axes = || ["decay a per bond".to_owned(), "β_c = 1/λ_max(J)".to_owned()];
        let threshold = 0.5 * 3f64.ln();
        Panels {
            title: self.title(),
            subtitle: "couplings e^(−a d) between all pairs of sites".into(),
            panels: vec![
                Panel {
                    caption: format!("{tree}: below a = ½ ln 3 the limit is 0"),
                    axes: axes(),
                    log: [false, true],
                    band: Some((0.0, threshold, "a < ½ ln 3: λ_max diverges with depth".into())),
                    level: None,
                    legend: SeriesLabelPosition::LowerRight,
                    series: by_depth.collect(),
                },
                Panel {
                    caption: "One exponential (dashed) does not fit".into(),
                    axes: axes(),
                    log: [false, true],
                    band: None,
                    level: None,
                    legend: SeriesLabelPosition::LowerRight,
                    series: graphs,
                },
            ],
        }
    }
}
