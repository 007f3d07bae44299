//! What pictures of whole models show agrees with their rows: maps, fronts, silicon.

mod llama;

use ceas_npu_model::choice::Tariff;
use ceas_npu_model::comparison::{InferenceComparison, map, pareto};
use ceas_npu_model::device;
use ceas_npu_model::gpu::Gpu;
use ceas_npu_model::workload::Phase;
use llama::{close, question};

#[test]
fn maps_and_the_front_agree_with_the_rows() {
    let asked = question(Phase::Prefill, 1024, 1);
    let gpu = Gpu::h100();
    let pcm = device::load("pcm_wta_projected").unwrap();
    for prices in [false, true] {
        let found = map(&asked, &pcm, &gpu, prices, 9).unwrap();
        assert_eq!((found.gain.len(), found.gain[0].len()), (found.y.1.len(), found.x.1.len()));
        // Dearer to the right or upwards never gains more.
        if prices {
            for row in &found.gain {
                assert!(row.windows(2).all(|w| w[1] <= w[0] * (1.0 + 1e-12)));
            }
        }
        for column in 0..found.x.1.len() {
            // Where a device cannot do it there is no number.
            let falls = |a: f64, b: f64| a.is_nan() || b.is_nan() || b <= a * (1.0 + 1e-12);
            assert!(found.gain.windows(2).all(|w| falls(w[0][column], w[1][column])));
        }
    }
    let control = device::load(device::CONTROL).unwrap();
    assert!(map(&asked, &control, &gpu, false, 5).unwrap_err().to_string().contains("computes"));
    let points = pareto(&asked, &device::compared_with_models(), &[gpu]).unwrap();
    assert!(points.iter().any(|p| p.best) && points.iter().any(|p| !p.best));
    for p in points.iter().filter(|p| p.best) {
        assert!(!points.iter().any(|o| o.error < p.error && o.energy_j < p.energy_j));
    }
}

#[test]
fn silicon_is_that_of_a_search_and_its_ends_are_in_order() {
    let asked = question(Phase::Decode, 1024, 1);
    let devices = device::compared_with_models();
    let comparison = InferenceComparison::new(&asked, &devices, &[Gpu::h100()]).unwrap();
    let mut known = 0;
    for (device, row) in devices.iter().zip(&comparison.rows) {
        let searched = row.mapping.as_ref().map_or(f64::NAN, |m| Tariff::of(device).area(m));
        let Some([low, mid, high]) = row.area_mm2 else {
            assert!(searched.is_nan() || searched == 0.0, "{}: {searched}", device.id);
            continue;
        };
        known += 1;
        close(mid, 1e6 * searched, 1e-12);
        assert!(low <= mid && mid <= high && low < high, "{}", device.id);
    }
    assert!(known >= 4, "{known}");
    // 7·10⁹ numbers of 0.2 µm² and more.
    let pcm = comparison.rows.iter().find(|r| r.name == "pcm_wta_projected").unwrap();
    let held = pcm.mapping.as_ref().unwrap().held;
    close(pcm.area_mm2.unwrap()[2], held * 1e-6, 1e-9);
}
