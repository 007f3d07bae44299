//! dimod's JSON.

use serde::{Deserialize, Serialize};

use super::flaw::{Flaw, Malformed, shown};
use super::{Instance, Objective, lines};

/// `BinaryQuadraticModel.to_serializable()`, schema 3.0.0.
#[derive(Serialize, Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: String,
    version: Version,
    use_bytes: bool,
    index_type: String,
    bias_type: String,
    num_variables: u64,
    num_interactions: u64,
    variable_labels: Vec<serde_json::Value>,
    variable_type: String,
    offset: f64,
    info: serde_json::Map<String, serde_json::Value>,
    linear_biases: Vec<f64>,
    quadratic_biases: Vec<f64>,
    quadratic_head: Vec<u64>,
    quadratic_tail: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct Version {
    bqm_schema: String,
}

/// The part that says whether the rest can be read.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    use_bytes: bool,
}

fn fail<T>(flaw: Flaw) -> Result<T, Malformed> {
    Err(Malformed { line: 0, flaw })
}

fn json<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed {
        line: error.line(),
        flaw: Flaw::Json { reason: format!("{} (column {})", bare(&error), error.column()) },
    })
}

/// The parser's message without the position, which the flaw carries itself.
fn bare(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or_default().chars().take(200).collect()
}

pub(super) fn parse(text: &str, asked: Option<Objective>) -> Result<Instance, Malformed> {
    let head: Head = json(text)?;
    if head.kind != "BinaryQuadraticModel" {
        return fail(Flaw::Json { reason: format!("its type is {:?}", shown(&head.kind)) });
    }
    if head.use_bytes {
        let reason = "its arrays are bytes: save it with to_serializable(use_bytes=False)".to_owned();
        return fail(Flaw::Json { reason });
    }
    let model: Model = json(text)?;
    let objective = match model.variable_type.as_str() {
        "SPIN" => Objective::Ising,
        "BINARY" => Objective::Qubo,
        _ => return fail(Flaw::Vartype),
    };
    if let Some(asked) = asked.filter(|&asked| asked != objective) {
        return fail(Flaw::Objective { file: objective.name(), asked: asked.name() });
    }
    let n = model.linear_biases.len();
    let m = model.quadratic_biases.len();
    let lengths = [
        ("linear_biases", n as u64, model.num_variables),
        ("quadratic_biases", m as u64, model.num_interactions),
    ];
    for (key, got, expected) in lengths {
        if got != expected {
            return fail(Flaw::Length { key, got: got as usize, expected: expected as usize });
        }
    }
    for (key, got, expected) in [
        ("variable_labels", model.variable_labels.len(), n),
        ("quadratic_head", model.quadratic_head.len(), m),
        ("quadratic_tail", model.quadratic_tail.len(), m),
    ] {
        if got != expected {
            return fail(Flaw::Length { key, got, expected });
        }
    }
    lines::credible(n as u64, n + m)?;
    let mut pairs = Vec::with_capacity(m);
    for (&a, &b) in model.quadratic_head.iter().zip(&model.quadratic_tail) {
        if let Some(&variable) = [a, b].iter().find(|&&v| v >= n as u64) {
            return fail(Flaw::OutOfRange { variable, least: 0, most: n as u64 - 1 });
        }
        if a == b {
            let remedy = "an interaction joins two variables; a linear term belongs to linear_biases";
            return fail(Flaw::SelfLoop { variable: a, remedy });
        }
        pairs.push((a as u32, b as u32));
    }
    let mut order: Vec<_> = pairs.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
    order.sort_unstable();
    if let Some(pair) = order.windows(2).find(|pair| pair[0] == pair[1]) {
        let reason = format!("interaction ({}, {}) is listed twice", pair[0].0, pair[0].1);
        return fail(Flaw::Json { reason });
    }
    let numbered =
        model.variable_labels.iter().enumerate().all(|(i, label)| label.as_u64() == Some(i as u64));
    let mut instance = Instance {
        objective,
        n,
        pairs,
        quadratic: model.quadratic_biases,
        linear: if model.linear_biases.iter().all(|&a| a == 0.0) { Vec::new() } else { model.linear_biases },
        offset: model.offset,
        labels: (!numbered).then_some(model.variable_labels),
    };
    instance.flip_signs_of_spins();
    Ok(instance)
}

/// The model of an instance that is no cut.
pub(super) fn text(instance: &Instance) -> String {
    let mut model = instance.clone();
    model.flip_signs_of_spins();
    let (head, tail) = model.pairs.iter().map(|&(a, b)| (u64::from(a), u64::from(b))).unzip();
    let n = model.n;
    let model = Model {
        kind: "BinaryQuadraticModel".to_owned(),
        version: Version { bqm_schema: "3.0.0".to_owned() },
        use_bytes: false,
        index_type: "int32".to_owned(),
        bias_type: "float64".to_owned(),
        num_variables: n as u64,
        num_interactions: model.pairs.len() as u64,
        variable_labels: model.labels.unwrap_or_else(|| (0..n).map(serde_json::Value::from).collect()),
        variable_type: if model.objective == Objective::Ising { "SPIN" } else { "BINARY" }.to_owned(),
        offset: model.offset,
        info: serde_json::Map::new(),
        linear_biases: if model.linear.is_empty() { vec![0.0; n] } else { model.linear },
        quadratic_biases: model.quadratic,
        quadratic_head: head,
        quadratic_tail: tail,
    };
    serde_json::to_string(&model).expect("numbers and strings are JSON") + "\n"
}
