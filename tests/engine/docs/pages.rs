//! The pages of the documentation as a whole: they are joined by links, and all of their commands are run by somebody.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use clap::Parser as _;
use seldon_tracing::cli::Cli;
use walkdir::WalkDir;

use crate::support::fixtures::root;

/// A file in Markdown, by its path from the root.
struct Page {
    path: PathBuf,
    text: String,
}

/// A block between fences.
struct Block {
    /// The heading above it, with its signs.
    heading: String,
    /// What stands behind the first fence.
    mark: String,
    text: String,
}

impl Page {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(root().join(path));
        Self {
            path: path.to_owned(),
            text: text.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    }

    fn all() -> Vec<Self> {
        let folders = ["docs", "manifests", "certs", "examples"].map(|it| root().join(it));
        let files = folders.iter().flat_map(WalkDir::new);
        let files = files.chain(WalkDir::new(root()).max_depth(1));
        let pages = files
            .map(Result::unwrap)
            .filter(|it| it.path().extension().is_some_and(|it| it == "md"));
        let pages = pages.map(|it| it.path().strip_prefix(root()).unwrap().to_owned());
        let pages: Vec<_> = pages.map(|path| Self::read(&path)).collect();
        assert!(pages.len() > 10);
        pages
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Its blocks, and its headings with their signs.
    fn parts(&self) -> (Vec<Block>, Vec<String>) {
        let (mut blocks, mut headings) = (Vec::new(), Vec::new());
        let mut open: Option<Block> = None;
        for line in self.text.lines() {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(mark)) => {
                    let heading = headings.last().cloned().unwrap_or_default();
                    open = Some(Block {
                        heading,
                        mark: mark.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => block.text.extend([line, "\n"]),
                (None, None) if line.starts_with('#') => headings.push(line.to_owned()),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a fence is open", self.name());
        (blocks, headings)
    }

    /// The anchors that GitHub gives its headings.
    fn anchors(&self) -> BTreeSet<String> {
        let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
        let anchor = |heading: String| {
            let text = heading.trim_start_matches('#').trim().to_lowercase();
            let text: String = text.chars().filter(kept).collect();
            text.replace(' ', "-")
        };
        self.parts().1.into_iter().map(anchor).collect()
    }

    /// Where its links lead inside of the repository: a path from the root, and an anchor that may be empty.
    fn links(&self) -> Vec<(PathBuf, String)> {
        let links = self.text.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split_once(')').map(|(link, _)| link));
        links
            .filter(|link| !link.starts_with("http"))
            .map(|link| {
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                let folder = self.path.parent().unwrap();
                let target = match file {
                    "" => self.path.clone(),
                    file => plain(&folder.join(file)),
                };
                (target, anchor.to_owned())
            })
            .collect()
    }
}

/// The path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(plain.pop(), "{}", path.display()),
            other => plain.push(other),
        }
    }
    plain
}

/// The commands of a block, one a line.
fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut count = 0;
    for page in Page::all() {
        for (target, anchor) in page.links() {
            let said = format!("{} links to {}#{anchor}", page.name(), target.display());
            assert!(root().join(&target).exists(), "{said}");
            let there = || Page::read(&target).anchors().contains(&anchor);
            assert!(anchor.is_empty() || there(), "{said}");
            count += 1;
        }
    }
    assert!(count > 50, "{count} links were found");
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let mut reached = BTreeSet::new();
    let mut next = vec![PathBuf::from("README.md")];
    while let Some(path) = next.pop() {
        if path.extension().is_some_and(|it| it == "md") && reached.insert(path.clone()) {
            next.extend(Page::read(&path).links().into_iter().map(|(path, _)| path));
        }
    }
    for page in Page::all() {
        assert!(
            reached.contains(&page.path),
            "nothing leads to {}",
            page.name()
        );
    }
}

