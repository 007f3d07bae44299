//! The answer of `ceas sweep` as a table.

use std::fmt::Write;

use ceas_npu::sim::critical::{Exponent, Outcome};
use ceas_npu::sim::statistics::Estimate;

use super::{Row, Transition, sigmas};
use crate::report::table::{table, with_error};

/// The whole answer.
pub fn text(answer: &Transition) -> String {
    let mut out = format!(
        "{}; {}, {} replicas; per site, error in the last digits\n\n{}\n\n",
        answer.model,
        answer.update,
        answer.replicas,
        points(answer)
    );
    // Writing to a String cannot fail.
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    if let Some((chi_squared, count, largest)) = answer.against_exact() {
        line(format!(
            "energies beside Kaufman's exact finite torus: chi2 = {chi_squared:.1} for {count} points, largest deviation {largest:.1} sigma"
        ));
    }
    if !answer.pairs.is_empty() {
        line(format!("\n{}\n", crossings(answer)));
    }
    location(answer, &mut line);
    exponents(answer, &mut line);
    line(format!(
        "\n{:.4} attempts/ns over {:.1} s and {} threads (xoshiro256++, own randomness for every attempt{})",
        answer.attempts_per_ns,
        answer.seconds,
        rayon::current_num_threads(),
        if answer.update == "wolff" { "; an attempt is a site tested for a cluster" } else { "" }
    ));
    out
}

fn points(answer: &Transition) -> String {
    let heads = [answer.size_name(), "beta", "energy", "|m|", "C", "chi", "U4", "xi", "tau_int"];
    let mut rows = table(&heads, 0);
    for Row { point: p, .. } in &answer.points {
        let shown =
            |e: Estimate| if e.mean.is_finite() { with_error(e.mean, e.error) } else { "–".to_owned() };
        rows.add_row([
            p.size.to_string(),
            format!("{:.6}", p.beta),
            shown(p.energy),
            shown(p.abs_magnetization),
            shown(p.specific_heat),
            shown(p.susceptibility),
            shown(p.binder),
            shown(p.correlation_length),
            shown(p.tau_int),
        ]);
    }
    rows.to_string()
}

fn crossings(answer: &Transition) -> String {
    let [a, b] = if answer.has_sides { ["L", "L'"] } else { ["N", "N'"] };
    let heads = [a, b, "U4 cross at beta", "common U4", "xi/L cross at beta", "common xi/L"];
    let mut rows = table(&heads, 0);
    for pair in &answer.pairs {
        rows.add_row([
            pair.small.to_string(),
            pair.large.to_string(),
            with_error(pair.beta.mean, pair.beta.error),
            format!("{:.4}", pair.binder),
            pair.length_beta.map_or("–".to_owned(), |b| with_error(b.mean, b.error)),
            pair.length_ratio.map_or("–".to_owned(), |r| format!("{r:.4}")),
        ]);
    }
    rows.to_string()
}

fn location(answer: &Transition, line: &mut impl FnMut(String)) {
    let Some(found) = &answer.beta_c else {
        return line(format!(
            "beta_c: none; {}",
            answer.beta_c_missing.as_deref().unwrap_or("it was not looked for")
        ));
    };
    let c = &found.critical;
    let digits = (2 - c.beta.error.log10().floor() as i32).clamp(4, 12) as usize;
    line(format!("beta_c = {:.digits$} ± {:.digits$}", c.beta.mean, c.beta.error));
    match (&answer.reference, found.sigmas) {
        (Some(known), Some(off)) => {
            let value = if known.error > 0.0 {
                with_error(known.beta_c, known.error)
            } else {
                format!("{:.10}", known.beta_c)
            };
            line(format!("known:   {value}, {}: {off:+.2} sigma", known.source));
        }
        _ => line("known:   no value of the literature is kept for this lattice".to_owned()),
    }
    line(format!("method:  {}", c.method));
    line(format!(
        "error:   statistical {:.1e}, systematic {:.1e} (corrections unknown, omega ± {}, smallest left out); chi2/dof {:.1}/{}",
        c.statistical, c.systematic, c.omega_spread, c.chi_squared, c.freedom
    ));
    line(format!("drift:   U4 of the two largest sizes cross {:+.1e} off beta_c, by the fit", c.drift));
    let n = answer.size_name();
    let ratio = c.length_ratio.map_or(String::new(), |r| format!(", xi/L = {}", with_error(r.mean, r.error)));
    line(format!("at beta_c, {n} = ∞: U4 = {}{ratio}", with_error(c.binder.mean, c.binder.error)));
    match (answer.precision, answer.outcome) {
        (Some(target), Some(Outcome::Reached)) => line(format!("asked:   {target:.1e}, reached")),
        (Some(target), Some(Outcome::OutOfBudget)) => line(format!(
            "asked:   {target:.1e}, NOT reached: {:.1} times as large when the work of --budget was done",
            c.beta.error / target
        )),
        (Some(target), Some(Outcome::OutOfSize)) => line(format!(
            "asked:   {target:.1e}, NOT reached: {:.1} times as large, and a larger size does not fit into memory or --budget",
            c.beta.error / target
        )),
        _ => {}
    }
}

fn exponents(answer: &Transition, line: &mut impl FnMut(String)) {
    let Some(found) = &answer.exponents else { return };
    let known = found.reference;
    let shown = |exponent: &Option<Exponent>| {
        exponent.map_or("–".to_owned(), |x| with_error(x.value.mean, x.value.error))
    };
    let beside = |exponent: &Option<Exponent>, known: Option<(f64, f64)>| match (exponent, known) {
        (Some(x), Some((value, error))) => {
            let digits = if error > 0.0 { 6 } else { 2 };
            format!(" (known {value:.digits$}: {:+.1} sigma)", sigmas(x.value, value, error))
        }
        _ => String::new(),
    };
    let inverse_nu = known.map(|k| (k.inverse_nu, k.inverse_nu_error));
    let nu = inverse_nu.map(|(x, error)| (1.0 / x, error / (x * x)));
    let gamma = known.map(|k| (k.gamma_over_nu, k.gamma_over_nu_error));
    let n = answer.size_name();
    line(format!("\nexponents at beta_c, powers of {n}, statistical and systematic error together"));
    line(format!("  nu      = {}{}", shown(&found.nu), beside(&found.nu, nu)));
    line(format!(
        "            1/nu = {} from dU4/dbeta, {} from dxi/L dbeta",
        shown(&found.inverse_nu_binder),
        shown(&found.inverse_nu_length)
    ));
    match &found.eta {
        Some(_) => line(format!(
            "  eta     = {}{}",
            shown(&found.eta),
            beside(&found.eta, gamma.map(|(x, error)| (2.0 - x, error)))
        )),
        None => {
            line(format!(
                "  gamma/nu = {}{}",
                shown(&found.gamma_over_nu),
                beside(&found.gamma_over_nu, gamma)
            ));
        }
    }
    line(format!("  beta/nu = {}", shown(&found.beta_over_nu)));
    if let Some(known) = known {
        line(format!("  known: {}", known.source));
    }
    if let Some(collapse) = &answer.collapse {
        line(format!(
            "  collapse of U4 of the three largest sizes over (beta - beta_c) {n}^(1/nu): chi2/dof = {:.1}/{}",
            collapse.chi_squared, collapse.freedom
        ));
        if collapse.chi_squared > 2.0 * collapse.freedom as f64 {
            line(
                "            (a collapse leaves corrections to scaling in, and these errors are small enough to see them; beta_c and nu allow for them)"
                    .to_owned(),
            );
        }
    }
}
