//! Our webhook in a process of its own, at an address that it keeps, so that it can be down and come back.

use std::net::{SocketAddr, TcpListener};

use seldon_tracing::pki::{Names, Purpose};
use tempfile::TempDir;
use time::OffsetDateTime;

use super::Cluster;
use crate::support::load;
use crate::support::load::process::{self, Process};

/// Nothing else takes a port of this address for a while by chance.
const ADDRESS: [u8; 4] = [127, 97, 0, 1];

/// The webhook, which is running or not.
pub(crate) struct LoneWebhook<'c> {
    cluster: &'c Cluster,
    address: SocketAddr,
    folder: TempDir,
    /// Who signed its certificate.
    pub(crate) ca: String,
    process: Option<Process>,
}

impl<'c> LoneWebhook<'c> {
    pub(crate) fn start(cluster: &'c Cluster) -> Self {
        let authority = load::authority();
        let names = Names {
            dns: Vec::new(),
            ip: vec![ADDRESS.into()],
        };
        let now = OffsetDateTime::now_utc();
        let pair = authority
            .issue(&names, Purpose::Server, now, time::Duration::DAY)
            .unwrap();
        let free = TcpListener::bind(SocketAddr::from((ADDRESS, 0))).unwrap();
        let mut webhook = Self {
            cluster,
            address: free.local_addr().unwrap(),
            folder: load::folder_of(&pair),
            ca: authority.certificate().to_owned(),
            process: None,
        };
        drop(free);
        webhook.come_back("{}");
        webhook
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}/mutate", self.address)
    }

    /// Ends it at once: from now on connections are refused.
    pub(crate) fn go_down(&mut self) {
        self.process = None;
    }

    /// Starts it where it was, with this configuration.
    pub(crate) fn come_back(&mut self, config: &str) {
        std::fs::write(self.folder.path().join("config.yaml"), config).unwrap();
        let listen = self.address.to_string();
        let arguments = [
            "--listen",
            &listen,
            "--admin-listen",
            "127.0.0.1:0",
            "--config",
            "config.yaml",
        ];
        let command = process::command(self.folder.path(), &arguments);
        self.process = Some(self.cluster.block_on(process::run(command)));
    }
}
