//! As much of SQL's lexical rules as it takes not to mistake the text of a literal or a comment for a word.

/// A statement is read up to here.
const LIMIT: usize = 4096;

/// A part of a statement, outside of parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'sql> {
    /// A keyword, or a name that is not in quotes.
    Word(&'sql str),
    /// A name in quotes, or in some dialects a literal.
    Quoted(&'sql str),
    Dot,
    /// A pair of parentheses, and all that is between them.
    Parentheses,
    /// A literal, a parameter, an operator.
    Other,
}

impl Token<'_> {
    pub(super) fn is_word(&self, wanted: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(wanted))
    }
}

/// The tokens of a statement, up to its end or to where its dialect would have to be known. There, it gives up.
pub(super) struct Tokens<'sql> {
    rest: &'sql str,
    whole: bool,
}

/// What is read of a statement may not be what the database reads.
struct GivenUp;

impl<'sql> Tokens<'sql> {
    pub(super) fn of(sql: &'sql str) -> Self {
        // The parentheses of (SELECT …) UNION (SELECT …).
        let sql = sql.trim_start_matches(|letter: char| letter == '(' || letter.is_whitespace());
        Self {
            rest: &sql[..sql.floor_char_boundary(LIMIT)],
            whole: sql.len() <= LIMIT,
        }
    }

    /// Whether there is nothing more to read, and nothing was left out.
    pub(super) fn are_all_read(&self) -> bool {
        self.whole && self.rest.is_empty()
    }

    /// Reads up to and including `word`. The FROM of IS DISTINCT FROM is not the one that is meant.
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

    fn read(&mut self) -> Result<Option<Token<'sql>>, GivenUp> {
        let mut depth = 0_usize;
        loop {
            self.skip_space_and_comments()?;
            let Some(first) = self.rest.bytes().next() else {
                return if depth == 0 { Ok(None) } else { Err(GivenUp) };
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

    /// A token that begins with the byte `first`.
    fn read_one(&mut self, first: u8) -> Result<Token<'sql>, GivenUp> {
        Ok(match first {
            b'\'' | b'"' | b'`' => self.read_quoted(first)?,
            b'[' => {
                let end = self.rest.find(']').ok_or(GivenUp)?;
                let name = &self.take(end + 1)[1..end];
                if name.contains(is_quote) {
                    return Err(GivenUp);
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
            // A parameter, which may be called like a keyword.
            b':' | b'@' => {
                self.take(1);
                self.take_word();
                Token::Other
            }
            b'$' => {
                self.take(1);
                let parameter = self.rest.starts_with(|next: char| next.is_ascii_digit());
                // $$ and $tag$ begin a literal.
                if !parameter {
                    return Err(GivenUp);
                }
                self.take_word();
                Token::Other
            }
            // A comment in MySQL, an operator in PostgreSQL.
            b'#' => return Err(GivenUp),
            _ if is_of_word(first) => {
                let word = self.take_word();
                // Oracle's q'[…]', in which quotes are letters.
                if word.ends_with(['q', 'Q']) && self.rest.starts_with('\'') {
                    return Err(GivenUp);
                }
                Token::Word(word)
            }
            _ => {
                self.take(1);
                Token::Other
            }
        })
    }

    /// What is between two quotes. In some dialects a backslash escapes a quote, in others it is a letter.
    fn read_quoted(&mut self, quote: u8) -> Result<Token<'sql>, GivenUp> {
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
            _ if escaped => Err(GivenUp),
            b'\'' => Ok(Token::Other),
            _ if doubled => Ok(Token::Other),
            _ => Ok(Token::Quoted(content)),
        }
    }

    fn skip_space_and_comments(&mut self) -> Result<(), GivenUp> {
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
            // Dialects differ in where a comment begins and ends. If that matters, it is for the quotes.
            if !ends || comment.contains(is_quote) || comment.contains("/*") {
                return Err(GivenUp);
            }
        }
    }

    /// Everything before `end`, which is taken too.
    fn take_until(&mut self, end: char) -> Result<&'sql str, GivenUp> {
        let length = self.rest.find(end).ok_or(GivenUp)?;
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
        self.read().unwrap_or_else(|GivenUp| {
            self.rest = "";
            self.whole = false;
            None
        })
    }
}

/// All that isn't ASCII belongs to words, so that no letter is cut in two.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '\'' | '"' | '`')
}
