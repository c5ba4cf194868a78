//! Escapes control characters, so that a logged value cannot begin a line or control a terminal.

use std::fmt::{self, Write};

/// Writes `text` on one line: control characters and Unicode's line and paragraph separators, except tabs, are escaped as
/// `\n` or `\u{1b}`. With `colours` the escape character is kept, for text whose values are escaped already.
pub(super) fn write_on_one_line(writer: &mut impl Write, text: &str, colours: bool) -> fmt::Result {
    let mut rest = text;
    let breaks = |character: char| is_control(character) && !(colours && character == '\u{1b}');
    while let Some(at) = rest.find(breaks) {
        let (before, from) = rest.split_at(at);
        writer.write_str(before)?;
        let mut characters = from.chars();
        if let Some(control) = characters.next() {
            write!(writer, "{}", control.escape_default())?;
        }
        rest = characters.as_str();
    }
    writer.write_str(rest)
}

/// Whether a text contains characters that are escaped.
pub(super) fn has_controls(text: &str) -> bool {
    text.contains(is_control)
}

fn is_control(character: char) -> bool {
    (character.is_control() && character != '\t') || matches!(character, '\u{2028}' | '\u{2029}')
}

/// A writer that [escapes](write_on_one_line) its input.
pub(super) struct OneLine<W>(pub(super) W);

impl<W: Write> Write for OneLine<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write_on_one_line(&mut self.0, text, false)
    }
}
