//! The library: what was published, where it stands, and what of it this project read.

use super::{Component, Kind};
use crate::provenance::{Evidence, Provenance};
use crate::units::{Hertz, Joules, SquareMetres};

const HWC: &str = "hwcomponents-library (Accelergy-Project), the line of this design";
const HWC_READ: &str = "2026-11-30 against the library at 8b56f7e: energy, area, node and throughput of the line agree; the paper that the line \
                        quotes was not read";
const SURVEY: &str =
    "Murmann, ADC Performance Survey 1997–2025, github.com/bmurmann/ADC-survey: designs within half a bit";
const SURVEY_READ: &str = "2026-11-30 against ADCsurvey_latest.xlsx at ddf3c1b, 725 designs with P/fsnyq and SNDR_plot: best, quartile and \
                           median recomputed, and they agree; the node is the middle of a wide range";
const HOROWITZ: &str = "Horowitz, ISSCC 2014, doi:10.1109/ISSCC.2014.6757323, 45 nm";
const TPU: &str = "Jouppi et al., ISCA 2021, doi:10.1109/ISCA52012.2021.00010, 7 nm";

const fn component(id: &'static str, kind: Kind, joules: f64, node_nm: f64, bits: f64) -> Component {
    Component {
        id,
        kind,
        energy: Joules::new(joules),
        area: None,
        rate: None,
        node_nm,
        bits,
        evidence: Evidence::Simulated,
        provenance: Provenance::LookedUp,
        source: HWC,
        checked: Some(HWC_READ),
    }
}

/// With silicon in µm² and actions a second.
const fn sized(component: Component, square_micrometres: f64, hertz: Option<f64>) -> Component {
    let rate = match hertz {
        Some(hertz) => Some(Hertz::new(hertz)),
        None => None,
    };
    Component { area: Some(SquareMetres::new(square_micrometres * 1e-12)), rate, ..component }
}

const fn surveyed(id: &'static str, joules: f64, bits: f64) -> Component {
    Component {
        evidence: Evidence::Measured,
        source: SURVEY,
        checked: Some(SURVEY_READ),
        ..component(id, Kind::Adc, joules, 65.0, bits)
    }
}

const fn remembered(
    id: &'static str,
    kind: Kind,
    joules: f64,
    node_nm: f64,
    bits: f64,
    source: &'static str,
) -> Component {
    Component {
        provenance: Provenance::Memory,
        evidence: Evidence::Projected,
        source,
        checked: None,
        ..component(id, kind, joules, node_nm, bits)
    }
}

/// Cycles of 150 ns, as all of TIMELY.
const TIMELY: Option<f64> = Some(1.0 / 150e-9);

/// The library.
pub const LIBRARY: [Component; 24] = [
    sized(component("isaac_adc_8b", Kind::Adc, 1.667e-12, 32.0, 8.0), 1200.0, Some(1.2e9)),
    sized(component("newton_adc_9b", Kind::Adc, 2.583e-12, 32.0, 9.0), 1500.0, Some(1e9)),
    sized(component("forms_adc_4b", Kind::Adc, 0.226e-12, 32.0, 4.0), 284.375, Some(2.1e9)),
    sized(component("timely_tdc_8b", Kind::Adc, 0.145e-12, 65.0, 8.0), 310.0, TIMELY),
    // The line states no width, so that eight bits is how it is used here, and no throughput.
    sized(component("neurram_adc", Kind::Adc, 0.3e-12, 130.0, 8.0), 400.0, None),
    surveyed("survey_adc_6b_quartile", 3.11e-12, 6.0),
    surveyed("survey_adc_8b_quartile", 9.06e-12, 8.0),
    surveyed("survey_adc_8b_best", 1.091e-12, 8.0),
    sized(component("brahms_dac_8b", Kind::Dac, 0.291e-12, 40.0, 8.0), 438.0, Some(1.1e9)),
    sized(component("isaac_dac_1b", Kind::Dac, 0.416_67e-12, 32.0, 1.0), 0.166_015_625, Some(1e9)),
    sized(component("timely_dtc_8b", Kind::Dac, 0.0375e-12, 65.0, 8.0), 240.0, TIMELY),
    sized(component("timely_comparator", Kind::Comparator, 0.0417e-12, 65.0, 1.0), 40.0, TIMELY),
    // An adder and a multiplier of 32 bits: 0.21 + 12.68 pJ, 278 + 6350 µm².
    sized(component("aladdin_mac_32b", Kind::Mac, 12.89e-12, 40.0, 32.0), 6628.0, Some(1e9)),
    remembered("int8_mac_45", Kind::Mac, 0.23e-12, 45.0, 8.0, HOROWITZ),
    remembered("fp16_mac_45", Kind::Mac, 1.5e-12, 45.0, 16.0, HOROWITZ),
    remembered("int8_mac_7", Kind::Mac, 0.08e-12, 7.0, 8.0, TPU),
    remembered("bf16_mac_7", Kind::Mac, 0.31e-12, 7.0, 16.0, TPU),
    Component {
        provenance: Provenance::SecondHand,
        evidence: Evidence::Derived,
        source: "Horowitz, ISSCC 2014, 10 pJ for 64 bits of 8 KB, as quoted in PMC8934428, Table 3: 5 pJ for the half of an access",
        checked: None,
        ..component("sram_8kb_45", Kind::Sram, 10e-12 / 64.0, 45.0, 1.0)
    },
    // 64 KB: 20.45 pJ for 256 bits, 83,000 µm² for 2048 times 256.
    sized(component("isaac_edram", Kind::Sram, 20.45e-12 / 256.0, 32.0, 1.0), 83_000.0 / 524_288.0, None),
    remembered("sram_1mb_7", Kind::Sram, 14e-12 / 64.0, 7.0, 1.0, TPU),
    remembered(
        "hbm2",
        Kind::Dram,
        3.9e-12,
        20.0,
        1.0,
        "O'Connor et al., MICRO 2017, doi:10.1145/3123939.3124545, whose abstract was read and does not hold the number",
    ),
    remembered("hbm3", Kind::Dram, 5.0e-12, 10.0, 1.0, "3.5 to 7 pJ a bit from device to system: the middle"),
    remembered(
        "wire_mm_45",
        Kind::Wire,
        0.2e-12,
        45.0,
        1.0,
        "200 fJ a bit and millimetre at 45 nm, 60 at 7 nm",
    ),
    // 26 pJ for 128 bits.
    Component { node_nm: 65.0, ..component("isaac_link", Kind::Link, 26e-12 / 128.0, 65.0, 1.0) },
];
