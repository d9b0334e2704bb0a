//! A borrowed view of a `SeldonDeployment`: the few fields that are read, and of everything else only the bytes.
//!
//! The three versions of the resource (v1, v1alpha2, v1alpha3) share these fields
//! (<https://docs.seldon.ai/seldon-core-1/configuration/reference-crds/seldon-deployment>).

use serde::de::{IgnoredAny, MapAccess};
use serde_json::value::RawValue;

use crate::seldon::lenient::{Budget, FromJson, Items, Json, Key, Lenient, Rest, Text};

/// Implements [`FromJson`] for a struct of optional parts. Other keys go into its `rest`, or nowhere if it has none.
macro_rules! from_map {
    ($name:ident $($without_rest:ident)? { $($key:literal => $field:ident),* $(,)? $(; unread $raw_key:literal => $raw_field:ident)? }) => {
        impl<'de> FromJson<'de> for $name<'de> {
            fn from_map<A: MapAccess<'de>>(
                mut map: A,
                budget: &Budget,
            ) -> Result<Lenient<Self>, A::Error> {
                let mut view = Self::default();
                while let Some(Key(key)) = map.next_key()? {
                    match key.as_ref() {
                        $($key => view.$field = map.next_value_seed(budget.part())?,)*
                        // A null is there too, which an Option would read as nothing.
                        $($raw_key => view.$raw_field = Some(map.next_value()?),)?
                        _ => from_map!(@other $($without_rest)? view key map budget),
                    }
                }
                Ok(Lenient::Is(view))
            }
        }
    };
    (@other without_rest $view:ident $key:ident $map:ident $budget:ident) => {
        drop($map.next_value::<IgnoredAny>()?)
    };
    (@other $view:ident $key:ident $map:ident $budget:ident) => {
        $view.rest.push($key, $map.next_value()?, $budget)?
    };
}

/// Defines structs of optional parts, with a `rest` for what stands under other keys.
macro_rules! views {
    ($($(#[$doc:meta])* $name:ident { $($key:literal => $field:ident: $part:ty),* $(,)? $(; unread $raw_key:literal => $raw_field:ident)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(crate) struct $name<'a> {
            $(pub(crate) $field: Lenient<$part>,)*
            $(pub(crate) $raw_field: Option<&'a RawValue>,)?
            pub(crate) rest: Rest<'a>,
        }

        from_map!($name { $($key => $field),* $(; unread $raw_key => $raw_field)? });

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                $(self.$field == other.$field &&)*
                $(self.$raw_field.map(Json) == other.$raw_field.map(Json) &&)?
                self.rest == other.rest
            }
        }
    )*};
}

/// A `SeldonDeployment` as far as it is read. It borrows from the JSON that it was read from.
#[derive(Clone, Debug, Default)]
pub struct SeldonDeployment<'a> {
    pub(crate) metadata: Lenient<Metadata<'a>>,
    pub(crate) spec: Lenient<Spec<'a>>,
}

from_map!(SeldonDeployment without_rest { "metadata" => metadata, "spec" => spec });

/// An object that is of another type than an object has none of its fields.
impl From<Lenient<Self>> for SeldonDeployment<'_> {
    fn from(shape: Lenient<Self>) -> Self {
        match shape {
            Lenient::Is(view) => view,
            _ => Self::default(),
        }
    }
}

impl<'a> SeldonDeployment<'a> {
    /// Reads the JSON of an object of any shape.
    ///
    /// # Errors
    /// Only for text that is not JSON, or nested deeper than 128 levels where it is read.
    pub fn from_json(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        // One look at all bytes costs less than one at each string.
        let text = std::str::from_utf8(json).map_err(serde::de::Error::custom)?;
        let shape: Lenient<Self> = serde_json::from_str(text)?;
        Ok(shape.into())
    }

    /// `metadata.name`, or its prefix if the API server makes the name from `generateName`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let metadata = self.metadata.get()?;
        metadata.name.text().or_else(|| {
            metadata
                .generate_name
                .text()
                .map(|prefix| prefix.trim_end_matches('-'))
        })
    }

    /// `metadata.namespace`.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.metadata.get()?.namespace.text()
    }

    pub(crate) fn predictors(&self) -> &[Lenient<Predictor<'a>>] {
        self.spec.get().map_or(&[], |spec| spec.predictors.items())
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata<'a> {
    pub(crate) name: Lenient<Text<'a>>,
    pub(crate) generate_name: Lenient<Text<'a>>,
    pub(crate) namespace: Lenient<Text<'a>>,
    pub(crate) annotations: Lenient<Annotations<'a>>,
    pub(crate) labels: Lenient<Annotations<'a>>,
    deletion: Option<&'a RawValue>,
}

