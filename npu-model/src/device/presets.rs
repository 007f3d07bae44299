//! The shipped devices, and finding a device by name or file.

use std::io::Read;
use std::path::Path;

use super::Device;
use crate::error::Error;

/// The control that every comparison contains: exact attention in ordinary digital arithmetic, no thermal physics.
pub const CONTROL: &str = "control_int8_digital";

/// Largest device file that is read: real ones have a few kilobytes.
const LARGEST: u64 = 1 << 20;

/// Devices that price whole models, compared at `--model` where none is named; the controls are the last.
const WITH_MODELS: [&str; 8] = [
    "z1_spice",
    "asic28_measured",
    "kv260_metered",
    "pcm_wta_projected",
    "northpole_measured",
    "control_analogue",
    "control_int8_streamed",
    CONTROL,
];

/// A device of the literature without enough numbers for a file: its id, what it is, and what is missing.
pub struct Lacking {
    /// Id in the literature table.
    pub id: &'static str,
    /// What it is.
    pub name: &'static str,
    /// What nobody publishes.
    pub missing: &'static str,
}

/// Devices of the literature that cannot be priced, and why.
pub const LACKING: [Lacking; 17] = [
    lacking("fujitsu_da1", "Fujitsu Digital Annealer, first generation", "energy, power, rate"),
    lacking("fujitsu_da2", "Fujitsu Digital Annealer, second generation", "energy, power, rate"),
    lacking(
        "hitachi_cmos_2015",
        "Hitachi CMOS annealing, 20k spins",
        "energy of an update; power and clock are from memory",
    ),
    lacking(
        "hitachi_cmos_2x30k",
        "Hitachi CMOS annealing, 2 × 30k spins",
        "energy and power; only 22 µs a solve",
    ),
    lacking("statica", "STATICA, 512 spins", "energy of an update; everything else is from memory"),
    lacking("amorphica", "Amorphica, 512 spins × 4", "everything: no public source was found"),
    lacking(
        "sachi_hpca2024",
        "SACHI, Hopfield in SRAM",
        "clock and rate; 5.0 pJ a coupling is taken from its own validation",
    ),
    lacking("rosc_560", "560 ring oscillators", "frequency, so energy of a solve; power from memory"),
    lacking(
        "rosc_1968",
        "1,968 ring oscillators",
        "frequency: 1.07 pJ a spin and solve only if a cycle takes 1 ns",
    ),
    lacking("rosc_48_all2all", "48 ring oscillators, all to all", "power, rate"),
    lacking("cim_100k", "coherent Ising machine, 100,512 pulses", "power, rate"),
    lacking("pbit_smtj_borders2019", "eight sMTJ p-bits", "energy; the rate of milliseconds is from memory"),
    lacking("pbit_fpga_aadit2022", "sparse Ising machine on an FPGA", "power; 143 flips/ns is from memory"),
    lacking("pbit_fpga_dsim_1m", "a million p-bits on networked FPGAs", "power"),
    lacking(
        "sbit_cmos_65",
        "CMOS s-bit",
        "number of spins, so rate of a device; 107 fJ an update is simulated",
    ),
    lacking("normal_cn101", "Normal Computing CN101", "every number: only a claim of up to 1000 × is public"),
    lacking(
        "memhnn_cai2020",
        "memristor Hopfield network, 60 spins",
        "energy and rate; only a claim of more than 10⁴ × is public",
    ),
];

const fn lacking(id: &'static str, name: &'static str, missing: &'static str) -> Lacking {
    Lacking { id, name, missing }
}

/// Devices that price all that attention on them takes, compared where none is named; the control is the last.
const COMPARED: [&str; 4] = ["z1_spice", "asic28_measured", "pcm_wta_projected", CONTROL];

const FILES: [(&str, &str); 17] = [
    ("z1_spice", include_str!("../../devices/z1_spice.toml")),
    ("asic28_measured", include_str!("../../devices/asic28_measured.toml")),
    ("kv260_metered", include_str!("../../devices/kv260_metered.toml")),
    ("pcm_wta_projected", include_str!("../../devices/pcm_wta_projected.toml")),
    ("control_analogue", include_str!("../../devices/control_analogue.toml")),
    ("control_int8_streamed", include_str!("../../devices/control_int8_streamed.toml")),
    ("northpole_measured", include_str!("../../devices/northpole_measured.toml")),
    ("composed_cim_28nm", include_str!("../../devices/composed_cim_28nm.toml")),
    ("dtca_projected", include_str!("../../devices/dtca_projected.toml")),
    ("prim_caefa_derived", include_str!("../../devices/prim_caefa_derived.toml")),
    ("toshiba_sbm_measured", include_str!("../../devices/toshiba_sbm_measured.toml")),
    ("dwave_advantage2", include_str!("../../devices/dwave_advantage2.toml")),
    ("aia_16nm_measured", include_str!("../../devices/aia_16nm_measured.toml")),
    ("h100_ising2d", include_str!("../../devices/h100_ising2d.toml")),
    ("a100_ising2d", include_str!("../../devices/a100_ising2d.toml")),
    ("cerebras_ising2d", include_str!("../../devices/cerebras_ising2d.toml")),
    (CONTROL, include_str!("../../devices/control_int8_digital.toml")),
];

/// Ids of the shipped devices.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().map(|(id, _)| id)
}

/// The devices that are compared where none is named.
pub fn compared() -> Vec<Device> {
    let named = |id: &str| load(id).expect("shipped device files are read by a test");
    COMPARED.into_iter().map(named).collect()
}

/// The devices that are compared at whole models where none is named.
pub fn compared_with_models() -> Vec<Device> {
    let named = |id: &str| load(id).expect("shipped device files are read by a test");
    WITH_MODELS.into_iter().map(named).collect()
}

/// Every shipped device.
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
