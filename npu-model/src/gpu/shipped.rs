//! The baselines that come with the program, and those of a user.

use std::path::Path;

use super::Gpu;
use crate::device::read;
use crate::error::Error;

const SHIPPED: [(&str, &str); 11] = [
    ("h100_sxm", include_str!("../../baselines/h100_sxm.toml")),
    ("v100_sxm2", include_str!("../../baselines/v100_sxm2.toml")),
    ("a100_sxm_80", include_str!("../../baselines/a100_sxm_80.toml")),
    ("h200_sxm", include_str!("../../baselines/h200_sxm.toml")),
    ("b200", include_str!("../../baselines/b200.toml")),
    ("mi300x", include_str!("../../baselines/mi300x.toml")),
    ("rtx_4090", include_str!("../../baselines/rtx_4090.toml")),
    ("l4", include_str!("../../baselines/l4.toml")),
    ("jetson_agx_orin_64", include_str!("../../baselines/jetson_agx_orin_64.toml")),
    ("tpu_v5e", include_str!("../../baselines/tpu_v5e.toml")),
    ("tpu_v5p", include_str!("../../baselines/tpu_v5p.toml")),
];

/// Names of the shipped baselines.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// All shipped baselines.
///
/// # Panics
/// Never: a test reads every one.
pub fn shipped() -> Vec<Gpu> {
    shipped_names().map(|name| load(name).expect("the shipped baselines are read by a test")).collect()
}

/// A shipped baseline by its name, or one from a file of one's own.
///
/// # Errors
/// [`Error::UnknownBaseline`] if it is neither; [`Error::Toml`] and [`Error::Key`] if the file is wrong.
pub fn load(name: &str) -> Result<Gpu, Error> {
    if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
        return Gpu::from_toml(name, text);
    }
    if !name.ends_with(".toml") {
        let known = shipped_names().collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownBaseline { name: name.into(), known });
    }
    Gpu::from_toml(name, &read(Path::new(name))?)
}