from_map!(Metadata without_rest {
    "name" => name,
    "generateName" => generate_name,
    "namespace" => namespace,
    "annotations" => annotations,
    "labels" => labels
    ; unread "deletionTimestamp" => deletion
});

impl Metadata<'_> {
    pub(crate) fn is_being_deleted(&self) -> bool {
        self.deletion.is_some_and(|since| since.get() != "null")
    }
}

views! {
    /// Annotations with their values unread: most are not for us, and one of them may be a whole manifest.
    Annotations {}

    Spec {
        "annotations" => annotations: Annotations<'a>,
        "protocol" => protocol: Text<'a>,
        "predictors" => predictors: Items<Predictor<'a>>,
    }

    Predictor {
        "name" => name: Text<'a>,
        "annotations" => annotations: Annotations<'a>,
        "componentSpecs" => component_specs: Items<ComponentSpec<'a>>,
        "svcOrchSpec" => svc_orch_spec: SvcOrchSpec<'a>,
        "explainer" => explainer: Explainer<'a>,
        ; unread "graph" => graph
    }

    ComponentSpec {
        "spec" => spec: PodSpec<'a>,
    }

    /// The metadata that Seldon gives to the pods of a componentSpec.
    ComponentMetadata {
        "annotations" => annotations: Annotations<'a>,
        "labels" => labels: Annotations<'a>,
    }

    PodSpec {
        "containers" => containers: Items<Container<'a>>,
        "initContainers" => init_containers: Items<Container<'a>>,
        "volumes" => volumes: Items<Volume<'a>>,
    }

    Container {
        "name" => name: Text<'a>,
        "env" => env: Items<EnvVar<'a>>,
        "volumeMounts" => volume_mounts: Items<VolumeMount<'a>>,
    }

    EnvVar {
        "name" => name: Text<'a>,
        "value" => value: Text<'a>,
        ; unread "valueFrom" => value_from
    }

    VolumeMount {
        "name" => name: Text<'a>,
        "mountPath" => mount_path: Text<'a>,
    }

    Volume {
        "name" => name: Text<'a>,
    }

    SvcOrchSpec {
        "env" => env: Items<EnvVar<'a>>,
    }

    Explainer {
        "type" => kind: Text<'a>,
        "containerSpec" => container_spec: Container<'a>,
    }
}

/// A list of environment variables.
pub(crate) type Env<'a> = Lenient<Items<EnvVar<'a>>>;

impl<'a> Annotations<'a> {
    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Lenient<Text<'a>> {
        self.rest.get(key).map_or(Lenient::Absent, read_text)
    }
}

/// Reads one unread value as a string.
pub(crate) fn read_text(raw: &RawValue) -> Lenient<Text<'_>> {
    let read: Result<Lenient<_>, _> = serde_json::from_str(raw.get());
    read.map_or(Lenient::Odd("unreadable"), Lenient::not_a_field)
}

impl Predictor<'_> {
    /// Whether it has a graph or a container. A kustomize patch often has neither.
    pub(crate) fn is_whole(&self) -> bool {
        let mut pods = self.component_specs.items().iter();
        self.graph.is_some_and(|graph| graph.get() != "null")
            || pods.any(|pod| {
                let pod = pod.get().and_then(|component| component.spec.get());
                pod.is_some_and(|pod| !pod.containers.items().is_empty())
            })
    }
}

/// A borrowed name, or nothing for an empty or odd one.
pub(crate) fn name_of<'v>(name: &'v Lenient<Text<'_>>) -> Option<&'v str> {
    name.text().filter(|name| !name.is_empty())
}

/// The text of a literal variable; nothing for a variable that is set by `valueFrom`.
impl EnvVar<'_> {
    pub(crate) fn literal(&self) -> Option<&str> {
        if self.value_from.is_some_and(|from| from.get() != "null") {
            return None;
        }
        match &self.value {
            Lenient::Is(Text(text)) => Some(text),
            // Kubernetes reads a variable without a value as an empty one.
            Lenient::Absent | Lenient::Null => Some(""),
            Lenient::Odd(_) => None,
        }
    }
}
