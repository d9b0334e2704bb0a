//! The lists of the documentation are those of the code. `pages.rs` holds what joins its pages.

mod pages;

use std::collections::BTreeMap;
use std::fs;

use seldon_tracing::config::Config;
use seldon_tracing::inject::{ANNOTATION_PREFIX, Reason, Setting, Standing};

use crate::support::fixtures::root;

fn doc(name: &str) -> String {
    let path = root().join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a table that begin with a code, as code and further cells.
fn rows(text: &str) -> Vec<(&str, Vec<&str>)> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(code, rest)| {
            let rest = rest.trim().trim_end_matches('|');
            (code, rest.split('|').map(str::trim).collect())
        })
        .collect()
}

#[test]
fn every_reason_is_in_the_documentation_once_and_no_other() {
    let text = doc("reasons.md");
    let rows = rows(&text);
    let documented: BTreeMap<_, _> = rows.iter().cloned().collect();
    assert_eq!(documented.len(), rows.len(), "a code stands there twice");
    for reason in Reason::ALL {
        let cells = documented
            .get(reason.code())
            .unwrap_or_else(|| panic!("docs/reasons.md has no row | `{}` |", reason.code()));
        let says_problem = cells.first() == Some(&"yes");
        assert_eq!(says_problem, reason.is_problem(), "{}", reason.code());
    }
    let known = |code: &str| Reason::ALL.iter().any(|reason| reason.code() == code);
    let unknown: Vec<_> = documented.keys().filter(|code| !known(code)).collect();
    assert_eq!(unknown, Vec::<&&str>::new(), "no reasons of the code");
}

#[test]
fn every_standing_is_in_the_documentation_in_the_order_in_which_it_is_said() {
    let text = doc("fleet.md");
    let documented: Vec<_> = rows(&text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(documented, Standing::ALL.map(Standing::code));
}

#[test]
fn every_setting_is_in_the_documentation() {
    let text = doc("annotations.md");
    for setting in Setting::ALL {
        let annotation = format!("`{ANNOTATION_PREFIX}{}`", setting.annotation());
        assert!(
            text.contains(&annotation),
            "docs/annotations.md lacks {annotation}"
        );
    }
}

#[test]
fn every_setting_of_a_receiver_is_one_that_a_config_accepts() {
    let text = doc("receivers.md");
    let blocks = text.split("```yaml\n").skip(1);
    let ours: Vec<&str> = blocks
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .filter(|block| block.starts_with("defaults:"))
        .collect();
    assert!(ours.len() >= 4, "{ours:?}");
    for block in ours {
        Config::read(block).unwrap_or_else(|problems| panic!("{block}{problems:?}"));
    }
}
