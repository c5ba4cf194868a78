//! Names of errors that do not implement `ErrorType`: the name of the Rust type in `snake_case`.

use std::any::type_name;

/// Maximum length of a name that is derived from a Rust type, in bytes.
const CAPACITY: usize = 64;

/// Error name for unnamed types, such as tuples.
const ERROR: &str = "error";

/// The name of an error's type, without a heap allocation.
#[derive(Debug, Clone)]
pub struct ErrorName(Repr);

#[derive(Debug, Clone)]
enum Repr {
    Given(&'static str),
    Made { text: [u8; CAPACITY], length: usize },
}

impl ErrorName {
    /// Returns the name that [`ErrorType`](super::ErrorType) returned.
    pub fn given(name: &'static str) -> Self {
        Self(Repr::Given(name))
    }

    /// Returns the digits of a code, such as an HTTP status.
    pub fn of_code(code: u16) -> Self {
        let mut made = Writer::default();
        code.to_string().chars().for_each(|digit| made.push(digit));
        Self(Repr::Made {
            text: made.text,
            length: made.length,
        })
    }

    /// Returns the name of the type `E` without path and generics, prefixed by its crate if it is just `Error`.
    ///
    /// It is computed for each error: a static in a generic function would be shared by all types.
    pub fn of_type<E: ?Sized>() -> Self {
        Self::of_type_name(type_name::<E>())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Given(name) => name,
            Repr::Made { text, length } => str::from_utf8(&text[..*length]).unwrap_or(ERROR),
        }
    }

    fn of_type_name(type_name: &str) -> Self {
        let path = bare_path(type_name);
        let name = path.rsplit("::").next().unwrap_or_default();
        if name.is_empty() {
            return Self::given(ERROR);
        }
        let mut made = Writer::default();
        if name == "Error"
            && let Some(origin) = origin(path)
        {
            made.write_snake_case(origin);
            made.push('_');
        }
        made.write_snake_case(name);
        Self(Repr::Made {
            text: made.text,
            length: made.length,
        })
    }
}

/// Strips references, boxes, `dyn` and generics from the path of a type.
fn bare_path(type_name: &str) -> &str {
    const WRAPPERS: [&str; 7] = [
        "&",
        "mut ",
        "dyn ",
        "alloc::boxed::Box<",
        "alloc::sync::Arc<",
        "alloc::rc::Rc<",
        "core::pin::Pin<",
    ];
    let mut rest = type_name;
    while let Some(inner) = WRAPPERS.iter().find_map(|outer| rest.strip_prefix(outer)) {
        rest = inner;
    }
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | ':'));
    &rest[..end.unwrap_or(rest.len())]
}

/// Returns the crate of a type called `Error` (`sqlx` for `sqlx_core`), or its module in the standard library.
fn origin(path: &str) -> Option<&str> {
    let mut segments = path.split("::");
    let crate_name = segments.next()?;
    let origin = match crate_name {
        "std" | "core" | "alloc" => segments.next()?,
        other => other.strip_suffix("_core").unwrap_or(other),
    };
    (!origin.eq_ignore_ascii_case(ERROR)).then_some(origin)
}

struct Writer {
    text: [u8; CAPACITY],
    length: usize,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            text: [0; CAPACITY],
            length: 0,
        }
    }
}

impl Writer {
    /// `HttpError` and `HTTPError` become `http_error`.
    fn write_snake_case(&mut self, name: &str) {
        let mut letters = name.chars().peekable();
        let mut previous: Option<char> = None;
        while let Some(letter) = letters.next() {
            let begins_word = letter.is_uppercase()
                && previous.is_some_and(|previous| {
                    previous != '_'
                        && (!previous.is_uppercase()
                            || letters.peek().is_some_and(|next| next.is_lowercase()))
                });
            if begins_word {
                self.push('_');
            }
            letter.to_lowercase().for_each(|letter| self.push(letter));
            previous = Some(letter);
        }
    }

    /// Appends a letter, if there is room.
    fn push(&mut self, letter: char) {
        let end = self.length + letter.len_utf8();
        if let Some(room) = self.text.get_mut(self.length..end) {
            letter.encode_utf8(room);
            self.length = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorName;

    #[track_caller]
    fn assert_name<E: ?Sized>(expected: &str) {
        assert_eq!(ErrorName::of_type::<E>().as_str(), expected);
    }

    #[test]
    fn types_are_named_without_path_and_generics() {
        struct HTTPError;
        struct Wrapped<T>(std::marker::PhantomData<T>);
        assert_name::<HTTPError>("http_error");
        assert_name::<Wrapped<Vec<String>>>("wrapped");
        assert_name::<std::num::ParseIntError>("parse_int_error");
        assert_name::<String>("string");
        assert_name::<&'static str>("str");
        assert_name::<()>("error");
        assert_name::<(u8, u8)>("error");
        assert_name::<[u8; 4]>("error");
    }

    #[test]
    fn a_type_called_error_is_named_with_its_crate() {
        struct Error;
        assert_name::<Error>("rustok_telemetry_error");
        assert_name::<std::io::Error>("io_error");
        assert_name::<std::fmt::Error>("fmt_error");
        assert_name::<http::Error>("http_error");
        for (type_name, expected) in [
            ("sqlx_core::error::Error", "sqlx_error"),
            ("anyhow::Error", "anyhow_error"),
        ] {
            assert_eq!(ErrorName::of_type_name(type_name).as_str(), expected);
        }
    }

    #[test]
    fn boxes_and_references_are_named_by_their_target() {
        assert_name::<Box<std::fmt::Error>>("fmt_error");
        assert_name::<&Box<std::sync::Arc<std::num::ParseIntError>>>("parse_int_error");
        assert_name::<Box<dyn std::error::Error>>("error");
        assert_name::<Box<dyn std::error::Error + Send + Sync>>("error");
    }

    #[test]
    fn long_names_are_truncated() {
        let name = ErrorName::of_type_name(&format!("my_crate::{}", "Ä".repeat(100)));
        assert!(name.as_str().len() <= 64);
        assert!(name.as_str().starts_with("ä"));
    }
}
