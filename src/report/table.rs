//! Tables that fit a terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// An empty table with the given column heads; numbers are aligned to the right from column `numeric_from` on.
pub fn table(heads: &[&str], numeric_from: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>());
    for column in table.column_iter_mut().skip(numeric_from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// `mean ± error` with two digits of the error, in the short form physicists use: 0.44068(12); a dash for what does not exist.
pub fn with_error(mean: f64, error: f64) -> String {
    if !mean.is_finite() {
        return "–".into();
    }
    if !error.is_finite() || error <= 0.0 {
        return format!("{mean:.6}");
    }
    let mut digits = 1 - error.log10().floor() as i32;
    if (error * 10f64.powi(digits)).round() >= 100.0 {
        digits -= 1;
    }
    if digits <= 0 {
        return format!("{mean:.0} ± {error:.0}");
    }
    let scaled = (error * 10f64.powi(digits)).round();
    format!("{mean:.*}({scaled:.0})", digits as usize)
}

/// A number with an SI prefix and its unit, three significant digits: `si(1.2e-12, "J")` is `1.20 pJ`.
pub fn si(value: f64, unit: &str) -> String {
    const PREFIXES: [(&str, i32); 14] = [
        ("y", -24),
        ("z", -21),
        ("a", -18),
        ("f", -15),
        ("p", -12),
        ("n", -9),
        ("µ", -6),
        ("m", -3),
        ("", 0),
        ("k", 3),
        ("M", 6),
        ("G", 9),
        ("T", 12),
        ("P", 15),
    ];
    if value == 0.0 || !value.is_finite() {
        return format!("{value} {unit}");
    }
    if !(0.9995e-24..1e18).contains(&value.abs()) {
        return format!("{value:.2e} {unit}");
    }
    let (prefix, power) = PREFIXES
        .into_iter()
        .rev()
        .find(|(_, power)| value.abs() >= 0.9995 * 10f64.powi(*power))
        .unwrap_or(PREFIXES[0]);
    let scaled = value / 10f64.powi(power);
    let decimals = if scaled.abs() >= 99.95 {
        0
    } else if scaled.abs() >= 9.995 {
        1
    } else {
        2
    };
    format!("{scaled:.decimals$} {prefix}{unit}")
}

/// A number with so many significant digits; a dash for one that does not exist.
pub fn number(x: f64, digits: i32) -> String {
    if !x.is_finite() {
        return "–".into();
    }
    let places = if x == 0.0 { 0 } else { (digits - 1 - x.abs().log10().floor() as i32).clamp(0, 5) };
    format!("{x:.*}", places as usize)
}

/// A number with so many places; a dash for one that does not exist.
pub fn fixed(x: f64, places: usize) -> String {
    if x.is_finite() { format!("{x:.places$}") } else { "–".into() }
}

/// Lines of at most 110 characters, broken between words.
pub fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        if line.chars().count() <= 110 {
            lines.push_str(line);
            lines.push('\n');
            continue;
        }
        let mut length = 0;
        for word in line.split(' ') {
            let size = word.chars().count();
            if length > 0 {
                let full = length + 1 + size > 110;
                lines.push(if full { '\n' } else { ' ' });
                length = if full { 0 } else { length + 1 };
            }
            lines.push_str(word);
            length += size;
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_quoted_with_two_digits() {
        assert_eq!(with_error(0.440_687, 0.000_12), "0.44069(12)");
        assert_eq!(with_error(0.440_687, 0.000_995), "0.4407(10)");
        assert_eq!(with_error(12.3, 1.5), "12.3(15)");
        assert_eq!(with_error(1234.0, 56.0), "1234 ± 56");
        assert_eq!(with_error(0.5, 0.0), "0.500000");
        assert_eq!(with_error(f64::NAN, f64::NAN), "–");
    }

    #[test]
    fn si_prefixes() {
        assert_eq!(si(1.2e-12, "J"), "1.20 pJ");
        assert_eq!(si(9.996e-13, "J"), "1.00 pJ");
        assert_eq!(si(153.6e-12, "J"), "154 pJ");
        assert_eq!(si(0.0, "s"), "0 s");
    }
}
