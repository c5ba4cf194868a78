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
    Made(Text),
}

impl ErrorName {
    /// Returns the name that [`ErrorType`](super::ErrorType) returned.
    pub fn given(name: &'static str) -> Self {
        Self(Repr::Given(name))
    }

    /// Returns the digits of a code, such as an HTTP status.
    pub fn of_code(code: u16) -> Self {
        let mut made = Text::default();
        let mut digits = itoa::Buffer::new();
        digits
            .format(code)
            .chars()
            .for_each(|digit| made.push(digit));
        Self(Repr::Made(made))
    }

    /// Returns the name of the type `E` without path and generics, prefixed by its crate if it is just `Error`.
    ///
    /// It is computed for each error: a static in a generic function would be shared by all types.
    pub fn of_type<E: ?Sized>() -> Self {
        let path = bare_path(type_name::<E>());
        let name = path.rsplit("::").next().unwrap_or_default();
        if name.is_empty() {
            return Self::given(ERROR);
        }
        let mut made = Text::default();
        if name == "Error"
            && let Some(origin) = origin(path)
        {
            made.write_snake_case(origin);
            made.push('_');
        }
        made.write_snake_case(name);
        Self(Repr::Made(made))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Given(name) => name,
            Repr::Made(Text { bytes, length }) => {
                str::from_utf8(&bytes[..*length]).unwrap_or(ERROR)
            }
        }
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

/// Text of limited length.
#[derive(Debug, Clone)]
struct Text {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            bytes: [0; CAPACITY],
            length: 0,
        }
    }
}

impl Text {
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
        if let Some(room) = self.bytes.get_mut(self.length..end) {
            letter.encode_utf8(room);
            self.length = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_called_error_is_named_by_its_crate() {
        assert_eq!(origin("sqlx_core::error::Error"), Some("sqlx"));
        assert_eq!(origin("anyhow::Error"), Some("anyhow"));
        assert_eq!(origin("std::io::error::Error"), Some("io"));
    }
}
