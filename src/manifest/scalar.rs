//! The values of YAML scalars as kubectl reads them: by go-yaml v2, which follows YAML 1.1 with some exceptions.

use serde_json::{Number, Value};

/// Reads a plain scalar without a tag as go-yaml's `resolve` does. `.inf` and `.nan` have no value, because JSON does not have them.
///
/// Floats stay floats: kubectl would send `1.0` as `1`; this keeps `1.0`.
pub(super) fn resolve(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "y" | "Y" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "n" | "N" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => return None,
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'.') => float(text),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| float(&digits))
        }
        _ => None,
    };
    Some(number.map_or_else(|| text.into(), Value::Number))
}

/// Go's `ParseInt(…, 0, 64)` and then `ParseUint`: the prefixes 0x, 0b and 0o, and 0 for octal.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None; // from_str_radix would accept a second sign
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        0_i64.checked_sub_unsigned(magnitude).map(Number::from)
    } else if text.starts_with('+') {
        i64::try_from(magnitude).ok().map(Number::from)
    } else {
        Some(Number::from(magnitude))
    }
}

/// go-yaml's float, `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, is what Rust reads too, except for words such as `inf`.
fn float(text: &str) -> Option<Number> {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !text.bytes().all(is_part) {
        return None;
    }
    // For a number out of range Go returns an error, and go-yaml reads the text as a string.
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

/// Reads a scalar under an explicit tag of YAML's own (`!!int` gives `int`), or says why not.
pub(super) fn tagged(tag: &str, text: &str) -> Result<Value, String> {
    let value = resolve(text).ok_or_else(|| not_json(text))?;
    let fits = match (tag, &value) {
        ("str", _) => return Ok(Value::String(text.to_owned())),
        ("null", Value::Null) | ("bool", Value::Bool(_)) => true,
        ("int", Value::Number(number)) => !number.is_f64(),
        ("float", Value::Number(number)) => {
            return number
                .as_f64()
                .and_then(Number::from_f64)
                .map(Value::Number)
                .ok_or_else(|| not_json(text));
        }
        _ => false,
    };
    if fits {
        Ok(value)
    } else {
        Err(format!("cannot read `{text}` as !!{tag}"))
    }
}

pub(super) fn not_json(text: &str) -> String {
    format!("`{text}` is a number that JSON, and so Kubernetes, does not have")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_plain_scalars_as_kubectl_does() {
        let cases = [
            ("null", json!(null)),
            ("~", json!(null)),
            ("Yes", json!(true)),
            ("OFF", json!(false)),
            ("y", json!(true)),
            ("tRue", json!("tRue")),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("0644", json!(0o644)),
            ("0o644", json!(0o644)),
            ("08", json!(8.0)),
            ("0x1F", json!(31)),
            ("0b101", json!(5)),
            ("-0b101", json!(-5)),
            ("1_000", json!(1000)),
            ("0x", json!("0x")),
            ("0", json!(0)),
            ("-", json!("-")),
            ("--1", json!("--1")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
            ("1.5", json!(1.5)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("1e", json!("1e")),
            ("1e999", json!("1e999")),
            (".", json!(".")),
            ("1.2.3", json!("1.2.3")),
            ("2001-01-01", json!("2001-01-01")),
            ("1:30", json!("1:30")),
            ("inf", json!("inf")),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text), Some(expected), "{text}");
        }
        assert_eq!(resolve("-.inf"), None);
    }

    #[test]
    fn reads_tagged_scalars() {
        assert_eq!(tagged("str", "12"), Ok(json!("12")));
        assert_eq!(tagged("int", "12"), Ok(json!(12)));
        assert_eq!(tagged("float", "12"), Ok(json!(12.0)));
        assert_eq!(tagged("null", ""), Ok(json!(null)));
        assert!(tagged("int", "x").is_err());
        assert!(tagged("bool", "1").is_err());
    }
}
