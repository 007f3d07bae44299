//! Numbers and sentences as a terminal shows them: ranges, ratios, lists, wrapped lines.

use std::fmt::Write;

use super::table::si;

/// Adds a title and its lines.
pub fn list(text: &mut String, title: &str, lines: &[String]) {
    let _ = writeln!(text, "{title}");
    for line in lines {
        *text += &wrapped(line);
    }
}

/// A table as text, without the blanks at the ends of its lines.
pub fn narrow(mut table: comfy_table::Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Middle and ends of a range: `1.38 ms (0.014–14)`, the ends in the unit of the middle; without ends the middle alone.
pub fn shown(mid: Option<f64>, unit: &str, ends: Option<(f64, f64)>) -> String {
    match (mid, ends) {
        (None, _) => "–".into(),
        (Some(mid), None) => si(mid, unit),
        (Some(mid), Some((low, high))) => {
            // The prefix that `si` gives the middle: a power of a thousand at most as large as it.
            let power = (mid / 0.9995).log10().div_euclid(3.0) * 3.0;
            let end = |x: f64| brief(x / 10f64.powf(power));
            format!("{} ({}–{})", si(mid, unit), end(low), end(high))
        }
    }
}

/// Silicon in mm²: middle and ends, `0.094 (0.047–0.47)`, or in thousands, `5.04k (2.5–25)`; one number where all are the same, `?` where
/// the file is silent.
pub fn area(ends: Option<[f64; 3]>) -> String {
    match ends {
        None => "?".into(),
        Some([low, mid, high]) => {
            let (unit, k) = if mid >= 999.5 { (1e3, "k") } else { (1.0, "") };
            let middle = short(mid / unit) + k;
            match low < high {
                true => format!("{middle} ({}–{})", brief(low / unit), brief(high / unit)),
                false => middle,
            }
        }
    }
}

/// A share of draws in whole percent.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("–".into(), |share| format!("{:.0} %", 100.0 * share))
}

/// A ratio with two digits that count.
pub fn times(x: f64) -> String {
    format!("{}×", short(x))
}

/// A number in few characters.
pub fn short(x: f64) -> String {
    match x.abs() {
        a if !a.is_finite() => "∞".into(),
        a if a >= 1e5 || (a < 1e-3 && a > 0.0) => format!("{x:.1e}"),
        a if a >= 99.95 => format!("{x:.0}"),
        a if a >= 9.995 => format!("{x:.1}"),
        a if a >= 0.0995 => format!("{x:.2}"),
        a if a >= 0.009_95 => format!("{x:.3}"),
        _ => format!("{x:.4}"),
    }
}

/// A number with two digits that count.
pub fn brief(x: f64) -> String {
    match x.abs() {
        a if a >= 9.95 => format!("{x:.0}"),
        a if a >= 0.995 => format!("{x:.1}"),
        a if a >= 0.0995 => format!("{x:.2}"),
        a if a >= 0.009_95 => format!("{x:.3}"),
        _ => format!("{x:.1e}"),
    }
}

/// A line of a list, wrapped to 106 columns.
pub fn wrapped(line: &str) -> String {
    let mut text = String::from("  ");
    let mut width = 2;
    for word in line.split(' ') {
        let length = word.chars().count();
        if width + length > 106 {
            text.truncate(text.trim_end().len());
            text += "\n    ";
            width = 4;
        }
        text += word;
        text.push(' ');
        width += length + 1;
    }
    text.trim_end().to_owned() + "\n"
}
