//! What a decision takes of memory, whatever the body is (P3, T6).
//!
//! The bounds are those that the webhook's limits are made of: bodies that are not large are decided side by side, large ones one
//! after the other.

#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

#[path = "../benches/support/mod.rs"]
mod support;

mod checked;

use std::sync::Mutex;
use std::thread;

use allocation_counter::measure;
use checked::{UID, look};
use seldon_tracing::admission::{AnswerError, Route, answer, is_large};
use seldon_tracing::config::Config;
use support::{injected, object, reapplied};

const MIB: u64 = 1024 * 1024;

/// The largest body that the webhook takes.
const MOST: usize = 7 << 20;

/// What the decision for any body may take beside the body.
const PEAK: u64 = 48 * MIB;

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

type Build = Box<dyn Fn(usize) -> String + Send>;

/// Bodies of about so many bytes, with a name.
#[expect(clippy::too_many_lines, reason = "a list")]
fn shapes() -> Vec<(&'static str, Build)> {
    fn shape(
        name: &'static str,
        build: impl Fn(usize) -> String + Send + 'static,
    ) -> (&'static str, Build) {
        (name, Box::new(build))
    }
    let create = |predictors: String| review("CREATE", &traced("", &predictors), "null");
    let containers = move |part: &'static str| {
        move |room| {
            create(format!(
                r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{}]}}}}]}}"#,
                filled(part, room)
            ))
        }
    };
    let init = move |part: &'static str| {
        move |room| {
            create(format!(
                r#"{{"componentSpecs":[{{"spec":{{"initContainers":[{}]}}}}]}}"#,
                filled(part, room)
            ))
        }
    };
    let components = move |part: &'static str| {
        move |room| {
            create(format!(
                r#"{{"name":"p","componentSpecs":[{}]}}"#,
                filled(part, room)
            ))
        }
    };
    let predictors = move |part: &'static str| move |room| create(filled(part, room));
    let annotations = |part: &'static str| {
        move |room| {
            let more = format!(",{}", filled(part, room));
            review("CREATE", &traced(&more, r#"{"name":"p"}"#), "null")
        }
    };
    let predictor_annotations = move |part: &'static str| {
        move |room| create(format!(r#"{{"annotations":{{{}}}}}"#, filled(part, room)))
    };
    let graph = move |part: &'static str| {
        move |room| {
            create(format!(
                r#"{{"name":"p","graph":{{"name":"g","children":[{}]}}}}"#,
                filled(part, room)
            ))
        }
    };
    let nested =
        move |open: &'static str, part: &'static str, close: &'static str, depth: usize| {
            move |room| {
                create(format!(
                    r#"{{"name":"p","graph":{}{}{}}}"#,
                    open.repeat(depth),
                    filled(part, room),
                    close.repeat(depth)
                ))
            }
        };
    let env = |part: &'static str| {
        move |room: usize| {
            let list = filled(part, room / 2);
            let object = traced(
                "",
                &format!(
                    r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{{"name":"c","env":[{list}]}}]}}}}]}}"#
                ),
            );
            review("UPDATE", &object, &object)
        }
    };
    let both = |part: &'static str| {
        move |room: usize| {
            let list = filled(part, room / 2);
            let object = traced(
                "",
                &format!(
                    r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{list}]}}}}]}}"#
                ),
            );
            review("UPDATE", &object, &object)
        }
    };
    let settled = |room: usize| {
        // What is stored has our variables in it; the manifest is applied again without them.
        let count = (room / 12_000).clamp(1, 200);
        let stored = injected(&object(count));
        review("UPDATE", &reapplied(&object(count), &stored), &stored)
    };
    let escaped = |place: &'static str| {
        move |room: usize| {
            let text = "\\u0041".repeat(room / 6);
            let object = traced(
                &format!(r#","tracing.seldon.io/tags":"{text}""#),
                r#"{"name":"p"}"#,
            );
            let object = match place {
                "value" => object,
                "name" => object.replacen("\"model\"", &format!("\"{text}\""), 1),
                _ => traced(&format!(r#","{text}":"x""#), r#"{"name":"p"}"#),
            };
            review("CREATE", &object, "null")
        }
    };
    vec![
        shape("containers {}", containers("{}")),
        shape("containers {env:[]}", containers(r#"{"env":[]}"#)),
        shape("containers {env:[0]}", containers(r#"{"env":[0]}"#)),
        shape("containers {env:[{}]}", containers(r#"{"env":[{}]}"#)),
        shape("containers {name}", containers(r#"{"name":"c#"}"#)),
        shape(
            "containers {name,env}",
            containers(r#"{"name":"c#","env":[{"name":"TRACING","value":"1"}]}"#),
        ),
        shape(
            "containers {name,mounts}",
            containers(r#"{"name":"c#","volumeMounts":[{}]}"#),
        ),
        shape("containers 0", containers("0")),
        shape("containers []", containers("[]")),
        shape("containers [[]]", containers("[[],[],[]]")),
        shape("init containers {}", init("{}")),
        shape("init containers {env:[0]}", init(r#"{"env":[0]}"#)),
        shape("components {}", components("{}")),
        shape("components 0", components("0")),
        shape("components {spec:{}}", components(r#"{"spec":{}}"#)),
        shape(
            "components with one container",
            components(r#"{"spec":{"containers":[{}]}}"#),
        ),
        shape(
            "components with one env",
            components(r#"{"spec":{"containers":[{"env":[0]}]}}"#),
        ),
        shape("predictors {}", predictors("{}")),
        shape("predictors 0", predictors("0")),
        shape("predictors {name}", predictors(r#"{"name":"p#"}"#)),
        shape(
            "predictors with lists",
            predictors(r#"{"componentSpecs":[]}"#),
        ),
        shape(
            "predictors with an orchestrator",
            predictors(r#"{"svcOrchSpec":{"env":[{}]}}"#),
        ),
        shape(
            "predictors with an odd one",
            predictors(r#"{"svcOrchSpec":0,"explainer":0,"graph":0,"componentSpecs":0}"#),
        ),
        shape(
            "predictors with an explainer",
            predictors(r#"{"explainer":{"type":"x","containerSpec":{}}}"#),
        ),
        shape(
            "predictors with a server",
            predictors(r#"{"graph":{"implementation":"SKLEARN_SERVER"}}"#),
        ),
        shape(
            "predictors with a named server",
            predictors(r#"{"graph":{"name":"s","implementation":"SKLEARN_SERVER"}}"#),
        ),
        shape(
            "predictors with a container",
            predictors(r#"{"componentSpecs":[{"spec":{"containers":[{}]}}]}"#),
        ),
        shape(
            "predictors with bad settings",
            predictors(r#"{"annotations":{"tracing.seldon.io/x":1}}"#),
        ),
        shape("annotations", annotations(r#""a#":"b""#)),
        shape("annotations that are no text", annotations(r#""a#":1"#)),
        shape(
            "annotations of ours",
            annotations(r#""tracing.seldon.io/x#":"b""#),
        ),
        shape(
            "annotations of ours that are no text",
            annotations(r#""tracing.seldon.io/x#":1"#),
        ),
        shape(
            "annotations of ours, all one",
            annotations(r#""tracing.seldon.io/tags":"a""#),
        ),
        shape("exclusions", |room| {
            let names = filled("c#", room);
            review(
                "CREATE",
                &traced(
                    &format!(r#","tracing.seldon.io/exclude-containers":"{names}""#),
                    r#"{"name":"p"}"#,
                ),
                "null",
            )
        }),
        shape(
            "annotations of a predictor",
            predictor_annotations(r#""tracing.seldon.io/x#":"b""#),
        ),
        shape("graph of {}", graph("{}")),
        shape("graph of 0", graph("0")),
        shape(
            "graph of servers",
            graph(r#"{"implementation":"SKLEARN_SERVER"}"#),
        ),
        shape(
            "graph of named servers",
            graph(r#"{"name":"n#","implementation":"SKLEARN_SERVER"}"#),
        ),
        shape(
            "graph of one name",
            graph(r#"{"name":"n","implementation":"SKLEARN_SERVER"}"#),
        ),
        shape("graph of lists", graph(r#"{"children":[]}"#)),
        shape(
            "graph, wide at depth 40",
            nested(
                r#"{"children":["#,
                r#"{"name":"n#","implementation":"SKLEARN_SERVER"}"#,
                "]}",
                40,
            ),
        ),
        shape(
            "graph, wide at depth 48",
            nested(r#"{"children":["#, "{}", "]}", 48),
        ),
        shape(
            "graph, wide at depth 60",
            nested(
                r#"{"children":["#,
                r#"{"implementation":"SKLEARN_SERVER"}"#,
                "]}",
                60,
            ),
        ),
        shape(
            "graph, wide below the limit",
            nested(r#"{"children":["#, "{}", "]}", 200),
        ),
        shape("elsewhere, wide at depth 110", nested("[", "{}", "]", 110)),
        shape("elsewhere, wide at depth 90", nested("[", "[]", "]", 90)),
        shape("env 0", env("0")),
        shape("env {}", env("{}")),
        shape("env", env(r#"{"name":"A#","value":"b"}"#)),
        shape("env of ours", env(r#"{"name":"TRACING","value":"1"}"#)),
        shape(
            "env with more",
            env(r#"{"name":"A#","value":"b","a":1,"b":2,"c":3}"#),
        ),
        shape("containers in both", both(r#"{"name":"c#"}"#)),
        shape(
            "containers with env in both",
            both(r#"{"name":"c#","env":[{"name":"JAEGER_TAGS","value":"a=b"}]}"#),
        ),
        shape(
            "containers with much env in both",
            both(
                r#"{"name":"c#","env":[{"name":"A","value":"b"},{"name":"B","value":"b"},{"name":"C","value":"b"},{"name":"D","value":"b"}]}"#,
            ),
        ),
        shape("applied again", settled),
        shape("long escaped value", escaped("value")),
        shape("long escaped name", escaped("name")),
        shape("long escaped key", escaped("key")),
        shape("many escaped keys", annotations(r#""\u0041#":"\u0042""#)),
        shape("escaped keys of containers", containers(r#"{"\u0041#":0}"#)),
        shape(
            "keys of containers",
            containers(r#"{"a":0,"b":0,"c":0,"d":0}"#),
        ),
        shape("escaped names", containers(r#"{"name":"\u0041#"}"#)),
        shape("volumes", move |room| {
            create(format!(
                r#"{{"componentSpecs":[{{"spec":{{"volumes":[{}]}}}}]}}"#,
                filled("0", room)
            ))
        }),
        shape("keys in an object", move |room| {
            create(format!(
                r#"{{"componentSpecs":[{{"spec":{{{}}}}}]}}"#,
                filled("\"#\":0", room)
            ))
        }),
        shape("keys in spec", |room| {
            review(
                "CREATE",
                &format!(
                    r#"{{"kind":"SeldonDeployment","metadata":{{"annotations":{{"tracing":"true"}}}},"spec":{{{}}}}}"#,
                    filled("\"#\":0", room)
                ),
                "null",
            )
        }),
        shape("a record", |room| {
            let sets = filled(r#"[\"TRACING\",\"1\"]"#, room.min(60_000));
            let record = format!(
                r#","tracing.seldon.io/injected":"{{\"v\":1,\"sets\":[{sets}],\"predictors\":{{}}}}""#
            );
            let object = traced(&record, r#"{"name":"p"}"#);
            review("UPDATE", &object, &object)
        }),
        shape("open brackets", |room| "[".repeat(room)),
        shape("open braces", |room| "{\"a\":".repeat(room / 5)),
        shape("open brackets in an object", move |room| {
            create("[".repeat(room))
        }),
        shape("a long uid", |room| {
            review("CREATE", "{}", "{}").replace(UID, &"u".repeat(room))
        }),
        shape("a long escaped uid", |room| {
            review("CREATE", "{}", "{}").replace(UID, &"\\u0041".repeat(room / 6))
        }),
        shape("a long escaped namespace", |room| {
            let object = traced(
                "",
                r#"{"graph":{"name":"s","implementation":"SKLEARN_SERVER"},"componentSpecs":[{"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}}]}"#,
            );
            review("CREATE", &object, "null")
                .replace("\"models\"", &format!("\"{}\"", "\\u0041".repeat(room / 6)))
        }),
        shape("a long name in many services", |room| {
            let list = filled(r#"{"name":"c#"}"#, room / 40);
            let object = traced(
                "",
                &format!(
                    r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{list}]}}}}]}}"#
                ),
            );
            review(
                "CREATE",
                &object.replacen("\"model\"", &format!("\"{}\"", "n".repeat(room / 2)), 1),
                "null",
            )
        }),
        shape("a long predictor name in many places", |room| {
            let list = filled(r#"{"name":"c#"}"#, 6_000);
            let name = "n".repeat(room.saturating_sub(8_000));
            let annotations = r#","tracing.seldon.io/service-name":"{namespace}.{name}.{predictor}.{container}","tracing.seldon.io/tags":"a={predictor},b={name}""#;
            let object = traced(
                annotations,
                &format!(
                    r#"{{"name":"{name}","componentSpecs":[{{"spec":{{"containers":[{list}]}}}}]}}"#
                ),
            );
            review("CREATE", &object, "null")
        }),
        shape("long container names", |room| {
            let part = format!(r#"{{"name":"{}#"}}"#, "n".repeat(room / 100));
            let list = filled(&part, room);
            let object = traced(
                r#","tracing.seldon.io/tags":"a={container}""#,
                &format!(
                    r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{list}]}}}}]}}"#
                ),
            );
            review("CREATE", &object, "null")
        }),
        shape(
            "escaped env",
            env(r#"{"name":"\u0041\u0041\u0041\u0041#","value":"\u0041\u0041\u0041\u0041"}"#),
        ),
        shape("a long name in few services", |room| {
            let list = filled(r#"{"name":"c#"}"#, 600);
            let object = traced(
                r#","tracing.seldon.io/service-name":"{namespace}.{name}.{predictor}.{container}""#,
                &format!(
                    r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{list}]}}}}]}}"#
                ),
            );
            review(
                "CREATE",
                &object.replacen("\"model\"", &format!("\"{}\"", "n".repeat(room)), 1),
                "null",
            )
        }),
    ]
}

/// What the decision for a body takes at its highest.
fn peak(body: &str) -> (u64, Result<bool, AnswerError>) {
    let config = Config::default();
    let mut refused = Ok(false);
    let info = measure(|| {
        refused = answer(body.as_bytes(), Route::Mutate, &config).map(|answer| {
            answer
                .decision
                .audit_annotations
                .iter()
                .any(|(_, value)| value == "too-many-parts")
        });
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
    let shapes = Mutex::new(shapes().into_iter());
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
    assert_eq!(seen.verified.warnings.len(), 1, "P5");
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
    assert!(many < one * 4, "{one} for one, {many} for 500");
}
