//! Where the programs are that are not ours.

use std::env;
use std::path::PathBuf;

/// The folders that `tests/spans/run` has made.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    binaries: PathBuf,
    python: PathBuf,
}

impl Parts {
    /// What is there, or what to say about its absence.
    pub(crate) fn find() -> Result<Self, String> {
        let folder = |variable: &str, file: &str| {
            let Some(folder) = env::var_os(variable).map(PathBuf::from) else {
                return Err(format!(
                    "{variable} is not set. `tests/spans/run` builds a collector and Jaeger with Go, installs Seldon's Python wrapper and runs these tests"
                ));
            };
            // Who sets it wants these tests to run.
            assert!(
                folder.join(file).is_file(),
                "{variable} is {}, where there is no {file}",
                folder.display()
            );
            Ok(folder)
        };
        Ok(Self {
            binaries: folder("SELDON_TRACING_SPANS", "collector")?,
            python: folder("SELDON_TRACING_PYTHON", "bin/python")?,
        })
    }

    /// The collector, Jaeger, or the stand-in for the orchestrator.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    /// A command of the Python environment.
    pub(crate) fn python(&self, name: &str) -> PathBuf {
        self.python.join("bin").join(name)
    }
}
