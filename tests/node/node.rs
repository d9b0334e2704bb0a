//! A node of real parts. It runs in the namespaces that `tests/node/start` made for these tests: it ends with them, and nobody stops it.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::rig::Cluster;
use crate::rig::control_plane::{ControlPlane, Ground, NODE};
use crate::rig::crd::Crd;
use crate::rig::installation::Source;
use crate::rig::{kubectl, until};

const PODS: &str = "10.244.0.0/24";
const SOCKET: &str = "/run/containerd/containerd.sock";

/// What a node is made of, and where it keeps what it has.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// What `tests/node/build` built.
    built: PathBuf,
    /// kube-apiserver, etcd and kubectl.
    assets: PathBuf,
    /// Enforces `NetworkPolicy`. Without it nothing does.
    kube_router: Option<String>,
    /// It goes with the tests.
    pub(crate) folder: PathBuf,
}

impl Parts {
    /// What `tests/node/run` set, or why it set nothing.
    pub(crate) fn find() -> Result<Self, String> {
        let variable = |name| env::var_os(name).map(PathBuf::from);
        let parts = || {
            Some(Self {
                built: variable("SELDON_TRACING_NODE")?,
                assets: variable("KUBEBUILDER_ASSETS")?,
                kube_router: env::var("SELDON_TRACING_KUBE_ROUTER").ok(),
                folder: variable("SELDON_TRACING_FOLDER")?,
            })
        };
        parts().ok_or_else(|| {
            "there is no node: tests/node/run makes one, as root, with Go, a C compiler and packages of Debian".to_owned()
        })
    }

    /// Whether a policy refuses anything.
    pub(crate) const fn enforces_policies(&self) -> bool {
        self.kube_router.is_some()
    }

    /// Starts a cluster of this one node and installs the webhook as the README says.
    pub(crate) fn cluster(&self) -> Cluster {
        // What is written on the way goes with the rest.
        tempfile::env::override_temp_dir(&self.folder).unwrap();
        fs::create_dir(self.folder.join("networks")).unwrap();
        self.write("networks/pods.conflist", &network());
        fs::write(self.folder.join("containerd.toml"), self.containerd()).unwrap();
        let config = format!("--config={}", self.file("containerd.toml"));
        self.start("containerd", &[config]);
        let plane = ControlPlane::start(&self.assets, &self.folder, Ground::Node);
        until("containerd listens", || Path::new(SOCKET).exists());
        self.import("pause");
        self.import("seldon-tracing");
        self.join(&plane);
        self.enforce(&plane);
        let (crds, substitution) = Crd::found();
        if let Some(said) = substitution {
            eprintln!("node: {said}");
        }
        Cluster::on(plane, crds[0], &Source::External)
    }

    /// An image that `tests/node/build` wrote.
    pub(crate) fn image(&self, name: &str) -> PathBuf {
        self.built.join(format!("{name}.tar"))
    }

    /// Gives it to the node.
    pub(crate) fn import(&self, name: &str) {
        let file = self.image(name).display().to_string();
        self.ctr(&["images", "import", "--local", &file]);
    }

    /// Runs containerd's own client.
    pub(crate) fn ctr(&self, arguments: &[&str]) {
        let mut command = Command::new(self.built.join("ctr"));
        command.args(["--namespace", "k8s.io"]).args(arguments);
        kubectl::finish(command, "").ok();
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn write(&self, name: &str, content: &Value) -> String {
        fs::write(self.folder.join(name), content.to_string()).unwrap();
        self.file(name)
    }

    #[expect(clippy::zombie_processes, reason = "it runs as long as the node")]
    fn start(&self, program: &str, arguments: &[String]) {
        let name = program.rsplit('/').next().unwrap();
        let log = File::create(self.folder.join(format!("{name}.log"))).unwrap();
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.built.display());
        Command::new(self.built.join(program))
            .args(arguments)
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
    }

