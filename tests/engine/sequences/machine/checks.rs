//! What must hold at every call of the webhook.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use json_patch::Patch;
use seldon_tracing::admission::Route;
use serde_json::{Map, Value, json};

use super::asked::{Asked, asked};
use super::claims::{Claims, each_claim};
use super::edits::containers;
use super::marks::{
    EITHER, OURS, bare, blur, each_map, find_ours, has_twins, is_all_marked, is_like_a_stub,
    is_marked, is_touched, items, mark, predictors, record, users,
};
use super::{Called, Failure, World};

/// The patch in an answer.
pub(super) fn decode(patch: &Value) -> Result<Option<Value>, String> {
    let Some(text) = patch.as_str() else {
        return Ok(None);
    };
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let patch = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    Ok(Some(patch))
}

/// Marks what the record cannot tell after a user's step: what a user wrote exactly as a record claims it, and whatever goes by a
/// name that is there twice.
pub(super) fn settle_marks(object: &mut Value, old: Option<&Value>) {
    let mut records = vec![Claims::of(object)];
    records.extend(old.map(Claims::of));
    let twins = has_twins(object) || old.is_some_and(has_twins);
    if twins {
        blur(object);
        each_map(object, &mut |map| {
            if records.iter().any(|claims| claims.has_anywhere(map)) {
                map.insert(EITHER.to_owned(), json!(true));
            }
        });
        for container in containers(object) {
            let found = object
                .pointer_mut(&container)
                .and_then(Value::as_object_mut);
            if let Some(map) = found.filter(|map| is_like_a_stub(map)) {
                map.insert(EITHER.to_owned(), json!(true));
            }
        }
    }
    each_claim(object, &records, &mut |part| {
        // The volume in a pod that its container was moved out of is the user's (docs/record.md, Limits).
        let was_left = !part.claimed && part.map.contains_key("configMap");
        if was_left && part.map.shift_remove(OURS).is_some() || part.claimed && !is_marked(part.map)
        {
            part.map.insert(EITHER.to_owned(), json!(true));
        }
    });
    each_map(object, &mut |map| {
        // A structure that a user uses, or emptied, is the user's as well: whether it goes with the last thing in it is open.
        // What we create has a list of containers, so a pod spec with our volumes alone was emptied too.
        let is_emptied = map.keys().all(|key| key == OURS || key == "volumes");
        if map.contains_key(OURS) && (is_touched(map) || is_emptied) {
            map.shift_remove(OURS);
            map.insert(EITHER.to_owned(), json!(true));
        }
        if !is_marked(map) && is_all_marked(map) {
            map.insert(EITHER.to_owned(), json!(true));
        }
        for list in ["env", "volumes", "volumeMounts"] {
            let found = map.get_mut(list).and_then(Value::as_array_mut);
            blur_doubles(found.into_iter().flatten().collect());
        }
    });
}

/// Of two equal items the engine may take either for its own.
fn blur_doubles(mut items: Vec<&mut Value>) {
    let plain: Vec<Value> = items.iter().map(|item| bare(item)).collect();
    for (at, item) in items.iter_mut().enumerate() {
        let is_double = plain
            .iter()
            .enumerate()
            .any(|(other, it)| other != at && *it == plain[at]);
        if is_double && item.get(OURS).is_some() {
            blur(item);
        }
    }
}

/// Applies a patch to the bare object.
fn apply(object: &Value, patch: &Value) -> Result<Value, String> {
    let patch: Patch = serde_json::from_value(patch.clone())
        .map_err(|error| format!("the patch is none: {error}"))?;
    let mut result = object.clone();
    json_patch::patch(&mut result, &patch)
        .map_err(|error| format!("the patch does not apply: {error}"))?;
    Ok(result)
}

/// Applies a patch to the marked object, and marks what it adds.
fn apply_marking(object: &Value, patch: &Value) -> Result<Value, String> {
    let mut patch = patch.clone();
    for operation in patch.as_array_mut().into_iter().flatten() {
        let place = operation["path"].as_str().unwrap_or_default().to_owned();
        if let Some(value) = operation.get_mut("value") {
            mark(value, &place);
        }
    }
    apply(object, &patch)
}

impl World {
    /// The object goes through the webhook. Gives what is stored.
    pub(super) fn call(
        &mut self,
        object: &Value,
        old: Option<&Value>,
    ) -> Result<Value, Box<Failure>> {
        let (plain, plain_old) = (bare(object), old.map(bare));
        let old = plain_old.as_ref();
        let old_text = old.map(Value::to_string);
        let old_text = old_text.as_deref();
        let called = self
            .ask(&plain.to_string(), old_text)
            .map_err(|what| self.fail(what, object, old, None))?;
        self.seen.calls += 1;
        let none = json!([]);
        let patch = called.patch.as_ref().unwrap_or(&none);
        self.seen.patches += usize::from(called.patch.is_some());
        let fail = |what: String| self.fail(what, object, old, Some(patch));
        let result = apply(&plain, patch).map_err(fail)?;
        let marked = apply_marking(object, patch).map_err(fail)?;
        if bare(&marked) != result {
            return Err(fail(
                "the patch adds to what is not as it was read".to_owned(),
            ));
        }
        self.check(object, &marked, &called).map_err(fail)?;
        self.check_second_pass(&result, old_text, &called)?;
        if let Some(text) = record(&result).and_then(Value::as_str)
            && record(&plain).and_then(Value::as_str) != Some(text)
        {
            self.written.insert(text.to_owned());
        }
        let opted_out = record(object).is_some() && record(&marked).is_none();
        self.seen.opted_out += usize::from(opted_out && find_ours(object).is_some());
        Ok(marked)
    }

