//! Lists of tests for the binaries whose tests need something that may be absent. `#[ignore]` cannot be decided at run time.

use std::sync::{Arc, LazyLock};

use libtest_mimic::Trial;

/// A test, with its module and name.
pub(crate) type Test<F> = (&'static str, &'static str, F);

/// The tests of a file.
type List<F> = &'static [Test<F>];

/// What tests share. The first test that runs makes it.
pub(crate) type Lazy<T> = Arc<LazyLock<T, Box<dyn FnOnce() -> T + Send>>>;

pub(crate) fn lazy<T>(start: impl FnOnce() -> T + Send + 'static) -> Lazy<T> {
    Arc::new(LazyLock::new(Box::new(start)))
}

/// Lists the tests of a file, by default as the `Test` of its binary.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        tests![TESTS: crate::Test; $($name),*];
    };
    ($list:ident: $test:ty; $($name:ident),* $(,)?) => {
        pub(crate) const $list: &[$test] = &[$((module_path!(), stringify!($name), $name)),*];
    };
}

fn name(module: &str, name: &str) -> String {
    let module = module.rsplit(':').next().unwrap_or_default();
    format!("{module}::{name}")
}

/// Tests that need nothing.
pub(crate) fn plain(tests: &[List<fn()>]) -> Vec<Trial> {
    let tests = tests.iter().copied().flatten();
    tests
        .map(|&(module, test, run)| {
            Trial::test(name(module, test), move || {
                run();
                Ok(())
            })
        })
        .collect()
}

/// Tests that share something. If it is absent they are ignored, and with `--ignored` they fail with the words of `absent`.
pub(crate) fn trials<T: Send + Sync + 'static>(
    tests: &[List<fn(&T)>],
    kind: &str,
    shared: Option<&Lazy<T>>,
    absent: &'static str,
) -> Vec<Trial> {
    let tests = tests.iter().copied().flatten();
    tests
        .map(|&(module, test, run)| {
            let of_test = shared.cloned();
            let trial = Trial::test(name(module, test), move || {
                let shared = of_test.ok_or(absent)?;
                run(&shared);
                Ok(())
            });
            trial.with_kind(kind).with_ignored_flag(shared.is_none())
        })
        .collect()
}