/// `docs/develop.md` says what the marks mean. `sh` is read by `.ci/readme` itself.
#[test]
fn every_block_of_commands_has_somebody_who_runs_it() {
    let runner = fs::read_to_string(root().join(".ci/run")).unwrap();
    let folders =
        ["tests/chart", "tests/cluster", "tests/node", "tests/tools"].map(|it| root().join(it));
    let files = folders.iter().flat_map(WalkDir::new).map(Result::unwrap);
    let sources: String = files
        .filter(|it| it.path().extension().is_some_and(|it| it == "rs"))
        .map(|it| fs::read_to_string(it.path()).unwrap())
        .collect();
    let mut count = 0;
    for page in Page::all() {
        for block in page.parts().0 {
            let place = format!("{}, {}", page.name(), block.heading);
            match block.mark.as_str() {
                "bash" => {
                    let by_itself = commands(&block.text)
                        .iter()
                        .all(|it| runner.contains(&format!("grep -qx '{it}' README.md")));
                    let called = [page.name(), block.heading].map(|it| format!("\"{it}\""));
                    let runs = by_itself || called.iter().all(|it| sources.contains(it));
                    assert!(
                        runs,
                        "{place}: neither .ci/run nor tests/chart, tests/cluster, tests/node or tests/tools runs this"
                    );
                    count += 1;
                }
                "console" => commands(&block.text)
                    .iter()
                    .for_each(|command| assert_cannot_be_run(command, &place)),
                other => {
                    let known = ["sh", "yaml", "json", "text", "alloy", ""];
                    assert!(known.contains(&other), "{place}: a block of {other:?}");
                }
            }
        }
    }
    assert!(count > 15, "{count} blocks were found");
}

/// A command that needs pods, images or releases, which no test has, or changes the home of whoever runs it.
fn assert_cannot_be_run(command: &str, place: &str) {
    let ours = ["seldon-tracing review ", "seldon-tracing check "];
    if ours.iter().any(|it| command.starts_with(it)) {
        Cli::try_parse_from(command.split(' ')).unwrap_or_else(|error| panic!("{place}: {error}"));
        return;
    }
    let beyond = [
        "docker build",
        "docker push",
        "kind load",
        "kubectl krew install",
        "ln -s",
        "kubectl port-forward",
        "kubectl logs",
        "kubectl wait",
        "kubectl rollout status",
        "curl",
        "grpcurl",
    ];
    let beyond = beyond
        .iter()
        .any(|it| command.starts_with(&format!("{it} ")));
    assert!(
        beyond,
        "{place}: {command} is nothing that a test could not run"
    );
}

#[test]
fn the_readme_is_short_and_shows_a_picture_that_stands_alone() {
    let readme = Page::read(Path::new("README.md"));
    let lines = readme.text.lines().count();
    assert!(lines <= 150, "{lines} lines");
    assert!(readme.text.contains("](docs/trace.svg)"));
    let picture = fs::read_to_string(root().join("docs/trace.svg")).unwrap();
    // GitHub shows no picture with a script, and loads nothing that one names.
    let addresses = picture.matches("http").count();
    assert_eq!(addresses, 1, "the namespace of SVG: {picture}");
    assert!(!picture.contains("<script") && !picture.contains("href"));
    assert!(picture.contains("(prefers-color-scheme: dark)"));
}

#[test]
fn what_alerts_panels_and_pages_name_is_among_the_metrics() {
    let operate = super::doc("operate.md");
    // Those of the webhook, and those of the controller.
    let metrics = super::doc("webhook.md") + &operate;
    let files = ["rules.yaml", "dashboard.json"].map(|file| format!("manifests/monitoring/{file}"));
    let files = files.map(|file| fs::read_to_string(root().join(file)).unwrap());
    let text = operate + &super::doc("runbooks.md") + &files.concat();
    let names: BTreeSet<&str> = text
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("seldon_tracing_"))
        .map(|name| name.strip_suffix("_bucket").unwrap_or(name))
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(metrics.contains(&format!("| `{name}` |")), "{name}");
    }
}