    fn check(&self, before: &Value, after: &Value, called: &Called) -> Result<(), String> {
        let (mine, left) = (users(before), users(after));
        if mine != left {
            return Err(format!(
                "what the user has changed: it was {mine} and is {left}"
            ));
        }
        let known = record(before).is_none_or(|text| {
            text.as_str()
                .is_some_and(|text| self.written.contains(text))
        });
        if known && called.reasons.contains("record-unreadable") {
            return Err("a record of our own is refused".to_owned());
        }
        check_record(after)?;
        let default_on = self.route == Route::DefaultOn;
        let mut all_off = true;
        for predictor in predictors(after) {
            match asked(after, predictor, &self.config, default_on) {
                Asked::Off => {
                    if let Some(part) = find_ours(predictor) {
                        return Err(format!("opted out, and this is left: {part}"));
                    }
                }
                Asked::On => {
                    all_off = false;
                    each_env(predictor, &mut check_env)?;
                }
                Asked::Unclear => all_off = false,
            }
        }
        if all_off && known && record(after).is_some() {
            return Err("opted out, and the record is left".to_owned());
        }
        Ok(())
    }

    /// Nothing is left to do in what a call left behind, whoever asks about it again.
    fn check_second_pass(
        &self,
        result: &Value,
        old: Option<&str>,
        called: &Called,
    ) -> Result<(), Box<Failure>> {
        let text = result.to_string();
        let restored = called.reasons.contains("restored");
        let again = [
            ("a reinvocation", old.is_some(), old),
            ("an UPDATE without a change", true, Some(&text)),
            // What was restored follows the older settings; a CREATE has the new ones.
            ("a CREATE", !restored, None),
        ];
        for (what, asks, old) in again {
            if !asks {
                continue;
            }
            let fail = |what: String, patch| {
                let old = old.and_then(|old| serde_json::from_str(old).ok());
                self.fail(what, result, old.as_ref(), patch)
            };
            let second = self.ask(&text, old).map_err(|what| fail(what, None))?;
            if let Some(patch) = &second.patch {
                return Err(fail(
                    format!("the second pass is not empty, as {what}"),
                    Some(patch),
                ));
            }
        }
        Ok(())
    }
}

/// The record claims what is ours, all of it, and nothing else.
fn check_record(after: &Value) -> Result<(), String> {
    if has_twins(after) {
        return Ok(());
    }
    let records = [Claims::of(after)];
    let mut wrong = None;
    each_claim(&mut after.clone(), &records, &mut |part| {
        let is_ours = part.map.contains_key(OURS);
        let shown = || bare(&Value::Object(part.map.clone()));
        if is_ours && !part.claimed {
            wrong = Some(format!("the record does not have {}", shown()));
        } else if part.claimed && !is_marked(part.map) {
            wrong = Some(format!("the record claims what is the user's: {}", shown()));
        }
    });
    wrong.map_or(Ok(()), Err)
}

fn each_env(
    part: &Value,
    look: &mut dyn FnMut(&[Value]) -> Result<(), String>,
) -> Result<(), String> {
    match part {
        Value::Array(list) => list.iter().try_for_each(|item| each_env(item, look)),
        Value::Object(map) => {
            look(items(map.get("env")))?;
            map.values().try_for_each(|item| each_env(item, look))
        }
        _ => Ok(()),
    }
}

/// In a list that is traced nothing of ours stands beside a user's of the same name, and pairs are whole.
fn check_env(env: &[Value]) -> Result<(), String> {
    let marked = |item: &Value| item.as_object().is_some_and(is_marked);
    let ours = |item: &&Value| {
        item.as_object()
            .is_some_and(|map: &Map<String, Value>| map.contains_key(OURS))
    };
    let shown = || env.iter().map(bare).collect::<Value>();
    for item in env.iter().filter(ours) {
        if env
            .iter()
            .any(|other| !marked(other) && other["name"] == item["name"])
        {
            return Err(format!("ours stands beside the user's: {}", shown()));
        }
        let other = match item["name"].as_str().unwrap_or_default() {
            "JAEGER_AGENT_HOST" => "JAEGER_AGENT_PORT",
            "JAEGER_AGENT_PORT" => "JAEGER_AGENT_HOST",
            "JAEGER_SAMPLER_TYPE" => "JAEGER_SAMPLER_PARAM",
            "JAEGER_SAMPLER_PARAM" => "JAEGER_SAMPLER_TYPE",
            _ => continue,
        };
        if !env.iter().any(|it| marked(it) && it["name"] == other) {
            return Err(format!("half a pair of ours: {}", shown()));
        }
    }
    Ok(())
}
