//! The memory that a decision takes, whatever the body is.
//!
//! The webhook's limits follow from these bounds: it decides small bodies in parallel, and large ones one after the other.

use std::sync::Mutex;
use std::thread;

use allocation_counter::measure;
use seldon_tracing::admission::{AnswerError, Route, answer, is_large};
use seldon_tracing::config::Config;

use crate::support::checked::{UID, look};
use crate::support::objects::{injected, object, reapplied};

const MIB: u64 = 1024 * 1024;

/// The largest body that the webhook takes.
const MOST: usize = 7 << 20;

/// What the decision for any body may take beside the body.
const PEAK: u64 = 20 * MIB;

/// The same for one that is not large.
const SMALL_PEAK: u64 = 16 * MIB;

/// A review of objects that are JSON already.
fn review(operation: &str, object: &str, old: &str) -> String {
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{UID}","kind":{{"group":"machinelearning.seldon.io","version":"v1","kind":"SeldonDeployment"}},"name":"model","namespace":"models","operation":"{operation}","object":{object},"oldObject":{old}}}}}"#
    )
}

/// A traced object with these predictors, and more annotations.
fn traced(annotations: &str, predictors: &str) -> String {
    format!(
        r#"{{"kind":"SeldonDeployment","metadata":{{"name":"model","annotations":{{"tracing":"true"{annotations}}}}},"spec":{{"predictors":[{predictors}]}}}}"#
    )
}

/// As often as it fits into so many bytes, numbered where it says `#`.
fn filled(part: &str, bytes: usize) -> String {
    if !part.contains('#') {
        let count = (bytes + 1) / (part.len() + 1);
        let mut out = format!("{part},").repeat(count);
        out.pop();
        return out;
    }
    let mut out = String::with_capacity(bytes + part.len());
    for number in 0.. {
        let item = part.replace('#', &number.to_string());
        if out.len() + item.len() + 1 > bytes {
            return out;
        }
        if number > 0 {
            out.push(',');
        }
        out.push_str(&item);
    }
    out
}

/// Parts that are repeated at `@` among the predictors of a CREATE. `#` in a part is its number.
const IN_PREDICTORS: &[(&str, &[&str])] = &[
    (
        r#"{"name":"p","componentSpecs":[{"spec":{"containers":[@]}}]}"#,
        &[
            "{}",
            r#"{"env":[]}"#,
            r#"{"env":[0]}"#,
            r#"{"env":[{}]}"#,
            r#"{"name":"c#"}"#,
            r#"{"name":"c#","env":[{"name":"TRACING","value":"1"}]}"#,
            r#"{"name":"c#","volumeMounts":[{}]}"#,
            "0",
            "[]",
            "[[],[],[]]",
            r#"{"\u0041#":0}"#,
            r#"{"a":0,"b":0,"c":0,"d":0}"#,
            r#"{"name":"\u0041#"}"#,
        ],
    ),
    (
        r#"{"componentSpecs":[{"spec":{"initContainers":[@]}}]}"#,
        &["{}", r#"{"env":[0]}"#],
    ),
    (r#"{"componentSpecs":[{"spec":{"volumes":[@]}}]}"#, &["0"]),
    (r#"{"componentSpecs":[{"spec":{@}}]}"#, &[r##""#":0"##]),
    (
        r#"{"name":"p","componentSpecs":[@]}"#,
        &[
            "{}",
            "0",
            r#"{"spec":{}}"#,
            r#"{"spec":{"containers":[{}]}}"#,
            r#"{"spec":{"containers":[{"env":[0]}]}}"#,
        ],
    ),
    (
        "@",
        &[
            "{}",
            "0",
            r#"{"name":"p#"}"#,
            r#"{"componentSpecs":[]}"#,
            r#"{"svcOrchSpec":{"env":[{}]}}"#,
            r#"{"svcOrchSpec":0,"explainer":0,"graph":0,"componentSpecs":0}"#,
            r#"{"explainer":{"type":"x","containerSpec":{}}}"#,
            r#"{"graph":{"implementation":"SKLEARN_SERVER"}}"#,
            r#"{"graph":{"name":"s","implementation":"SKLEARN_SERVER"}}"#,
            r#"{"componentSpecs":[{"spec":{"containers":[{}]}}]}"#,
            r#"{"annotations":{"tracing.seldon.io/x":1}}"#,
        ],
    ),
    (r#"{"annotations":{@}}"#, &[r#""tracing.seldon.io/x#":"b""#]),
    (
        r#"{"name":"p","graph":{"name":"g","children":[@]}}"#,
        &[
            "{}",
            "0",
            r#"{"implementation":"SKLEARN_SERVER"}"#,
            r#"{"name":"n#","implementation":"SKLEARN_SERVER"}"#,
            r#"{"name":"n","implementation":"SKLEARN_SERVER"}"#,
            r#"{"children":[]}"#,
        ],
    ),
];

/// The same among the annotations.
const IN_ANNOTATIONS: &[&str] = &[
    r#""a#":"b""#,
    r#""a#":1"#,
    r#""tracing.seldon.io/x#":"b""#,
    r#""tracing.seldon.io/x#":1"#,
    r#""tracing.seldon.io/tags":"a""#,
    r#""\u0041#":"\u0042""#,
];

/// The same among the predictors of both objects of an UPDATE.
const IN_BOTH: &[(&str, &[&str])] = &[
    (
        r#"{"name":"p","componentSpecs":[{"spec":{"containers":[{"name":"c","env":[@]}]}}]}"#,
        &[
            "0",
            "{}",
            r#"{"name":"A#","value":"b"}"#,
            r#"{"name":"TRACING","value":"1"}"#,
            r#"{"name":"A#","value":"b","a":1,"b":2,"c":3}"#,
            r#"{"name":"\u0041\u0041\u0041\u0041#","value":"\u0041\u0041\u0041\u0041"}"#,
        ],
    ),
    (
        r#"{"name":"p","componentSpecs":[{"spec":{"containers":[@]}}]}"#,
        &[
            r#"{"name":"c#"}"#,
            r#"{"name":"c#","env":[{"name":"JAEGER_TAGS","value":"a=b"}]}"#,
            r#"{"name":"c#","env":[{"name":"A","value":"b"},{"name":"B","value":"b"},{"name":"C","value":"b"},{"name":"D","value":"b"}]}"#,
        ],
    ),
];

/// The same within a graph of some depth: what opens each level, the part, what closes each level.
const NESTED: [(&str, &str, &str, usize); 6] = [
    (
        r#"{"children":["#,
        r#"{"name":"n#","implementation":"SKLEARN_SERVER"}"#,
        "]}",
        40,
    ),
    (r#"{"children":["#, "{}", "]}", 48),
    (
        r#"{"children":["#,
        r#"{"implementation":"SKLEARN_SERVER"}"#,
        "]}",
        60,
    ),
    (r#"{"children":["#, "{}", "]}", 200),
    ("[", "{}", "]", 110),
    ("[", "[]", "]", 90),
];

/// A predictor with these containers.
fn with_containers(containers: &str) -> String {
    format!(r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{containers}]}}}}]}}"#)
}

