//! Closed lists: enums whose variants have a row each in a table.

/// Defines an enum, the list of its variants in their order, and the function that gives the row of each.
macro_rules! table {
    (
        $(#[$about:meta])* $visibility:vis enum $name:ident
        $(#[$what:meta])* $access:vis fn $of:ident -> $row:ty {
            $($(#[$doc:meta])* $variant:ident = $value:expr,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility enum $name {
            $($(#[$doc])* $variant,)*
        }

        #[allow(dead_code, reason = "not every list is gone through")]
        impl $name {
            /// All of them, in their order.
            $visibility const ALL: [Self; Self::COUNT] = [$(Self::$variant),*];

            /// How many there are.
            $visibility const COUNT: usize = [$(stringify!($variant)),*].len();

            $(#[$what])*
            #[must_use]
            $access const fn $of(self) -> $row {
                match self {
                    $(Self::$variant => $value,)*
                }
            }
        }
    };
}

/// Serializes enums as their codes.
macro_rules! serialize_codes {
    ($($name:ident)*) => {
        $(impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        })*
    };
}
