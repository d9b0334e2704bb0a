//! Files that may change while they are in use: their bytes are looked at again and again, and the last good ones stay.
//!
//! A look every few seconds sees every way in which files change; a watch does not. A mounted Secret or `ConfigMap` changes by a swap
//! of a symlink (<https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod>), after which a watch on
//! the file is a watch on what is gone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;
use tokio::time::MissedTickBehavior;

use super::identity::{Files, Identity, IdentityError, Loaded, Material};
use super::metrics::Source;
use super::state::Shared;
use crate::config::Config;
use crate::files;

/// When the expiry of the certificate begins to be worth a warning, in seconds.
const SOON: i64 = 7 * 24 * 3600;

/// Where the configuration comes from.
#[derive(Debug)]
pub enum ConfigSource {
    /// It is this one.
    Fixed(Box<Config>),
    /// A file, which is read again when it changes.
    File(PathBuf),
}

/// The configuration in a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read the config file {path}: {error}", path = .path.display())]
    Read {
        /// Where.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// It says what it cannot mean: one line for each fault.
    #[error("the config file {path} is not usable:\n  {faults}", path = .path.display())]
    Bad {
        /// Where.
        path: PathBuf,
        /// A line for each fault.
        faults: String,
    },
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    files::read(path, Config::MAX_BYTES)
        .and_then(files::text)
        .map_err(|error| ConfigError::Read {
            path: path.to_owned(),
            error,
        })
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    Config::read(text).map_err(|problems| ConfigError::Bad {
        path: path.to_owned(),
        faults: problems
            .lines(&path.display().to_string())
            .collect::<Vec<_>>()
            .join("\n  "),
    })
}

/// Looks again and again, for as long as the server runs. Certificate and configuration have a task each, because a file may be on a
/// disk that does not answer, and the other one is looked at all the same.
pub(super) async fn watch(every: Duration, mut look: impl FnMut() + Send + 'static) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first comes at once, and the files have just been read.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let looking = spawn_blocking(move || {
            look();
            look
        });
        match looking.await {
            Ok(again) => look = again,
            Err(error) => {
                tracing::error!(%error, "a bug: changed files are not seen any more until the next start");
                return;
            }
        }
    }
}

/// A certificate that is looked at again and again.
#[derive(Debug)]
pub(super) struct WatchedIdentity {
    files: Option<Files>,
    tls: RustlsConfig,
    /// What was last tried, and what was wrong with it.
    seen: Material,
    verdict: Option<String>,
    /// Whether that was only that it is not valid yet: then it is tried again.
    too_early: bool,
    not_after: i64,
    warned: Expiry,
}

/// How near the end of the certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Expiry {
    Far,
    Soon,
    Past,
}

impl WatchedIdentity {
    /// Loads the certificate for the first time.
    pub(super) fn new(identity: Identity, shared: &Shared) -> Result<Self, IdentityError> {
        let (material, files) = match identity {
            Identity::Files(files) => (files.read()?, Some(files)),
            Identity::Memory(pair) => (Material::from(&pair), None),
        };
        let Loaded { tls, leaf } = material.load(OffsetDateTime::now_utc())?;
        let mut watched = Self {
            files,
            tls: RustlsConfig::from_config(tls),
            seen: material,
            verdict: None,
            too_early: false,
            not_after: 0,
            warned: Expiry::Far,
        };
        watched.serves(&leaf, shared);
        Ok(watched)
    }

    /// What the acceptor takes its certificate from.
    pub(super) fn tls(&self) -> RustlsConfig {
        self.tls.clone()
    }

    fn serves(&mut self, leaf: &crate::pki::Certificate, shared: &Shared) {
        let (begin, end) = (leaf.not_before, leaf.not_after);
        self.not_after = end.unix_timestamp();
        self.warned = Expiry::Far;
        shared
            .health
            .certificate(begin.unix_timestamp(), self.not_after);
        // Times in seconds fit.
        #[expect(clippy::cast_precision_loss, reason = "seconds are less than 2^52")]
        shared.metrics.certificate_expiry.set(self.not_after as f64);
        tracing::info!(
            names = %leaf.dns.iter().cloned().chain(leaf.ip.iter().map(ToString::to_string)).collect::<Vec<_>>().join(","),
            serial = %leaf.serial,
            not_after = %end,
            "serving this certificate"
        );
    }

