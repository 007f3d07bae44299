//! The shipped devices, and finding a device by name or file.

use std::io::Read;
use std::path::Path;

use super::Device;
use crate::error::Error;

/// The control that every comparison contains: exact attention in ordinary digital arithmetic, no thermal physics.
pub const CONTROL: &str = "control_int8_digital";

/// Largest device file that is read: real ones have a few kilobytes.
const LARGEST: u64 = 1 << 20;

const FILES: [(&str, &str); 4] = [
    ("z1_spice", include_str!("../../devices/z1_spice.toml")),
    ("asic28_measured", include_str!("../../devices/asic28_measured.toml")),
    ("pcm_wta_projected", include_str!("../../devices/pcm_wta_projected.toml")),
    (CONTROL, include_str!("../../devices/control_int8_digital.toml")),
];

/// Ids of the shipped devices.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().map(|(id, _)| id)
}

/// Every shipped device; the control is the last.
pub fn shipped() -> Vec<Device> {
    FILES
        .into_iter()
        .map(|(id, text)| Device::from_toml(id, text).expect("shipped device files are read by a test"))
        .collect()
}

/// A device by the id of a shipped one, or from a file whose name ends in `.toml`.
///
/// ```
/// use ceas_npu_model::device;
/// assert_eq!(device::load("z1_spice").unwrap().id, "z1_spice");
/// assert!(device::load("z2").unwrap_err().to_string().contains("asic28_measured"));
/// ```
///
/// # Errors
/// [`Error::UnknownDevice`] for a name that is neither, [`Error::Toml`] and [`Error::Key`] for a file that is wrong.
pub fn load(name: &str) -> Result<Device, Error> {
    if let Some((id, text)) = FILES.into_iter().find(|(id, _)| *id == name) {
        return Device::from_toml(id, text);
    }
    let path = Path::new(name);
    if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml")) {
        let known = shipped_names().collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownDevice { name: name.into(), known });
    }
    Device::from_toml(name, &read(path)?)
}

/// The text of a file of reasonable size.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    let name = path.display().to_string();
    let wrong = |reason: String| Error::Toml { file: name.clone(), reason };
    let file = std::fs::File::open(path).map_err(|e| wrong(e.to_string()))?;
    let mut text = String::new();
    // What is read is bounded, whatever the system says of the size: a device or a pipe has none.
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(|e| wrong(e.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(wrong(format!("is larger than {LARGEST} bytes, which no file of this kind is")));
    }
    Ok(text)
}
