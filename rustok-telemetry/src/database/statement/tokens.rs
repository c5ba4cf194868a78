//! A lexer for SQL that stops where dialects disagree, so that no literal or comment is read as a word.

/// Maximum number of bytes that are read of a statement.
const LIMIT: usize = 4096;

/// A token outside of parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'sql> {
    /// A keyword, or an unquoted name.
    Word(&'sql str),
    /// A quoted name, which is a literal in some dialects.
    Quoted(&'sql str),
    Dot,
    /// A pair of parentheses with its content.
    Parentheses,
    /// A literal, parameter or operator.
    Other,
}

impl Token<'_> {
    pub(super) fn is_word(&self, wanted: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(wanted))
    }
}

/// An iterator over the tokens of a statement. It ends early where the meaning depends on the dialect.
pub(super) struct Tokens<'sql> {
    rest: &'sql str,
    whole: bool,
}

/// The database may read the statement differently.
struct Ambiguous;

impl<'sql> Tokens<'sql> {
    pub(super) fn of(sql: &'sql str) -> Self {
        // The parentheses of (SELECT …) UNION (SELECT …).
        let sql = sql.trim_start_matches(|letter: char| letter == '(' || letter.is_whitespace());
        Self {
            rest: &sql[..sql.floor_char_boundary(LIMIT)],
            whole: sql.len() <= LIMIT,
        }
    }

    /// Whether the whole statement was read.
    pub(super) fn are_all_read(&self) -> bool {
        self.whole && self.rest.is_empty()
    }

    /// Skips up to and including `word`, except after DISTINCT, because of IS DISTINCT FROM.
    pub(super) fn skip_to(&mut self, word: &str) -> Option<()> {
        let mut after_distinct = false;
        loop {
            let token = self.next()?;
            if token.is_word(word) && !after_distinct {
                return Some(());
            }
            after_distinct = token.is_word("distinct");
        }
    }

    fn read(&mut self) -> Result<Option<Token<'sql>>, Ambiguous> {
        let mut depth = 0_usize;
        loop {
            self.skip_space_and_comments()?;
            let Some(first) = self.rest.bytes().next() else {
                return if depth == 0 { Ok(None) } else { Err(Ambiguous) };
            };
            let token = match first {
                b'(' => {
                    self.take(1);
                    depth += 1;
                    continue;
                }
                b')' if depth > 0 => {
                    self.take(1);
                    depth -= 1;
                    Token::Parentheses
                }
                b')' | b';' if depth == 0 => {
                    self.rest = "";
                    return Ok(None);
                }
                _ => self.read_one(first)?,
            };
            if depth == 0 {
                return Ok(Some(token));
            }
        }
    }

    /// Reads a token that starts with the byte `first`.
    fn read_one(&mut self, first: u8) -> Result<Token<'sql>, Ambiguous> {
        Ok(match first {
            b'\'' | b'"' | b'`' => self.read_quoted(first)?,
            b'[' => {
                let end = self.rest.find(']').ok_or(Ambiguous)?;
                let name = &self.take(end + 1)[1..end];
                if name.contains(is_quote) {
                    return Err(Ambiguous);
                }
                Token::Quoted(name)
            }
            b'.' => {
                self.take(1);
                Token::Dot
            }
            b'0'..=b'9' => {
                self.take_word();
                Token::Other
            }
            // A parameter, whose name may be a keyword.
            b':' | b'@' => {
                self.take(1);
                self.take_word();
                Token::Other
            }
            b'$' => {
                self.take(1);
                let parameter = self.rest.starts_with(|next: char| next.is_ascii_digit());
                // $$ and $tag$ start a literal.
                if !parameter {
                    return Err(Ambiguous);
                }
                self.take_word();
                Token::Other
            }
            // A comment in MySQL, an operator in PostgreSQL.
            b'#' => return Err(Ambiguous),
            _ if is_of_word(first) => {
                let word = self.take_word();
                // Oracle's q'[…]', which may contain quotes.
                if word.ends_with(['q', 'Q']) && self.rest.starts_with('\'') {
                    return Err(Ambiguous);
                }
                Token::Word(word)
            }
            _ => {
                self.take(1);
                Token::Other
            }
        })
    }

    /// Reads quoted text. A backslash escapes a quote in some dialects only.
    fn read_quoted(&mut self, quote: u8) -> Result<Token<'sql>, Ambiguous> {
        self.take(1);
        let content = self.take_until(char::from(quote))?;
        let mut doubled = false;
        let mut escaped = content.contains('\\');
        while self.rest.as_bytes().first() == Some(&quote) {
            self.take(1);
            doubled = true;
            escaped |= self.take_until(char::from(quote))?.contains('\\');
        }
        match quote {
            _ if escaped => Err(Ambiguous),
            b'\'' => Ok(Token::Other),
            _ if doubled => Ok(Token::Other),
            _ => Ok(Token::Quoted(content)),
        }
    }

    fn skip_space_and_comments(&mut self) -> Result<(), Ambiguous> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            let end = if self.rest.starts_with("--") {
                "\n"
            } else if self.rest.starts_with("/*") {
                "*/"
            } else {
                return Ok(());
            };
            self.take(2);
            let length = self.rest.find(end);
            let comment = self.take(length.unwrap_or(self.rest.len()));
            self.take(end.len().min(self.rest.len()));
            let ends = length.is_some() || (end == "\n" && self.whole);
            // Dialects disagree where a comment starts and ends, which matters if it contains quotes.
            if !ends || comment.contains(is_quote) || comment.contains("/*") {
                return Err(Ambiguous);
            }
        }
    }

    /// Takes the text up to `end`, and skips `end`.
    fn take_until(&mut self, end: char) -> Result<&'sql str, Ambiguous> {
        let length = self.rest.find(end).ok_or(Ambiguous)?;
        let taken = self.take(length);
        self.take(1);
        Ok(taken)
    }

    fn take_word(&mut self) -> &'sql str {
        let bytes = self.rest.bytes();
        self.take(bytes.take_while(|byte| is_of_word(*byte)).count())
    }

    fn take(&mut self, length: usize) -> &'sql str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }
}

impl<'sql> Iterator for Tokens<'sql> {
    type Item = Token<'sql>;

    fn next(&mut self) -> Option<Token<'sql>> {
        self.read().unwrap_or_else(|Ambiguous| {
            self.rest = "";
            self.whole = false;
            None
        })
    }
}

/// Non-ASCII bytes belong to words, so that no character is split.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '\'' | '"' | '`')
}
