//! Activations as means of p-bits, a gated unit, and a surrogate with its bias: `cargo run --example feed_forward`.

use ceas_npu::mapping::feed_forward::{
    Activation, Gates, Glu, entropy, minus_free_energy, minus_internal_energy,
};
use ceas_npu::mapping::program::{Component, Reading};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = [-2.27, -0.7, 0.4, 1.3, 2.27];
    let reading = Reading::new(20_000.try_into()?, 1);
    let cases = [
        ("SiLU = −U of a two-level spin", Activation::Silu),
        ("GELU, Gaussian comparator", Activation::Gelu),
        ("tanh-GELU", Activation::GeluTanh),
        ("ReLU, no noise", Activation::Relu),
        ("tanh", Activation::Tanh),
        ("x σ(1.702 x) as a GELU: biased", Activation::Surrogate { b: Activation::SIGMOID_GELU }),
        ("x σ(1.773 x) as a GELU: biased", Activation::Surrogate { b: Activation::MINIMAX_GELU }),
    ];
    for (name, activation) in cases {
        let gates = Gates { activation };
        let (read, exact) = (gates.lower(&x)?.run(&reading)?, gates.reference(&x)?);
        let (mean, sigma) = (read.mean[4], read.deviations(&exact)[4]);
        println!(
            "{name:<31} x = 2.27: exact {:.5}   sampled {:.5} ± {:.5}   {sigma:+.1} σ   worst {:.1} σ",
            exact[4],
            mean.mean,
            mean.error,
            read.worst(&exact)
        );
    }
    let (swiglu, input) =
        (Glu { activation: Activation::Silu }, (x.to_vec(), vec![2.0, -1.0, 0.5, 3.0, -2.0]));
    let (read, exact) = (swiglu.lower(&input)?.run(&reading)?, swiglu.reference(&input)?);
    println!("SwiGLU of 5 pairs: worst {:.1} σ", read.worst(&exact));
    let (f, u, s) = (minus_free_energy(0.4, 1.0), minus_internal_energy(0.4, 1.0), entropy(0.4, 1.0));
    println!("at x = 0.4: softplus {f:.15} − SiLU {u:.15} = {:.15}, entropy {s:.15}", f - u);
    Ok(())
}
