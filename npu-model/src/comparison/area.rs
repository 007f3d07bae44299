//! Silicon that a piece of work takes.
//!
//! ```text
//! A = chips · A_chip                                   where the file knows a chip and what it holds
//! A = numbers held · A_number + spins · A_spin         otherwise
//! ```
//!
//! end by end. Logic and converters are inside only as far as the file's areas hold them.

use crate::device::{Area, Device};
use crate::units::Quantity;

/// mm² at the low, middle and high ends, of `chips` that hold `held` numbers and have `spins`; `None` where the file is silent.
///
/// A device that states no spins decides inside its array: then the area of its numbers is all there is.
pub(super) fn silicon(device: &Device, held: f64, spins: f64, chips: f64) -> Option<[f64; 3]> {
    let ends = |what: Area| device.area.get(&what).map(|a| a.range).map(|r| [r.low, r.mid, r.high]);
    let times = |each: [_; 3], count: f64| each.map(|a: crate::units::SquareMetres| 1e6 * count * a.si());
    let whole = ends(Area::Chip).filter(|_| device.design.numbers.is_some() || held == 0.0);
    if let Some(chip) = whole {
        return Some(times(chip, chips));
    }
    let part = |what: Area, count: f64| match ends(what) {
        Some(each) => Some(times(each, count)),
        None => (count == 0.0).then_some([0.0; 3]),
    };
    let inside = device.design.spins.is_none() && !device.area.contains_key(&Area::Spin);
    let numbers = part(Area::Number, held)?;
    let deciding = part(Area::Spin, if inside { 0.0 } else { spins })?;
    let sum = [0, 1, 2].map(|end| numbers[end] + deciding[end]);
    (sum[1].is_finite() && sum[1] > 0.0).then_some(sum)
}
