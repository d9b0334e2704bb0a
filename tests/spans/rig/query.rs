//! What Jaeger's query API tells.

use std::net::SocketAddr;

use serde_json::Value;

use crate::support::load::raw::get;

/// A span, as Jaeger has it.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// The span that caused it, of the same trace.
    pub(crate) parent: Option<String>,
    pub(crate) service: String,
    pub(crate) operation: String,
    /// Both in microseconds, the start since 1970.
    pub(crate) start: u64,
    pub(crate) duration: u64,
    tags: Value,
    process_tags: Value,
}

impl Span {
    /// A tag of the span.
    pub(crate) fn tag(&self, key: &str) -> Option<&str> {
        tag(&self.tags, key)
    }

    /// A tag of the process that sent it.
    pub(crate) fn process_tag(&self, key: &str) -> Option<&str> {
        tag(&self.process_tags, key)
    }
}

fn tag<'t>(tags: &'t Value, key: &str) -> Option<&'t str> {
    let mut tags = tags.as_array().unwrap().iter();
    tags.find(|tag| tag["key"] == key)?["value"].as_str()
}

/// The spans of a service; with none it is not known, or silent.
pub(crate) fn of_service(jaeger: SocketAddr, service: &str) -> Vec<Span> {
    let mut spans = ask(
        jaeger,
        &format!("/api/traces?service={service}&limit=1000&lookback=1h"),
    );
    // Jaeger gives whole traces, of which others may be part too.
    spans.retain(|span| span.service == service);
    spans
}

/// All spans of a trace, in the order of their starts.
pub(crate) fn of_trace(jaeger: SocketAddr, trace: &str) -> Vec<Span> {
    ask(jaeger, &format!("/api/traces/{trace}"))
}

fn ask(jaeger: SocketAddr, path: &str) -> Vec<Span> {
    let (status, body) = get(jaeger, path).unwrap();
    if status == 404 {
        return Vec::new();
    }
    assert_eq!(status, 200, "{path}: {body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let none = Vec::new();
    let traces = body["data"].as_array().unwrap_or(&none);
    let mut spans: Vec<Span> = traces.iter().flat_map(spans_of).collect();
    spans.sort_by_key(|span| span.start);
    spans
}

fn spans_of(trace: &Value) -> Vec<Span> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let spans = trace["spans"].as_array().unwrap().iter();
    spans
        .map(|span| {
            let process = &trace["processes"][span["processID"].as_str().unwrap()];
            let mut references = span["references"].as_array().unwrap().iter();
            let parent = references.find(|it| it["traceID"] == span["traceID"]);
            Span {
                trace: text(&span["traceID"]),
                id: text(&span["spanID"]),
                parent: parent.map(|it| text(&it["spanID"])),
                service: text(&process["serviceName"]),
                operation: text(&span["operationName"]),
                start: span["startTime"].as_u64().unwrap(),
                duration: span["duration"].as_u64().unwrap(),
                tags: span["tags"].clone(),
                process_tags: process["tags"].clone(),
            }
        })
        .collect()
}
