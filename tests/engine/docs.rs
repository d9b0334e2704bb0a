//! The lists of the documentation are those of the code.

use std::collections::BTreeMap;
use std::fs;

use seldon_tracing::config::Config;
use seldon_tracing::inject::{ANNOTATION_PREFIX, Reason, Setting};

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

/// The anchors that a page has for its headings.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| {
            let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
            heading
                .chars()
                .filter(kept)
                .collect::<String>()
                .replace(' ', "-")
        })
}

#[test]
fn the_links_between_the_documents_lead_somewhere() {
    let mut links = 0;
    for page in [
        "README.md",
        "docs/annotations.md",
        "docs/reasons.md",
        "docs/record.md",
        "docs/explain.md",
        "manifests/README.md",
        "manifests/external/README.md",
    ] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let folder = root().join(page).parent().unwrap().to_owned();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(page)
            } else {
                folder.join(file)
            };
            assert!(target.exists(), "{page} links to {link}");
            assert!(
                anchor.is_empty()
                    || anchors(&fs::read_to_string(&target).unwrap()).any(|it| it == anchor),
                "{page} links to {link}"
            );
            links += 1;
        }
    }
    assert!(links > 5, "the links were found");
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
