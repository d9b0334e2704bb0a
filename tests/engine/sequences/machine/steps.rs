//! The steps: what users, admins and outages do to a `SeldonDeployment`.

use seldon_tracing::admission::Route;
use serde_json::{Map, Value, json};

use super::edits::{EDITS, annotations, put};
use super::marks::{RECORD, blur, each_map, record};
use super::{Failure, Step, World, start};

impl World {
    /// One step.
    pub(super) fn step(&mut self, [kind, bytes @ ..]: Step) -> Result<(), Box<Failure>> {
        let [place, what, _] = bytes;
        let environment = kind >= 192;
        if !environment {
            let (name, edit) = EDITS[usize::from(kind) % EDITS.len()];
            let mut object = self.stored.clone();
            if edit(&mut object, bytes).is_none() {
                return Ok(());
            }
            if record(&object) != record(&self.stored) {
                // An object that is put back has another record than what is stored then (docs/record.md, Limits).
                blur(&mut self.manifest);
            }
            self.story
                .push(format!("{}a user {name} {bytes:?}", self.unheard()));
            return self.update(object);
        }
        match kind % 9 {
            0 | 1 => {
                (self.config_text, self.config) = start::config(place);
                self.story
                    .push(format!("the config is {:?}", self.config_text));
                Ok(())
            }
            2 | 3 => {
                self.webhook = !self.webhook;
                self.story.push(format!(
                    "the webhook is {}",
                    if self.webhook { "back" } else { "down" }
                ));
                Ok(())
            }
            4 => {
                self.route = if self.route == Route::Mutate {
                    Route::DefaultOn
                } else {
                    Route::Mutate
                };
                self.story.push(format!(
                    "the namespace is asked about at {}",
                    self.route.path()
                ));
                Ok(())
            }
            5 => self.opt_out(place),
            6 | 7 => self.apply(place, what),
            _ => {
                self.story.push(format!(
                    "{}the stored object is written as it is",
                    self.unheard()
                ));
                self.update(self.stored.clone())
            }
        }
    }

    const fn unheard(&self) -> &'static str {
        if self.webhook { "" } else { "(unheard) " }
    }

    /// All triggers go, or say that nothing is to be traced.
    fn opt_out(&mut self, how: u8) -> Result<(), Box<Failure>> {
        let mut object = self.stored.clone();
        let trigger = self.config.trigger.clone();
        let value =
            (how.is_multiple_of(2) || self.route == Route::DefaultOn).then(|| json!("false"));
        each_map(&mut object, &mut |map| {
            let found = map.get_mut("annotations").and_then(Value::as_object_mut);
            found.map(|found| found.shift_remove(&trigger));
        });
        if let Some(found) = annotations(&mut object, 0) {
            put(found, &trigger, value);
        }
        self.story.push(format!("{}all opt out", self.unheard()));
        self.update(object)
    }

    /// The user applies the manifest, or makes another of what is stored.
    fn apply(&mut self, how: u8, what: u8) -> Result<(), Box<Failure>> {
        let unheard = self.unheard();
        let mut tell = |text: &str| self.story.push(format!("{unheard}{text}"));
        match how % 8 {
            0 | 1 => {
                tell("the manifest is put");
                self.applied = self.manifest.clone();
                self.update(self.manifest.clone())
            }
            2..=4 => {
                tell("the manifest is applied by three-way merge");
                let mut object = self.stored.clone();
                merge(&mut object, &self.applied, &self.manifest);
                self.applied = self.manifest.clone();
                self.update(object)
            }
            5 => {
                tell("the stored object becomes the manifest");
                self.manifest = self.stored.clone();
                Ok(())
            }
            6 => {
                tell("the manifest is created anew");
                self.applied = self.manifest.clone();
                self.create(self.manifest.clone())
            }
            _ => {
                tell("another object is created with this one's record");
                let mut object = start::manifest([what, what.rotate_left(3), 1, 0]);
                let copied = record(&self.stored).cloned();
                if let Some(found) = annotations(&mut object, 0) {
                    put(found, RECORD, copied);
                }
                self.create(object)
            }
        }
    }

    /// At the end of each life the webhook is there, and the object opts out.
    pub(super) fn end(&mut self) -> Result<(), Box<Failure>> {
        self.webhook = true;
        self.opt_out(0)
    }
}

/// What kubectl makes of a custom resource: lists are replaced as a whole
/// (<https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes>).
fn merge(live: &mut Value, applied: &Value, manifest: &Value) {
    let (Some(map), Some(new)) = (live.as_object_mut(), manifest.as_object()) else {
        return;
    };
    for key in applied.as_object().into_iter().flat_map(Map::keys) {
        if !new.contains_key(key) {
            map.shift_remove(key);
        }
    }
    for (key, value) in new {
        match map.get_mut(key) {
            Some(found) if found.is_object() && value.is_object() => {
                merge(found, &applied[key], value);
            }
            _ => drop(map.insert(key.clone(), value.clone())),
        }
    }
}