    /// Looks at the files, and takes them in if they are new and good.
    pub(super) fn look(&mut self, shared: &Shared) {
        self.warn_of_expiry();
        let Some(files) = self.files.clone() else {
            return;
        };
        let problem = match files.read() {
            Err(error) => Some(error.to_string()),
            Ok(material) if material == self.seen && !self.too_early => self.verdict.clone(),
            Ok(material) => {
                let known = material == self.seen;
                let loaded = material.load(OffsetDateTime::now_utc());
                // The files are read one after the other: they may have been swapped between.
                let again = if loaded.is_err() {
                    files.read()
                } else {
                    Ok(material.clone())
                };
                let (material, loaded) = match again {
                    Ok(again) if again != material => {
                        let loaded = again.load(OffsetDateTime::now_utc());
                        (again, loaded)
                    }
                    _ => (material, loaded),
                };
                self.seen = material;
                self.too_early = matches!(&loaded, Err(IdentityError::NotNow(leaf, now)) if *now < leaf.not_before);
                if loaded.is_ok() || !known {
                    shared.metrics.reloaded(Source::Certificate, loaded.is_ok());
                }
                self.verdict = match loaded {
                    Ok(loaded) => {
                        self.tls.reload_from_config(loaded.tls);
                        self.serves(&loaded.leaf, shared);
                        None
                    }
                    Err(error) => Some(error.to_string()),
                };
                self.verdict.clone()
            }
        };
        report(shared, Source::Certificate, problem);
    }

    fn warn_of_expiry(&mut self) {
        let left = self.not_after - super::health::now();
        let expiry = match left {
            ..=0 => Expiry::Past,
            1..=SOON => Expiry::Soon,
            _ => Expiry::Far,
        };
        if expiry > self.warned {
            if expiry == Expiry::Past {
                tracing::error!(
                    "the certificate has expired: the API server refuses it; put a new one in its place"
                );
            } else {
                tracing::warn!(
                    days = left / (24 * 3600),
                    "the certificate expires soon; put a new one in its place"
                );
            }
        }
        self.warned = expiry;
    }
}

/// A config file that is looked at again and again.
#[derive(Debug)]
pub(super) struct WatchedConfig {
    path: PathBuf,
    seen: String,
    verdict: Option<String>,
}

impl WatchedConfig {
    /// Loads the configuration for the first time.
    pub(super) fn load(source: ConfigSource) -> Result<(Config, Option<Self>), ConfigError> {
        match source {
            ConfigSource::Fixed(config) => Ok((*config, None)),
            ConfigSource::File(path) => {
                let seen = read_text(&path)?;
                let config = parse(&path, &seen)?;
                let watched = Self {
                    path,
                    seen,
                    verdict: None,
                };
                Ok((config, Some(watched)))
            }
        }
    }

    /// Looks at the file, and takes it in if it is new and good.
    pub(super) fn look(&mut self, shared: &Shared) {
        let problem = match read_text(&self.path) {
            Err(error) => Some(error.to_string()),
            Ok(text) if text == self.seen => self.verdict.clone(),
            Ok(text) => {
                let parsed = parse(&self.path, &text);
                self.seen = text;
                shared.metrics.reloaded(Source::Config, parsed.is_ok());
                self.verdict = match parsed {
                    Ok(config) => {
                        shared.config.store(Arc::new(config));
                        tracing::info!(file = %self.path.display(), "the new configuration is in use");
                        None
                    }
                    Err(error) => Some(error.to_string()),
                };
                self.verdict.clone()
            }
        };
        report(shared, Source::Config, problem);
    }
}

/// Says once what is wrong with files, and once that it is no more.
fn report(shared: &Shared, source: Source, problem: Option<String>) {
    let text = problem.clone();
    if !shared.health.problem(source, problem) {
        return;
    }
    let what = source.code();
    if let Some(problem) = text {
        tracing::warn!(what, problem, "the last good files stay in use");
    } else {
        tracing::info!(what, "the files are in order again");
    }
}
