//! One trace for a person: of a model that is traced by nothing but the annotation.

mod waterfall;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use waterfall::waterfall;

use crate::models::{component, component_if_any, model, objects};
use crate::rig::Rig;
use crate::rig::kubelet::environment;
use crate::rig::parts::Parts;
use crate::rig::query::Span;

tests![
    a_trace_that_is_shown_names_its_id_and_draws_each_span_below_the_one_that_caused_it,
    of_a_file_whose_trace_cannot_be_shown_the_reason_is_said_at_once,
];

/// What is shown unless another file is named.
const EXAMPLE: &str = "examples/own-container.yaml";

/// How many requests are made until one is sampled.
const MANY: usize = 500;

/// `tests/spans/show [FILE]`
pub(crate) fn show(parts: Result<Parts, String>, folder: &Path, file: Option<&str>) -> ExitCode {
    let parts = match parts {
        Ok(parts) => parts,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let rig = Rig::start(parts, folder);
    let shown = shown(&rig, file.unwrap_or(EXAMPLE));
    drop(rig);
    let _ = fs::remove_dir_all(folder);
    let text = match shown {
        Ok((text, _)) => text,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    // Colours only where they can be seen.
    match anstream::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Has a model of a file traced, and tells how. Gives the trace too. Or tells why there would be none.
fn shown(rig: &Rig, file: &str) -> Result<(String, Vec<Span>), String> {
    let documents = objects(&fs::read_to_string(file).unwrap());
    let manifest = model(&documents);
    let stored = rig.webhook.create(manifest).object;
    let mut predictors = stored["spec"]["predictors"].as_array().unwrap().iter();
    let mut obstacles = String::new();
    let predictor = predictors.find(|predictor| {
        let found: Vec<_> = obstacles_of(rig, &stored, predictor).collect();
        obstacles.extend(found.iter().map(|obstacle| format!("\n- {obstacle}")));
        found.is_empty()
    });
    let Some(predictor) = predictor else {
        return Err(format!("{file} cannot be shown here:{obstacles}"));
    };
    let mut text = format!("{file} asks for tracing by\n\n");
    let annotations = manifest["metadata"]["annotations"].as_object().unwrap();
    for (key, value) in annotations {
        writeln!(text, "    {key}: {value}").unwrap();
    }
    text.push_str(
        "\nThe webhook answers, and on a node the processes have in their environment\n\n",
    );
    let mut tell = |name: &str, env: &Value| {
        let ours = environment(env, rig.node).into_iter();
        let ours = ours.filter(|(name, _)| name == "TRACING" || name.starts_with("JAEGER_"));
        let ours: Vec<_> = ours
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        writeln!(text, "    {name}: {}", ours.join(" ")).unwrap();
    };
    tell("orchestrator", &predictor["svcOrchSpec"]["env"]);
    let mut wrappers = Vec::new();
    for name in containers(&predictor["graph"]) {
        let place = component(&stored, name);
        tell(name, &place.container["env"]);
        let mut wrapper = rig.run_on(rig.node, &documents, place, &class(name));
        // The orchestrator does not wait until it is up.
        wrapper.predict(1);
        wrappers.push(wrapper);
    }
    let wrappers: Vec<_> = wrappers.iter().collect();
    let name = predictor["name"].as_str().unwrap();
    // The sampler may take only some.
    let mut ids = (1..=MANY).map(|count| (count, rig.orchestrate(&stored, name, 1, &wrappers)));
    let sampled = ids.find_map(|(count, ids)| Some((count, ids.into_iter().next()?)));
    let (count, id) = sampled.unwrap_or_else(|| panic!("of {MANY} requests none was sampled"));
    let trace = rig.trace(&id, 1 + 2 * wrappers.len());
    // As Jaeger writes it: the client leaves out zeros at its begin.
    let (id, spans) = (&trace[0].trace, trace.len());
    write!(
        text,
        "\nRequests to the orchestrator until one was sampled: {count}. Its trace in Jaeger is {id}, of {spans} spans:\n\n{}",
        waterfall(&trace)
    )
    .unwrap();
    Ok((text, trace))
}

/// Why the containers of a predictor would report nothing to what runs here.
fn obstacles_of<'o>(
    rig: &Rig,
    object: &'o Value,
    predictor: &'o Value,
) -> impl Iterator<Item = String> + use<'o> {
    let node = rig.node;
    let env = &predictor["svcOrchSpec"]["env"];
    let orchestrator = environment(env, node).contains_key("JAEGER_AGENT_HOST");
    let orchestrator =
        (!orchestrator).then(|| "the orchestrator: it is not traced, or there is none".to_owned());
    let of_graph = containers(&predictor["graph"]).into_iter();
    let of_graph = of_graph.filter_map(move |name| {
        let Some(place) = component_if_any(object, name) else {
            return Some(format!("{name}: the manifest has no such container"));
        };
        let environment = environment(&place.container["env"], node);
        let host = environment.get("JAEGER_AGENT_HOST");
        match environment.get("TRACING") {
            None if environment.contains_key("MLSERVER_TRACING_SERVER") => Some(format!(
                "{name}: it is run by MLServer, and here is only Seldon's Python wrapper"
            )),
            None => Some(format!("{name}: it is not traced")),
            Some(_) if host.is_some_and(|host| *host != node.0.to_string()) => Some(format!(
                "{name}: it reports to {}, and not to its node",
                environment["JAEGER_AGENT_HOST"]
            )),
            Some(_) => None,
        }
    });
    orchestrator.into_iter().chain(of_graph)
}

/// The nodes of a graph that have a container: all but those that run in the orchestrator.
fn containers(node: &Value) -> Vec<&str> {
    let children = node["children"].as_array().map_or(&[][..], Vec::as_slice);
    let built_in = [
        "AVERAGE_COMBINER",
        "RANDOM_ABTEST",
        "SIMPLE_MODEL",
        "SIMPLE_ROUTER",
    ];
    let name = node["name"].as_str();
    let name = name.filter(|_| !built_in.iter().any(|it| node["implementation"] == *it));
    let below = children.iter().flat_map(containers);
    name.into_iter().chain(below).collect()
}

/// The class of a model as a person would call it: `churn-model` is `ChurnModel`.
fn class(container: &str) -> String {
    // A label of DNS may have two hyphens side by side, and begin with a digit, as no class does.
    let words = container.split('-').filter(|word| !word.is_empty());
    let name: String = words
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    let begin = if name.starts_with(|first: char| first.is_ascii_digit()) {
        "Model"
    } else {
        ""
    };
    format!("{begin}{name}")
}

fn a_trace_that_is_shown_names_its_id_and_draws_each_span_below_the_one_that_caused_it(rig: &Rig) {
    for (container, expected) in [("a--b1", "AB1"), ("2nd-model", "Model2ndModel")] {
        assert_eq!(class(container), expected);
    }
    let (text, trace) = shown(rig, EXAMPLE).unwrap();
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(text.contains("    tracing: \"true\"\n"), "{text}");
    assert!(text.contains(&trace[0].trace), "{text}");
    let (_, drawn) = text.split_once("service ").unwrap();
    let lines: Vec<_> = drawn.lines().skip(1).collect();
    let begins = [
        ("executor", "predictions "),
        ("executor", "  call "),
        ("ChurnModel", "    Predict "),
    ];
    assert_eq!(lines.len(), begins.len(), "{text}");
    for (line, (service, operation)) in lines.iter().zip(begins) {
        let rest = line
            .strip_prefix(service)
            .unwrap_or_else(|| panic!("{text}"));
        let rest = rest.trim_start_matches(' ');
        assert!(rest.starts_with(operation.trim_start()), "{text}");
        assert!(line.contains(&format!(" {operation}")), "{text}");
        assert!(line.contains('█'), "{text}");
    }
}

fn of_a_file_whose_trace_cannot_be_shown_the_reason_is_said_at_once(rig: &Rig) {
    for (file, why) in [
        ("mlserver", "classifier: it is run by MLServer, and"),
        (
            "traced-by-hand",
            "fraud-model: it reports to jaeger-agent.observability,",
        ),
        ("python-sampler", "the orchestrator"),
    ] {
        let said = shown(rig, &format!("examples/{file}.yaml"));
        let said = said.unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}
