//! Random changes to an object: a part is removed, doubled, moved or replaced.

use proptest::prelude::*;
use serde_json::{Value, json};

/// One change: the number of the part, and what happens to it.
pub(crate) type Accident = (prop::sample::Index, u8);

pub(crate) fn accidents() -> BoxedStrategy<Vec<Accident>> {
    proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5).boxed()
}

pub(crate) fn mutate(value: &mut Value, accidents: &[Accident]) {
    for (place, kind) in accidents {
        let count = count_parts(value);
        if count > 0 {
            let mut left = place.index(count);
            hit(value, &mut left, *kind);
        }
    }
}

fn count_parts(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(|item| 1 + count_parts(item)).sum(),
        Value::Object(map) => map.values().map(|item| 1 + count_parts(item)).sum(),
        _ => 0,
    }
}

/// Changes the part of that number. Returns whether there is one.
fn hit(value: &mut Value, left: &mut usize, kind: u8) -> bool {
    match value {
        Value::Array(list) => {
            for at in 0..list.len() {
                if *left == 0 {
                    match kind % 5 {
                        0 | 1 => drop(list.remove(at)),
                        2 => list.insert(at, list[at].clone()),
                        3 => list.swap(0, at),
                        _ => list[at] = scalar(kind),
                    }
                    return true;
                }
                *left -= 1;
                if hit(&mut list[at], left, kind) {
                    return true;
                }
            }
        }
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            for key in keys {
                if *left == 0 {
                    match kind % 5 {
                        0 | 1 => drop(map.remove(&key)),
                        2 => drop(map.insert("more".to_owned(), json!(1))),
                        _ => drop(map.insert(key, scalar(kind))),
                    }
                    return true;
                }
                *left -= 1;
                if map.get_mut(&key).is_some_and(|part| hit(part, left, kind)) {
                    return true;
                }
            }
        }
        _ => {}
    }
    false
}

fn scalar(kind: u8) -> Value {
    match kind / 5 % 6 {
        0 => json!(null),
        1 => json!("x"),
        2 => json!([]),
        3 => json!({}),
        4 => json!("1"),
        _ => json!(u32::from(kind)),
    }
}