fn create(annotations: &str, predictors: &str) -> String {
    review("CREATE", &traced(annotations, predictors), "null")
}

/// The object with another name.
fn named(name: &str, object: &str) -> String {
    object.replacen("\"model\"", &format!("\"{name}\""), 1)
}

/// A body of about so many bytes.
type Build = Box<dyn Fn(usize) -> String + Send>;

/// Bodies in which a part is repeated, with a name.
fn repeated() -> Vec<(String, Build)> {
    let mut shapes: Vec<(String, Build)> = Vec::new();
    for (place, parts) in IN_PREDICTORS {
        for part in *parts {
            let build = |room| create("", &place.replace('@', &filled(part, room)));
            shapes.push((format!("CREATE: {part} in {place}"), Box::new(build)));
        }
    }
    for part in IN_ANNOTATIONS {
        let build = |room| create(&format!(",{}", filled(part, room)), r#"{"name":"p"}"#);
        shapes.push((format!("annotations: {part}"), Box::new(build)));
    }
    for (place, parts) in IN_BOTH {
        for part in *parts {
            let build = |room| {
                let object = traced("", &place.replace('@', &filled(part, room / 2)));
                review("UPDATE", &object, &object)
            };
            shapes.push((format!("UPDATE: {part} in {place}"), Box::new(build)));
        }
    }
    for (open, part, close, depth) in NESTED {
        let build = move |room| {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            let graph = format!("{open}{}{close}", filled(part, room));
            create("", &format!(r#"{{"name":"p","graph":{graph}}}"#))
        };
        shapes.push((
            format!("{depth} levels of {open} around {part}"),
            Box::new(build),
        ));
    }
    shapes
}

/// A body that is built in a way of its own, with a name.
type Other = (&'static str, fn(usize) -> String);

const OTHERS: [Other; 17] = [
    ("exclusions", |room| {
        let names = filled("c#", room);
        let exclusions = format!(r#","tracing.seldon.io/exclude-containers":"{names}""#);
        create(&exclusions, r#"{"name":"p"}"#)
    }),
    ("applied again", |room| {
        // What is stored has our variables in it; the manifest is applied again without them.
        let count = (room / 12_000).clamp(1, 200);
        let stored = injected(&object(count));
        review("UPDATE", &reapplied(&object(count), &stored), &stored)
    }),
    ("a long escaped value", |room| {
        let text = "\\u0041".repeat(room / 6);
        let tags = format!(r#","tracing.seldon.io/tags":"{text}""#);
        create(&tags, r#"{"name":"p"}"#)
    }),
    ("a long escaped name", |room| {
        let text = "\\u0041".repeat(room / 6);
        let object = traced(
            &format!(r#","tracing.seldon.io/tags":"{text}""#),
            r#"{"name":"p"}"#,
        );
        review("CREATE", &named(&text, &object), "null")
    }),
    ("a long escaped key", |room| {
        let text = "\\u0041".repeat(room / 6);
        create(&format!(r#","{text}":"x""#), r#"{"name":"p"}"#)
    }),
    ("keys in spec", |room| {
        let keys = filled("\"#\":0", room);
        let object = format!(
            r#"{{"kind":"SeldonDeployment","metadata":{{"annotations":{{"tracing":"true"}}}},"spec":{{{keys}}}}}"#
        );
        review("CREATE", &object, "null")
    }),
    ("a record", |room| {
        let sets = filled(r#"[\"TRACING\",\"1\"]"#, room.min(60_000));
        let record = format!(
            r#","tracing.seldon.io/injected":"{{\"v\":1,\"sets\":[{sets}],\"predictors\":{{}}}}""#
        );
        let object = traced(&record, r#"{"name":"p"}"#);
        review("UPDATE", &object, &object)
    }),
    ("open brackets", |room| "[".repeat(room)),
    ("open braces", |room| "{\"a\":".repeat(room / 5)),
    ("open brackets in an object", |room| {
        create("", &"[".repeat(room))
    }),
    ("a long uid", |room| {
        review("CREATE", "{}", "{}").replace(UID, &"u".repeat(room))
    }),
    ("a long escaped uid", |room| {
        review("CREATE", "{}", "{}").replace(UID, &"\\u0041".repeat(room / 6))
    }),
    ("a long escaped namespace", |room| {
        let predictor = r#"{"graph":{"name":"s","implementation":"SKLEARN_SERVER"},"componentSpecs":[{"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}}]}"#;
        let namespace = format!("\"{}\"", "\\u0041".repeat(room / 6));
        create("", predictor).replace("\"models\"", &namespace)
    }),
    ("a long name in many services", |room| {
        let object = traced("", &with_containers(&filled(r#"{"name":"c#"}"#, room / 40)));
        review("CREATE", &named(&"n".repeat(room / 2), &object), "null")
    }),
    ("a long predictor name in many places", |room| {
        let name = "n".repeat(room.saturating_sub(8_000));
        let containers = with_containers(&filled(r#"{"name":"c#"}"#, 6_000));
        let annotations = r#","tracing.seldon.io/service-name":"{namespace}.{name}.{predictor}.{container}","tracing.seldon.io/tags":"a={predictor},b={name}""#;
        create(
            annotations,
            &containers.replacen("\"p\"", &format!("\"{name}\""), 1),
        )
    }),
    ("long container names", |room| {
        let part = format!(r#"{{"name":"{}#"}}"#, "n".repeat(room / 100));
        let tags = r#","tracing.seldon.io/tags":"a={container}""#;
        create(tags, &with_containers(&filled(&part, room)))
    }),
    ("a long name in few services", |room| {
        let object = traced(
            r#","tracing.seldon.io/service-name":"{namespace}.{name}.{predictor}.{container}""#,
            &with_containers(&filled(r#"{"name":"c#"}"#, 600)),
        );
        review("CREATE", &named(&"n".repeat(room), &object), "null")
    }),
];

/// What the decision for a body takes at its highest.
fn peak(body: &str) -> (u64, Result<bool, AnswerError>) {
    let config = Config::default();
    let mut refused = Ok(false);
    let info = measure(|| {
        refused = answer(body.as_bytes(), Route::Mutate, &config)
            .map(|answer| answer.decision.audit_annotations.reasons == "too-many-parts");
    });
    (info.bytes_max, refused)
}

/// The highest that a shape came to, for large bodies and for others.
#[derive(Default)]
struct Highest {
    large: (u64, usize),
    small: (u64, usize),
}

impl Highest {
    /// Says whether the body was too heavy.
    fn try_body(&mut self, body: &str) -> bool {
        assert!(body.len() <= MOST, "{}", body.len());
        let (bytes, left) = peak(body);
        let slot = if is_large(body.as_bytes()) {
            &mut self.large
        } else {
            &mut self.small
        };
        *slot = (*slot).max((bytes, body.len()));
        left == Ok(true)
    }

    fn of(build: &dyn Fn(usize) -> String) -> Self {
        let mut highest = Self::default();
        // Without optimisation the largest bodies take minutes, and they are no other than these.
        let most = if cfg!(debug_assertions) { 1500 } else { 7160 } * 1024;
        let (mut light, mut heavy) = (0, None);
        for size in [4, 16, 64, 250, 1000].map(|kib| kib * 1024) {
            if highest.try_body(&build(size)) {
                heavy = Some(size);
                break;
            }
            light = size;
        }
        if highest.try_body(&build(most)) {
            heavy = heavy.or(Some(most));
        }
        // The largest body that is still decided takes most; so does the largest that is not large.
        if let Some(mut heavy) = heavy {
            while heavy - light > heavy / 32 {
                let middle = usize::midpoint(light, heavy);
                if highest.try_body(&build(middle)) {
                    heavy = middle;
                } else {
                    light = middle;
                }
            }
        }
        let (mut small, mut large) = (1024, 257 * 1024);
        while large - small > large / 32 {
            let middle = usize::midpoint(small, large);
            let body = build(middle);
            highest.try_body(&body);
            if is_large(body.as_bytes()) {
                large = middle;
            } else {
                small = middle;
            }
        }
        highest
    }

    fn is_within_bounds(&self) -> bool {
        self.large.0 <= PEAK && self.small.0 <= SMALL_PEAK
    }
}

#[test]
fn no_body_takes_more_than_its_bound() {
    let others = OTHERS.map(|(name, build)| (name.to_owned(), Box::new(build) as Build));
    let shapes = Mutex::new(repeated().into_iter().chain(others));
    let lines = Mutex::new(Vec::new());
    let next = || shapes.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((name, build)) = next() {
                    let highest = Highest::of(&*build);
                    let [(large, of_large), (small, of_small)] = [highest.large, highest.small];
                    let line = format!(
                        "{name}: {} KiB of {} KiB; not large: {} KiB of {} KiB",
                        large / 1024,
                        of_large / 1024,
                        small / 1024,
                        of_small / 1024
                    );
                    println!("{line}");
                    lines
                        .lock()
                        .unwrap()
                        .push((highest.is_within_bounds(), line));
                }
            });
        }
    });
    let broken: Vec<String> = lines
        .into_inner()
        .unwrap()
        .into_iter()
        .filter_map(|(good, line)| (!good).then_some(line))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn what_people_have_is_decided() {
    for count in [1, 20, 100, 200] {
        let plain = object(count);
        let stored = injected(&plain);
        let bodies = [
            review("CREATE", &plain, "null"),
            review("UPDATE", &stored, &stored),
            review("UPDATE", &reapplied(&plain, &stored), &stored),
        ];
        for (at, body) in bodies.iter().enumerate() {
            let seen = look(body.as_bytes(), Route::Mutate, &Config::default()).unwrap();
            // With 200 containers, what kubectl keeps leaves no room for a record.
            let is_left = at == 1 || count == 200;
            assert_eq!(seen.is_left(), is_left, "{count} {at}");
            assert_ne!(seen.audit("reasons"), "too-many-parts");
            let (bytes, _) = peak(body);
            println!(
                "{count} containers, body {} KiB, question {at}: {} KiB",
                body.len() / 1024,
                bytes / 1024
            );
            assert!(bytes <= PEAK);
        }
    }
}

#[test]
fn the_largest_object_that_etcd_stores_is_decided() {
    let env = filled(r#"{"name":"A#","value":"b"}"#, 1_500_000);
    let container = format!(r#"{{"name":"c","env":[{env}]}}"#);
    let object = traced("", &with_containers(&container));
    let body = review("CREATE", &object, "null");
    let seen = look(body.as_bytes(), Route::Mutate, &Config::default()).unwrap();
    assert_eq!(seen.audit("reasons"), "injected");
}

#[test]
fn what_is_too_heavy_is_allowed_with_one_warning() {
    let list = filled("{}", MOST - 2_000);
    let object = traced(
        "",
        &format!(r#"{{"componentSpecs":[{{"spec":{{"containers":[{list}]}}}}]}}"#),
    );
    let body = review("CREATE", &object, "null");
    let seen = look(body.as_bytes(), Route::Mutate, &Config::default()).unwrap();
    assert!(seen.is_left());
    assert_eq!(seen.audit("reasons"), "too-many-parts");
    assert_eq!(seen.verified.warnings.len(), 1, "the user is warned once");
    assert!(seen.verified.warnings[0].starts_with("too-many-parts: "));
}

#[test]
fn settings_of_the_object_are_read_once_for_all_its_predictors() {
    let settings = filled(r#""tracing.seldon.io/x#":"b""#, 100_000);
    let allocations = |predictors: &str| {
        let object = traced(&format!(",{settings}"), predictors);
        let body = review("CREATE", &object, "null");
        measure(|| drop(answer(body.as_bytes(), Route::Mutate, &Config::default()))).count_total
    };
    let one = allocations("{}");
    let many = allocations(&filled("{}", 1_500));
    // The object has thousands of settings, and a predictor costs a few allocations of its own.
    assert!(many < one + 499 * 10, "{one} for one, {many} for 500");
}
