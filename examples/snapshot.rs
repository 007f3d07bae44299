//! Lattice configurations in an HDF5 file, written while they are simulated: `cargo run --release --example snapshot`.

#[cfg(feature = "hdf5")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::ops::ControlFlow;

    use ceas_npu::sim::beta::Beta;
    use ceas_npu::sim::hamiltonian::Hamiltonian;
    use ceas_npu::sim::plan::Plan;
    use ceas_npu::sim::run::Run;
    use ceas_npu::sim::schedule::Schedule;
    use ceas_npu::sim::snapshot::{Frame, Header, SnapshotFile, SnapshotReader};
    use ceas_npu::sim::spins::Spins;
    use ceas_npu::sim::stream::{Purpose, Streams};
    use ceas_npu::sim::topology::Topology;
    use ceas_npu::sim::update::HeatBath;

    let model = Hamiltonian::ferromagnet(Topology::square(128)?);
    let update = HeatBath::new(&model)?;
    let header = Header {
        seed: 1,
        hamiltonian: model.to_string(),
        update: "heat-bath".to_owned(),
        lattice: model.topology().name().to_owned(),
        shape: model.topology().shape().to_vec(),
        program_version: "examples/snapshot.rs".to_owned(),
        command_line: "cargo run --example snapshot".to_owned(),
    };
    let path = std::env::temp_dir().join("ceas-snapshot-example.h5");
    let mut file = SnapshotFile::create(&path, &header)?;

    let streams = Streams::new(header.seed, Purpose::Update, 0, update.blocks());
    let start = Spins::up(model.n_sites());
    let mut run = Run::new(&model, start, update, Schedule::Constant(Beta::new(0.5)?), streams);
    let mut written = Ok(());
    run.drive(&Plan { thermalization: 200, sweeps: 100, every: 10 }, |run| {
        let frame = Frame {
            spins: run.state().clone(),
            sweep: run.sweeps(),
            beta: run.beta().value(),
            energy: run.model().energy(run.state()),
        };
        written = file.append(&frame);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    written?;
    println!("{} frames in {}", file.finish()?, path.display());

    let reader = SnapshotReader::open(&path)?;
    let last = reader.frame(reader.frames() - 1)?;
    let m = last.spins.magnetization() as f64 / model.n_sites() as f64;
    println!("|m| = {:.4} at sweep {}; Yang's exact value at β = 0.5 is 0.9113", m.abs(), last.sweep);
    Ok(())
}

#[cfg(not(feature = "hdf5"))]
fn main() {
    println!("built without the feature hdf5");
}
