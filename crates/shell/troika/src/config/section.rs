//! A section of the configuration: a struct whose documentation and defaults are also data.

/// Something that can show itself as commented TOML.
pub trait Section {
    /// Appends each key with its meaning and its default, commented out.
    fn document(out: &mut String);
}

/// Appends `# ` and a doc comment, wrapped as it stands in the source.
pub(super) fn comment(out: &mut String, line: &str) {
    out.push_str("# ");
    out.push_str(line.trim());
    out.push('\n');
}

/// Declares a section: `/// meaning`, then `key: Type = "default as TOML" => default as Rust,`.
macro_rules! section {
    ($(#[doc = $about:literal])* $name:ident { $( $(#[doc = $doc:literal])* $key:ident : $kind:ty = $shown:literal => $value:expr, )* }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $( $(#[doc = $doc])* pub $key: $kind, )* }

        impl Default for $name {
            fn default() -> Self {
                $name { $( $key: $value, )* }
            }
        }

        impl $crate::config::Section for $name {
            fn document(out: &mut String) {
                $(
                    $( $crate::config::section::comment(out, $doc); )*
                    out.push_str(concat!("#", stringify!($key), " = ", $shown, "\n"));
                )*
            }
        }
    };
}
pub(super) use section;
