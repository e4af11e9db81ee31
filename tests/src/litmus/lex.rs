//! Words of a litmus file, with the comments kept aside.

use super::program::ParseError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    Number(i64),
    /// An operator or a bracket.
    Sign(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Spanned {
    pub(crate) token: Token,
    pub(crate) line: usize,
}

/// The tokens after the first line of a file, and for each line (counted from
/// one) the text of its `//` comment.
#[derive(Debug)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Spanned>,
    pub(crate) remarks: Vec<String>,
}

/// Longer signs first, so that the first match is the right one.
const SIGNS: [&str; 29] = [
    "/\\", "\\/", "==", "!=", "<=", ">=", "{", "}", "(", ")", "[", "]", ";", ",", ":", "*", "=",
    "<", ">", "+", "-", "&", "|", "^", "~", ".", "$", "%", "#",
];

/// Cuts `text`, whose first line is `start_line`, into tokens.
pub(crate) fn lex(text: &str, start_line: usize) -> Result<Lexed, ParseError> {
    let mut tokens = Vec::new();
    let mut remarks = vec![String::new(); start_line + text.lines().count() + 1];
    let mut line = start_line;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\n' {
            line += 1;
            rest = &rest[1..];
        } else if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
        } else if let Some(after) = rest.strip_prefix("//") {
            let end = after.find('\n').unwrap_or(after.len());
            remarks[line].push_str(&after[..end]);
            rest = &after[end..];
        } else if rest.starts_with("(*") || rest.starts_with("/*") {
            let close = if c == '(' { "*)" } else { "*/" };
            let Some(end) = rest[2..].find(close) else {
                return Err(ParseError {
                    line,
                    message: format!("a comment that no {close} ends"),
                });
            };
            let comment = &rest[..end + 4];
            line += comment.matches('\n').count();
            rest = &rest[comment.len()..];
        } else if c.is_ascii_digit() {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let value = rest[..end].parse().map_err(|_| ParseError {
                line,
                message: format!("{} is too large", &rest[..end]),
            })?;
            tokens.push(Spanned {
                token: Token::Number(value),
                line,
            });
            rest = &rest[end..];
        } else if c.is_ascii_alphabetic() || c == '_' {
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            tokens.push(Spanned {
                token: Token::Word(rest[..end].to_owned()),
                line,
            });
            rest = &rest[end..];
        } else if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            tokens.push(Spanned {
                token: Token::Sign(sign),
                line,
            });
            rest = &rest[sign.len()..];
        } else {
            return Err(ParseError {
                line,
                message: format!("{c:?} is outside the language"),
            });
        }
    }
    Ok(Lexed { tokens, remarks })
}