    /// Starts the controllers and what runs on a node, and waits until pods can be made.
    fn join(&self, plane: &ControlPlane) {
        let kubeconfig = plane.kubeconfig().display().to_string();
        let common = [format!("--kubeconfig={kubeconfig}")];
        let start = |program: &str, flags: &[String]| {
            self.start(program, &[&common, flags].concat());
        };
        start(
            "kube-controller-manager",
            &[
                "--leader-elect=false".to_owned(),
                format!(
                    "--service-account-private-key-file={}",
                    plane.file("accounts.key").display()
                ),
                format!("--root-ca-file={}", plane.file("ca.crt").display()),
                "--allocate-node-cidrs=true".to_owned(),
                format!("--cluster-cidr={PODS}"),
                "--node-cidr-mask-size=24".to_owned(),
                // Beside it, the kubelet would make this folder below /usr.
                format!("--flex-volume-plugin-dir={}", self.file("volume-plugins")),
                "--kube-api-qps=300".to_owned(),
                "--kube-api-burst=600".to_owned(),
            ],
        );
        start("kube-scheduler", &["--leader-elect=false".to_owned()]);
        let proxy = self.write("kube-proxy.json", &kube_proxy(&kubeconfig));
        self.start(
            "kube-proxy",
            &[
                format!("--config={proxy}"),
                "--hostname-override=node".to_owned(),
            ],
        );
        fs::write(self.folder.join("resolv.conf"), "").unwrap();
        let kubelet = self.write("kubelet.json", &self.kubelet());
        start(
            "kubelet",
            &[
                format!("--config={kubelet}"),
                format!("--root-dir={}", self.file("kubelet")),
                format!("--node-ip={NODE}"),
                "--hostname-override=node".to_owned(),
            ],
        );
        until("the node is ready", || {
            let ready = ["wait", "--for=condition=Ready", "node/node", "--timeout=1s"];
            kubectl::run(plane, "", &ready).code == Some(0)
        });
        until("pods have an account", || {
            kubectl::run(plane, "", &["get", "serviceaccount", "default"]).code == Some(0)
        });
    }

    /// Starts what enforces policies, for all pods that come.
    fn enforce(&self, plane: &ControlPlane) {
        if let Some(kube_router) = &self.kube_router {
            let flags = [
                "--run-router=false",
                "--run-service-proxy=false",
                "--service-cluster-ip-range=10.96.0.0/16",
                "--hostname-override=node",
                "--health-port=0",
            ];
            let kubeconfig = format!("--kubeconfig={}", plane.kubeconfig().display());
            let flags = flags.map(str::to_owned).into_iter().chain([kubeconfig]);
            self.start(kube_router, &flags.collect::<Vec<_>>());
        }
    }

    /// See <https://github.com/containerd/containerd/blob/v2.2.9/docs/cri/config.md>.
    fn containerd(&self) -> String {
        let (root, networks, plugins) = (
            self.file("containerd"),
            self.file("networks"),
            self.built.join("cni"),
        );
        format!(
            r#"version = 3
root = "{root}"
state = "/run/containerd"
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "docker.io/library/pause:1"
[plugins."io.containerd.cri.v1.runtime"]
disable_apparmor = true
# Root without CAP_SYS_RESOURCE may not lower it.
restrict_oom_score_adj = true
tolerate_missing_hugetlb_controller = true
disable_hugetlb_controller = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{}"]
conf_dir = "{networks}"
"#,
            plugins.display(),
        )
    }

    /// See <https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/>.
    fn kubelet(&self) -> Value {
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "failCgroupV1": false,
            "cgroupDriver": "cgroupfs",
            "containerRuntimeEndpoint": format!("unix://{SOCKET}"),
            // Only this node can reach it.
            "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
            "authorization": {"mode": "AlwaysAllow"},
            "resolvConf": self.file("resolv.conf"),
            "failSwapOn": false,
            // What follows is more than root may have where it lacks CAP_SYS_RESOURCE.
            "maxOpenFiles": 20000,
            "oomScoreAdj": 0,
            // How soon a changed Secret is seen; a minute by default.
            "syncFrequency": "5s",
            // And none for the disk, which may be as full as it is.
            "evictionHard": {"memory.available": "100Mi"},
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "volumePluginDir": self.file("volume-plugins"),
        })
    }
}

/// See <https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/>.
fn kube_proxy(kubeconfig: &str) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": kubeconfig},
        "clusterCIDR": PODS,
        // A network namespace may not set these.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "oomScoreAdj": 0,
    })
}

/// See <https://www.cni.dev/docs/spec/>. Each pod has a link of its own to the node; host ports are rules.
fn network() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {"type": "ptp", "ipam": {
                "type": "host-local",
                "dataDir": "/run/addresses",
                "ranges": [[{"subnet": PODS}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            }},
            {"type": "portmap", "capabilities": {"portMappings": true}, "backend": "nftables"},
        ],
    })
}

/// The configuration in an image.
pub(crate) fn config_of(image: &Path) -> Value {
    let read = |file: &str| {
        let mut tar = Command::new("tar");
        tar.args(["--extract", "--to-stdout", "--file"])
            .arg(image)
            .arg(file);
        kubectl::finish(tar, "").json()
    };
    read(read("manifest.json")[0]["Config"].as_str().unwrap())
}
