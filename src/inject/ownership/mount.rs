//! The `ConfigMap` with a Jaeger configuration: the volume of a pod, the mount of a container, and whether there is room for them.

use crate::inject::patch::{CONFIG_DIR, CONFIG_VOLUME, ConfigMapItem, ConfigMapSource};
use crate::seldon::lenient::{Items, Lenient};
use crate::seldon::object::{Container, PodSpec, Volume, VolumeMount};

/// Whether a mount equals the mount that we write, in every key.
pub(crate) fn is_our_mount(mount: &Lenient<VolumeMount<'_>>) -> bool {
    let Lenient::Is(mount) = mount else {
        return false;
    };
    mount.name.text() == Some(CONFIG_VOLUME)
        && mount.mount_path.text() == Some(CONFIG_DIR)
        && mount.rest.0.len() == 1
        && mount
            .rest
            .get("readOnly")
            .is_some_and(|value| value.get() == "true")
}

/// Whether a volume equals a volume that we write for that `ConfigMap`, in every key.
pub(crate) fn is_our_volume(volume: &Lenient<Volume<'_>>, config_map: &str) -> bool {
    let Lenient::Is(volume) = volume else {
        return false;
    };
    volume.name.text() == Some(CONFIG_VOLUME)
        && volume.rest.0.len() == 1
        && source_of(volume).is_some_and(|source| {
            let [ConfigMapItem { key, path }] = &source.items;
            source.name == config_map && key == path
        })
}

/// The key that a volume of ours projects.
pub(crate) fn projected_key(volume: &Volume<'_>) -> Option<String> {
    let ConfigMapSource { items: [item], .. } = source_of(volume)?;
    Some(item.key.into_owned())
}

fn source_of<'a>(volume: &Volume<'a>) -> Option<ConfigMapSource<'a>> {
    let source = volume.rest.get("configMap")?;
    serde_json::from_str(source.get()).ok()
}

/// Whether our volume can stand in a pod: its list of volumes can be read and has no volume of that name but ours.
pub(crate) fn volume_fits(pod: &PodSpec<'_>, ours: impl Fn(&Lenient<Volume<'_>>) -> bool) -> bool {
    match &pod.volumes {
        Lenient::Absent | Lenient::Null => true,
        Lenient::Is(Items(volumes)) => volumes.iter().all(|volume| {
            ours(volume)
                || volume
                    .get()
                    .is_none_or(|volume| volume.name.text() != Some(CONFIG_VOLUME))
        }),
        Lenient::Odd(_) => false,
    }
}

/// Whether a mount at that path is at ours, inside of it, or around it: a folder cannot be made for ours in what is mounted read-only.
fn meets_ours(path: &str) -> bool {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    CONFIG_DIR
        .split('/')
        .filter(|step| !step.is_empty())
        .zip(steps)
        .all(|(ours, theirs)| ours == theirs)
}

/// Whether our mount can stand in a container: nothing else is mounted under that name, at that path, inside of it or around it.
pub(crate) fn mount_fits(container: &Container<'_>, may_be_ours: bool) -> bool {
    match &container.volume_mounts {
        Lenient::Absent | Lenient::Null => true,
        Lenient::Is(Items(mounts)) => mounts.iter().all(|mount| {
            (may_be_ours && is_our_mount(mount))
                || mount.get().is_none_or(|mount| {
                    let path = mount.mount_path.text().unwrap_or_default();
                    mount.name.text() != Some(CONFIG_VOLUME) && !meets_ours(path)
                })
        }),
        Lenient::Odd(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_as_the_runtime_resolves_them() {
        for path in [
            "/etc/seldon-tracing",
            "//etc/./seldon-tracing/",
            "etc/seldon-tracing",
            "/etc/x/../seldon-tracing/jaeger.yml",
            "/etc",
            "/",
        ] {
            assert!(meets_ours(path), "{path}");
        }
        for path in [
            "/etc/seldon",
            "/etc/seldon-tracing-2",
            "/mnt/models",
            "/etc/x/seldon-tracing",
        ] {
            assert!(!meets_ours(path), "{path}");
        }
    }
}
