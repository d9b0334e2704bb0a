//! The Deployment: the arguments of the webhook, and how its pods start and stop.

use std::time::Duration;

use clap::{CommandFactory, Parser};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, PodSpec, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use seldon_tracing::cli::{Cli, Command, Serve};

use crate::files::{kustomization, the, typed};

/// The flags as the binary reads them.
pub(crate) fn flags() -> Serve {
    let container = container();
    // The entrypoint of the image is the binary.
    assert_eq!(container.command, None);
    let arguments = container.args.unwrap();
    let line = std::iter::once("seldon-tracing".to_owned()).chain(arguments);
    match Cli::try_parse_from(line)
        .unwrap_or_else(|error| panic!("{error}"))
        .command
    {
        Command::Serve(serve) => serve,
        other => panic!("it should serve: {other:?}"),
    }
}

pub(crate) fn pod() -> PodSpec {
    let deployment: Deployment = typed("Deployment");
    deployment.spec.unwrap().template.spec.unwrap()
}

pub(crate) fn container() -> Container {
    pod().containers.remove(0)
}

/// The port of the container under a name.
pub(crate) fn port(name: &str) -> u16 {
    let ports = container().ports.unwrap();
    let found = ports.iter().find(|port| port.name.as_deref() == Some(name));
    u16::try_from(found.unwrap().container_port).unwrap()
}

#[test]
fn every_flag_is_one_that_the_binary_takes_and_none_is_for_development() {
    let flags = flags();
    assert!(!flags.dev);
    assert_eq!(container().env, None, "flags say it all");
}

#[test]
fn no_variable_that_the_webhook_reads_could_be_made_by_a_service() {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let variables: Vec<String> = serve
        .get_arguments()
        .filter_map(|argument| Some(argument.get_env()?.to_str().unwrap().to_owned()))
        .collect();
    assert!(variables.len() > 8, "{variables:?}");
    for variable in variables {
        let made = variable.ends_with("_SERVICE_HOST")
            || variable.contains("_SERVICE_PORT")
            || variable.ends_with("_PORT")
            || variable.contains("_PORT_");
        assert!(!made, "a Service could set {variable}");
    }
}

#[test]
fn the_files_of_the_flags_are_in_the_mounts() {
    let (flags, pod, container) = (flags(), pod(), container());
    let mounts = container.volume_mounts.unwrap();
    let volumes = pod.volumes.unwrap();
    assert_eq!((mounts.len(), volumes.len()), (2, 2));
    let mount_of = |folder: &std::path::Path| {
        let at = folder.to_str().unwrap();
        let mount = mounts.iter().find(|mount| mount.mount_path == at);
        let mount = mount.unwrap_or_else(|| panic!("nothing is mounted at {at}"));
        assert_eq!(mount.read_only, Some(true), "{at}");
        // A file that is mounted by itself is never brought up to date.
        assert_eq!((&mount.sub_path, &mount.sub_path_expr), (&None, &None));
        let volume = volumes.iter().find(|volume| volume.name == mount.name);
        volume.unwrap().clone()
    };
    for (file, key) in [(&flags.tls_cert, "tls.crt"), (&flags.tls_key, "tls.key")] {
        assert!(
            file.ends_with(key),
            "the keys of a kubernetes.io/tls Secret"
        );
        let secret = mount_of(file.parent().unwrap()).secret.unwrap();
        assert_eq!(secret.secret_name.as_deref(), Some("seldon-tracing-tls"));
        assert_eq!((secret.optional, secret.items), (None, None));
        assert_eq!(secret.default_mode, Some(0o440));
    }
    let config = flags.file.config.unwrap();
    let map = mount_of(config.parent().unwrap()).config_map.unwrap();
    let generated = &kustomization("base")["configMapGenerator"][0];
    assert_eq!(generated["name"], map.name);
    assert_eq!((map.optional, map.items), (None, None));
    assert_eq!(
        generated["files"][0],
        config.file_name().unwrap().to_str().unwrap()
    );
}

#[test]
fn lame_duck_drain_and_a_call_end_before_the_pod_is_killed() {
    let flags = flags();
    let grace = pod().termination_grace_period_seconds.unwrap();
    let grace = Duration::from_secs(u64::try_from(grace).unwrap());
    assert!(
        flags.lame_duck >= Duration::from_secs(5),
        "endpoints take their time"
    );
    // What a call may take, as the webhook configuration says.
    let timeouts = the("MutatingWebhookConfiguration");
    for webhook in timeouts["webhooks"].as_array().unwrap() {
        let timeout = Duration::from_secs(webhook["timeoutSeconds"].as_u64().unwrap());
        assert!(flags.drain > timeout);
    }
    assert!(flags.lame_duck + flags.drain + Duration::from_secs(10) <= grace);
    assert_eq!(container().lifecycle, None, "the lame duck is the binary's");
}

#[test]
fn a_pod_is_added_before_one_goes() {
    let deployment: Deployment = typed("Deployment");
    let spec = deployment.spec.unwrap();
    assert!(spec.replicas.unwrap() >= 2);
    assert!(spec.min_ready_seconds.unwrap() > 0);
    let strategy = spec.strategy.unwrap();
    assert_eq!(strategy.type_.as_deref(), Some("RollingUpdate"));
    let rolling = strategy.rolling_update.unwrap();
    assert_eq!(rolling.max_unavailable, Some(IntOrString::Int(0)));
    assert_eq!(rolling.max_surge, Some(IntOrString::Int(1)));
}

#[test]
fn the_pods_are_spread_but_never_kept_from_running() {
    let spread = pod().topology_spread_constraints.unwrap();
    let keys: Vec<_> = spread.iter().map(|one| one.topology_key.as_str()).collect();
    assert_eq!(
        keys,
        ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    );
    for one in spread {
        assert_eq!(one.when_unsatisfiable, "ScheduleAnyway");
    }
}

/// The path of a probe, which has to ask the port of health.
#[track_caller]
fn path(probe: &Probe) -> String {
    let get = probe.http_get.clone().unwrap();
    assert_eq!(get.port, IntOrString::String("admin".to_owned()));
    assert_eq!(get.scheme, None, "that port is plain HTTP");
    get.path.unwrap()
}

#[test]
fn the_probes_ask_pages_that_a_running_webhook_has() {
    let container = container();
    let startup = container.startup_probe.unwrap();
    let readiness = container.readiness_probe.unwrap();
    let liveness = container.liveness_probe.unwrap();
    let webhook = crate::support::webhook::Webhook::start();
    for probe in [&startup, &readiness, &liveness] {
        let path = path(probe);
        assert_eq!(webhook.page(&path).status, 200, "{path}");
    }
    assert_eq!(webhook.page("/elsewhere").status, 404);
    // A restart mends neither a certificate nor a shutdown, so only readiness looks at them.
    assert_eq!(path(&readiness), "/readyz");
    assert_eq!(
        (path(&startup), path(&liveness)),
        ("/livez".into(), "/livez".into())
    );
    // Seen as not ready soon: well within the lame duck.
    let seconds =
        |probe: &Probe| probe.period_seconds.unwrap_or(10) * probe.failure_threshold.unwrap_or(3);
    assert_eq!(seconds(&readiness), 2);
    let lame_duck = flags().lame_duck.as_secs();
    assert!(u64::try_from(seconds(&readiness)).unwrap() * 2 <= lame_duck);
    assert!(seconds(&startup) >= 30 && seconds(&liveness) >= 30);
}
