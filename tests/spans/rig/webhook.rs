//! The API server's part: objects go through the webhook before they are stored.

use std::path::Path;

use seldon_tracing::apiserver::client::Client;
use seldon_tracing::apiserver::question::{Operation, Question, admitted, version};
use seldon_tracing::apiserver::verify::verify;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::load::process::{self, Process};
use crate::support::load::{self, ADMISSION};

/// Profiles that tests name.
const CONFIG: &str = "
profiles:
  all: {samplerType: const, samplerParam: 1}
  half: {samplerType: probabilistic, samplerParam: 0.5}
  none: {samplerType: const, samplerParam: 0}
";

const UID: &str = "00000000-0000-4000-8000-000000000002";

/// The webhook, in a process of its own, with a caller.
pub(crate) struct Webhook {
    client: Client,
    runtime: Runtime,
    _process: Process,
}

/// What the API server stores, and what it tells the user.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) object: Value,
    pub(crate) warnings: Vec<String>,
}

impl Webhook {
    pub(crate) fn start(folder: &Path) -> Self {
        let authority = load::authority();
        let pair = load::pair(&authority);
        std::fs::write(folder.join("tls.crt"), &pair.chain).unwrap();
        std::fs::write(folder.join("tls.key"), &pair.key).unwrap();
        let config = folder.join("config.yaml");
        std::fs::write(&config, CONFIG).unwrap();
        let runtime = Runtime::new().unwrap();
        let started = process::start(folder, &["--config", "config.yaml"]);
        let process = runtime.block_on(started);
        let client = load::client(process.address, authority.certificate());
        Self {
            client,
            runtime,
            _process: process,
        }
    }

    /// A CREATE.
    #[track_caller]
    pub(crate) fn create(&self, manifest: &Value) -> Stored {
        self.write(manifest, None)
    }

    /// An UPDATE of what is stored.
    #[track_caller]
    pub(crate) fn update(&self, stored: &Value, object: &Value) -> Stored {
        self.write(object, Some(stored))
    }

    #[track_caller]
    fn write(&self, manifest: &Value, old: Option<&Value>) -> Stored {
        let object = admitted(manifest, "models");
        let question = Question {
            uid: UID,
            operation: old.map_or(Operation::Create, |_| Operation::Update),
            namespace: object["metadata"]["namespace"].as_str().unwrap(),
            name: object["metadata"]["name"].as_str(),
            version: version(manifest),
            dry_run: false,
            user: "somebody",
            object: Some(&object),
            old_object: old,
        };
        let call = self.client.call(question.to_bytes().into(), ADMISSION);
        let answered = self.runtime.block_on(call).unwrap();
        let verified = verify(UID, &answered.reply).unwrap();
        assert!(
            verified.allowed && verified.losses.is_empty(),
            "{verified:?}"
        );
        Stored {
            object: verified.result(Some(&object)).unwrap().unwrap(),
            warnings: verified.warnings,
        }
    }
}
