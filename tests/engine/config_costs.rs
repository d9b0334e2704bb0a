//! The cost of reading a config file, in allocations, and the length of its error messages. `benches/growth.rs` counts instructions.

use allocation_counter::{AllocationInfo, measure};
use seldon_tracing::config::{Config, Problems};

/// Below `head`, one line for each number.
fn lines(head: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(format!("{head}:\n"), |text, at| text + &line(at) + "\n")
}

fn empty_namespaces(count: usize) -> String {
    lines("namespaces", count, |at| format!("  n{at}:"))
}

/// A kind of file, and one of a number of things.
type Form = (&'static str, fn(usize) -> String);

/// What is good.
const GOOD: [Form; 4] = [
    ("empty namespaces", empty_namespaces),
    ("namespaces", |count| {
        lines("namespaces", count, |at| {
            format!("  n{at}: {{agentPort: 1}}")
        })
    }),
    ("aliases", |count| {
        lines("namespaces", count, |at| match at {
            0 => "  n0: &n0 {agentPort: 1}".to_owned(),
            at => format!("  n{at}: *n0"),
        })
    }),
    ("names", |count| {
        format!("defaults: {{excludeContainers: [{}]}}", "a,".repeat(count))
    }),
];

/// What is wrong in as many places, or has a long text that is wrong.
const BAD: [Form; 10] = [
    ("bad settings", |count| {
        lines("namespaces", count, |at| format!("  n{at}: {{tags: 1}}"))
    }),
    ("halves of pairs", |count| {
        lines("profiles", count, |at| {
            format!("  p{at}: {{samplerParam: 1}}")
        })
    }),
    ("unknown keys", |count| {
        lines("defaults", count, |at| format!("  x{at}: 1"))
    }),
    ("the same key", |count| {
        lines("defaults", count, |_| "  agentPort: 1".to_owned())
    }),
    ("bad names", |count| {
        lines("namespaces", count, |at| format!("  N{at}: {{}}"))
    }),
    ("a long key", |count| format!("{}: 1", "x".repeat(count))),
    ("a long name", |count| {
        format!("profiles: {{{}: {{x: 1, y: 2}}}}", "x".repeat(count))
    }),
    ("a list", |count| {
        format!("defaults: [{}]", "a,".repeat(count))
    }),
    ("a long number", |count| {
        format!("defaults: {{agentPort: {}}}", "9".repeat(count))
    }),
    ("a long line that is not YAML", |count| {
        format!("defaults: {{'{}", "x".repeat(count))
    }),
];

fn text_of(problems: &Problems) -> String {
    problems.lines("file").collect::<Vec<_>>().join("\n")
}

fn read(text: &str) -> (AllocationInfo, Result<Config, Problems>) {
    let mut result = None;
    let info = measure(|| result = Some(Config::read(text)));
    (info, result.unwrap())
}

#[test]
fn allocations_grow_with_the_file() {
    for (what, text) in GOOD.iter().chain(&BAD) {
        let [few, many] = [1000, 10_000].map(|count| read(&text(count)).0.count_total);
        assert!(many <= 11 * few + 100, "{what}: {few}, then {many}");
    }
}

#[test]
fn what_is_said_is_short_and_says_how_much_more_there_is() {
    for (what, text) in BAD {
        let said = text_of(&read(&text(10_000)).1.unwrap_err());
        assert!(said.len() < 8 * 1024, "{what}: {} bytes", said.len());
        let many = text_of(&read(&text(30)).1.unwrap_err());
        let count = many.lines().count();
        assert!(count == 1 || count == 2 || count == 21, "{what}: {many}");
        let more = many.ends_with("\nfile: and 10 more problems")
            || many.ends_with("\nfile: and 9 more problems");
        assert_eq!(count == 21, more, "{what}: {many}");
    }
    let text = BAD[0].1(21);
    let said = text_of(&Config::read(&text).unwrap_err());
    assert!(said.ends_with("\nfile: and 1 more problem"), "{said}");
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let line = "# a comment\n";
    let most = line.repeat(Config::MAX_BYTES / line.len());
    assert_eq!(read(&most).1.unwrap(), Config::default());
    let (info, result) = read(&(most + line));
    let said = text_of(&result.unwrap_err());
    let expected = "file:1:1: the file has 262152 bytes, and at most 262144 (256 KiB) are read; \
        settings that many namespaces share belong in `defaults` or in a profile";
    assert_eq!(said, expected);
    assert!(info.bytes_total < 1024, "{} bytes", info.bytes_total);
}

/// The webhook reads it beside everything else, within the memory limit of its Deployment.
#[test]
fn the_largest_file_takes_at_most_48_mib() {
    for (what, text) in GOOD.iter().chain(&BAD) {
        let count = Config::MAX_BYTES * 9_000 / text(10_000).len();
        let text = text(count);
        assert!(
            (200_000..=Config::MAX_BYTES).contains(&text.len()),
            "{what}"
        );
        let (info, _) = read(&text);
        assert!(
            info.bytes_max < 48 << 20,
            "{what}: {} bytes",
            info.bytes_max
        );
    }
}

/// Each alias reads as all that it stands for.
#[test]
fn aliases_do_not_multiply() {
    let many = "x: 1, ".repeat(1000);
    let settings = lines("namespaces", 2000, |at| match at {
        0 => format!("  n0: &all {{{many}}}"),
        at => format!("  n{at}: *all"),
    });
    let value = "a=b,".repeat(1000) + "a=b";
    let texts = lines("namespaces", 2000, |at| match at {
        0 => format!("  n0: {{tags: &all '{value}'}}"),
        at => format!("  n{at}: {{tags: *all}}"),
    });
    let names = "a,".repeat(2000);
    let lists = lines("namespaces", 2000, |at| match at {
        0 => format!("  n0: {{excludeContainers: &all [{names}]}}"),
        at => format!("  n{at}: {{excludeContainers: *all}}"),
    });
    let nested = (1..30).fold("a: [&a0 [x]".to_owned(), |text, at| {
        let before = format!("*a{},", at - 1);
        format!("{text}, &a{at} [{}]", before.repeat(10))
    });
    let nested = nested + "]\ndefaults: {excludeContainers: *a29}\n";
    for (what, text) in [("settings", settings), ("texts", texts), ("lists", lists)] {
        let (info, result) = read(&text);
        let said = text_of(&result.unwrap_err());
        assert!(
            said.contains("the aliases expand to too much"),
            "{what}: {said}"
        );
        assert!(
            info.bytes_max < 16 << 20,
            "{what}: {} bytes",
            info.bytes_max
        );
    }
    let (info, result) = read(&nested);
    assert!(result.is_err());
    assert!(info.bytes_max < 1 << 20, "{} bytes", info.bytes_max);
}
