//! etcd and kube-apiserver on free ports of loopback, for as long as this lives.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::KeyPair;
use seldon_tracing::pki::{Authority, Names, Purpose};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::until;
use crate::support::guarded::Guarded;

/// What is behind the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// No nodes. Addresses of Services are of loopback, so that a process of the tests can listen where the API server calls.
    Loopback,
    /// A node, in whose network this runs (`tests/node/init`).
    Node,
}

/// The address of the node; see `tests/node/init`.
pub(crate) const NODE: &str = "10.200.0.1";

/// Who has this is the administrator.
const TOKEN: &str = "administrator-of-a-cluster-on-loopback";

/// Tries to find ports that nobody takes between the look and the start.
const TRIES: usize = 3;

/// The control plane of a cluster.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    pub(crate) ground: Ground,
    folder: PathBuf,
    assets: PathBuf,
    // In the order in which they end.
    _api_server: Guarded,
    _etcd: Guarded,
}

impl ControlPlane {
    /// Starts the binaries in `assets`. Logs, keys and data are in `folder`, which must be empty.
    pub(crate) fn start(assets: &Path, folder: &Path, ground: Ground) -> Self {
        let mut trouble = String::new();
        for attempt in 0..TRIES {
            let folder = folder.join(attempt.to_string());
            fs::create_dir_all(&folder).unwrap();
            match Self::attempt(assets, &folder, ground) {
                Ok(plane) => return plane,
                Err(error) => trouble = error,
            }
        }
        panic!("the control plane did not start: {trouble}");
    }

    fn attempt(assets: &Path, folder: &Path, ground: Ground) -> Result<Self, String> {
        let [clients, peers, secure] = free_ports();
        let authority =
            Authority::new(None, OffsetDateTime::now_utc(), time::Duration::days(2)).unwrap();
        write_identity(folder, &authority);
        write_kubeconfig(folder, &authority, secure);
        let policy = audit_policy().to_string();
        fs::write(folder.join("audit-policy.json"), policy).unwrap();

        let mut etcd = Guarded::start(
            &assets.join("etcd"),
            &[
                flag("--data-dir", folder.join("etcd").display()),
                "--unsafe-no-fsync".to_owned(),
                "--log-level=warn".to_owned(),
                flag("--listen-client-urls", local(clients)),
                flag("--advertise-client-urls", local(clients)),
                flag("--listen-peer-urls", local(peers)),
                flag("--initial-advertise-peer-urls", local(peers)),
                flag("--initial-cluster", format!("default={}", local(peers))),
            ],
            &folder.join("etcd.log"),
        );
        let mut api_server = Guarded::start(
            &assets.join("kube-apiserver"),
            &api_server_flags(folder, ground, clients, secure),
            &folder.join("kube-apiserver.log"),
        );
        let kubectl = |arguments: &[&str]| {
            let mut command = Command::new(assets.join("kubectl"));
            command.arg("--kubeconfig").arg(folder.join("kubeconfig"));
            command.args(arguments).output().unwrap()
        };
        let mut ended = None;
        until("the API server is ready", || {
            ended = etcd.ended().or_else(|| api_server.ended());
            ended.is_some() || kubectl(&["get", "--raw", "/readyz"]).status.success()
        });
        if let Some(status) = ended {
            let logs = folder.display();
            return Err(format!(
                "a server ended with {status}; its log is in {logs}"
            ));
        }
        Ok(Self {
            ground,
            folder: folder.to_owned(),
            assets: assets.to_owned(),
            _api_server: api_server,
            _etcd: etcd,
        })
    }

    /// What kubectl and clients need to be its administrator.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    pub(crate) fn kubectl(&self) -> PathBuf {
        self.assets.join("kubectl")
    }

    /// Where a program of this cluster writes what it has to say.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Events of the audit log, oldest first.
    pub(crate) fn audit(&self) -> Vec<Value> {
        self.audit_with("")
    }

    /// The same, of events that have this text in them.
    pub(crate) fn audit_with(&self, text: &str) -> Vec<Value> {
        let log = fs::read_to_string(self.folder.join("audit.log")).unwrap_or_default();
        // The last line may still be being written.
        log.lines()
            .filter(|line| line.contains(text))
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("{name}={value}")
}

fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // All are held at the same time, so that they differ.
    let held = [(); COUNT].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

fn write_identity(folder: &Path, authority: &Authority) {
    let names = Names {
        dns: vec!["localhost".to_owned()],
        // The last is that of its Service, which pods call.
        ip: vec![
            Ipv4Addr::LOCALHOST.into(),
            Ipv4Addr::new(10, 96, 0, 1).into(),
        ],
    };
    let now = OffsetDateTime::now_utc();
    let pair = authority
        .issue(&names, Purpose::Server, now, time::Duration::DAY)
        .unwrap();
    fs::write(folder.join("server.crt"), pair.chain).unwrap();
    fs::write(folder.join("server.key"), pair.key).unwrap();
    let accounts = KeyPair::generate().unwrap();
    fs::write(folder.join("accounts.key"), accounts.serialize_pem()).unwrap();
    fs::write(folder.join("accounts.pub"), accounts.public_key_pem()).unwrap();
    let tokens = format!("{TOKEN},admin,admin,system:masters\n");
    fs::write(folder.join("tokens.csv"), tokens).unwrap();
}

fn write_kubeconfig(folder: &Path, authority: &Authority, port: u16) {
    let ca = folder.join("ca.crt");
    fs::write(&ca, authority.certificate()).unwrap();
    let server = format!("https://127.0.0.1:{port}");
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority": ca}}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    });
    fs::write(folder.join("kubeconfig"), config.to_string()).unwrap();
}

/// What is asked of SeldonDeployments, with what webhooks made of it; nothing else.
fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "Request", "verbs": ["create", "update", "patch", "delete"],
             "resources": [{"group": "machinelearning.seldon.io"}]},
            {"level": "None"},
        ],
    })
}

/// See <https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/>.
fn api_server_flags(folder: &Path, ground: Ground, etcd: u16, port: u16) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    let issuer = format!("https://127.0.0.1:{port}/");
    let mut flags = match ground {
        Ground::Loopback => vec![
            flag("--bind-address", "127.0.0.1"),
            flag("--advertise-address", "127.0.0.1"),
            flag("--endpoint-reconciler-type", "none"),
            flag("--service-cluster-ip-range", "127.96.0.0/16"),
            // Nobody here makes the service account of a namespace.
            flag("--disable-admission-plugins", "ServiceAccount"),
        ],
        Ground::Node => vec![
            flag("--bind-address", "0.0.0.0"),
            flag("--advertise-address", NODE),
            flag("--service-cluster-ip-range", "10.96.0.0/16"),
            flag("--kubelet-preferred-address-types", "InternalIP"),
        ],
    };
    flags.extend([
        flag("--etcd-servers", local(etcd)),
        flag("--secure-port", port),
        flag("--authorization-mode", "RBAC"),
        flag("--token-auth-file", file("tokens.csv")),
        flag("--service-account-issuer", issuer),
        flag("--service-account-key-file", file("accounts.pub")),
        flag("--service-account-signing-key-file", file("accounts.key")),
        flag("--cert-dir", file("certs")),
        flag("--tls-cert-file", file("server.crt")),
        flag("--tls-private-key-file", file("server.key")),
        flag("--audit-policy-file", file("audit-policy.json")),
        flag("--audit-log-path", file("audit.log")),
        // An event is in the log before its answer goes out.
        flag("--audit-log-mode", "blocking"),
        // The tests are many clients, but of one user.
        flag("--enable-priority-and-fairness", false),
    ]);
    flags
}
