//! Two traces for a person, by REST and by gRPC: of a model that is traced by nothing but the annotation.

mod svg;
mod waterfall;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use svg::svg;
use waterfall::waterfall;

use crate::models::{component, component_if_any, model, objects};
use crate::predictions::BY_REST;
use crate::rig::Rig;
use crate::rig::kubelet::environment;
use crate::rig::parts::Parts;
use crate::rig::query::Span;
use crate::rig::wrapper::Wrapper;

tests![
    what_is_shown_names_each_trace_and_draws_each_span_below_the_one_that_caused_it,
    of_a_file_whose_trace_cannot_be_shown_the_reason_is_said_at_once,
];

/// What is shown unless another file is named.
const EXAMPLE: &str = "examples/own-container.yaml";

/// How many requests are made until one is sampled.
const MANY: usize = 500;

/// What is shown of a model: a text, and its traces with what they are of.
type Shown = (String, Vec<(&'static str, Vec<Span>)>);

/// `tests/spans/show [--svg PICTURE] [FILE]`
pub(crate) fn show(
    parts: Result<Parts, String>,
    folder: &Path,
    mut arguments: impl Iterator<Item = String>,
) -> ExitCode {
    let mut file = arguments.next();
    let picture = file.take_if(|it| it == "--svg").and_then(|_| {
        let picture = arguments.next();
        file = arguments.next();
        picture
    });
    let parts = match parts {
        Ok(parts) => parts,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let rig = Rig::start(parts, folder);
    let shown = shown(&rig, file.as_deref().unwrap_or(EXAMPLE));
    drop(rig);
    let _ = fs::remove_dir_all(folder);
    let (text, traces) = match shown {
        Ok(shown) => shown,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    if let Some(picture) = picture {
        fs::write(picture, svg(&traces)).unwrap();
    }
    // Colours only where they can be seen.
    match anstream::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Has a model of a file traced, and tells how. Or tells why there would be no trace.
fn shown(rig: &Rig, file: &str) -> Result<Shown, String> {
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
    let traces = requested(rig, &stored, name, &wrappers, &mut text);
    Ok((text, traces))
}

/// Makes the two requests, and tells of their traces.
fn requested(
    rig: &Rig,
    stored: &Value,
    name: &str,
    wrappers: &[&Wrapper],
    text: &mut String,
) -> Vec<(&'static str, Vec<Span>)> {
    let requests: [(_, &dyn Fn() -> Vec<String>); 2] = [
        ("A request by REST", &|| {
            rig.orchestrate(stored, name, 1, wrappers)
        }),
        ("A request by gRPC", &|| {
            rig.orchestrate_by_grpc(stored, name, 1, wrappers)
        }),
    ];
    let traces = requests.into_iter().map(|(title, request)| {
        // The sampler may take only some.
        let mut ids = (1..=MANY).map(|count| (count, request()));
        let sampled = ids.find_map(|(count, ids)| Some((count, ids.into_iter().next()?)));
        let (count, id) = sampled.unwrap_or_else(|| panic!("of {MANY} requests none was sampled"));
        let trace = rig.trace(&id, 1 + 2 * wrappers.len());
        // As Jaeger writes it: the client leaves out zeros at its begin.
        let (id, spans) = (&trace[0].trace, trace.len());
        write!(
            text,
            "\n{title} to the orchestrator, the first of {count} that was sampled. Its trace in Jaeger is {id}, of {spans} spans:\n\n{}",
            waterfall(&trace)
        )
        .unwrap();
        (title, trace)
    });
    traces.collect()
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

fn what_is_shown_names_each_trace_and_draws_each_span_below_the_one_that_caused_it(rig: &Rig) {
    for (container, expected) in [("a--b1", "AB1"), ("2nd-model", "Model2ndModel")] {
        assert_eq!(class(container), expected);
    }
    let (text, traces) = shown(rig, EXAMPLE).unwrap();
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(text.contains("    tracing: \"true\"\n"), "{text}");
    let picture = svg(&traces);
    assert_eq!(
        picture.matches("<rect class=\"s").count(),
        6,
        "a bar each: {picture}"
    );
    let by_grpc = "/seldon.protos.Model/Predict";
    let expected = [
        ["predictions", "/predict", BY_REST],
        ["/seldon.protos.Seldon/Predict", by_grpc, by_grpc],
    ];
    let drawn: Vec<_> = text.split("service ").skip(1).collect();
    assert_eq!((drawn.len(), traces.len()), (2, 2), "{text}");
    for ((drawn, (title, trace)), operations) in drawn.iter().zip(&traces).zip(expected) {
        assert!(text.contains(&trace[0].trace), "{text}");
        assert!(picture.contains(title), "{picture}");
        let lines: Vec<_> = drawn.lines().skip(1).take(3).collect();
        for (depth, operation) in operations.into_iter().enumerate() {
            let service = ["executor", "executor", "ChurnModel"][depth];
            let mut words = lines[depth].split_whitespace();
            assert_eq!(words.next(), Some(service), "{text}");
            assert_eq!(words.next(), Some(operation), "{text}");
            let begins = lines[depth].find(operation).unwrap();
            assert_eq!(begins, "ChurnModel  ".len() + 2 * depth, "{text}");
            assert!(lines[depth].contains('█'), "{text}");
            assert!(
                picture.contains(&format!(">{operation}</text>")),
                "{picture}"
            );
        }
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
