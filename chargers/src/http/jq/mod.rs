//! jq expressions over the answers of devices.
//!
//! The language is jq's, by jaq, with little in it: paths, operators, `if`, `//`, `?`, `reduce`, and
//! the functions below. There is no `def`, no recursion, no regular expression, no time, no
//! environment and no file, so every expression ends. Its text is bounded, its input is bounded by
//! what a device may answer, what it builds is bounded, and only so many results are taken from it.
//! What is not bounded but by the length of the text: the time of an expression that was written to take long, where
//! each `,` in a pipe doubles the work; that can be seconds. A profile is as trusted as the configuration that names it.

#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use jaq_core::{
    Compiler, Ctx, Error, Filter, RunPtr, ValR, ValT as _, Vars,
    data::JustLut,
    load::{self, Arena, File, Loader},
    native::{self, bome, v},
    unwrap_valr,
};
use serde_json::Value;

use value::Val;

/// Longest expression, in bytes.
const MAX_PROGRAM: usize = 1024;
/// Most operators, brackets and keywords of an expression. Each may be one level of recursion of parser, compiler
/// and interpreter: a thread of the runtime, with its 2 MiB of stack, bears some 170 of the deepest in a debug build.
const MAX_PARTS: usize = 100;
/// Most results that are looked at; profiles want one.
const MAX_RESULTS: usize = 16;

/// What jq's manual says of these names.
const DEFINITIONS: &str = r#"
def empty: {}[] as $x | .;
def true: 0 == 0;
def false: 0 != 0;
def null: [][0];
def not: if . then false else true end;
def select(f): if f then . else empty end;
def values: select(. != null);
def map(f): [.[] | f];
def tostring: "\(.)";
def add: reduce .[] as $x (null; . + $x);
def all(f): reduce .[] as $x (true; . and ($x | f));
def any(f): reduce .[] as $x (false; . or ($x | f));
"#;

/// Why an expression cannot be used or gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JqError {
    /// It is too long.
    #[error(
        "the expression is longer than {MAX_PROGRAM} bytes, or has more than {MAX_PARTS} operators and brackets"
    )]
    TooLong,
    /// It is no jq, or uses what profiles may not.
    #[error("`{program}` cannot be used: {what}")]
    Program {
        /// The expression.
        program: String,
        /// What is wrong with it.
        what: String,
    },
    /// It failed on this answer.
    #[error("`{program}` fails on the answer: {what}")]
    Failed {
        /// The expression.
        program: String,
        /// What jq says.
        what: String,
    },
}

/// A compiled expression.
pub(crate) struct Jq {
    program: String,
    filter: Filter<JustLut<Val>>,
}

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jq").field(&self.program).finish()
    }
}

impl Jq {
    /// Compiles an expression.
    ///
    /// # Errors
    /// If it is too long, is no jq, or uses what profiles may not.
    pub(crate) fn new(program: &str) -> Result<Self, JqError> {
        if program.len() > MAX_PROGRAM || parts(program) > MAX_PARTS {
            return Err(JqError::TooLong);
        }
        let wrong = |what: String| JqError::Program {
            program: program.to_owned(),
            what,
        };
        let mut words = program.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if let Some(word) = words.find(|word| ["def", "import", "include", "label"].contains(word))
        {
            return Err(wrong(format!("a profile has no \"{word}\"")));
        }
        let definitions = load::parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
        let arena = Arena::default();
        let file = File {
            code: program,
            path: (),
        };
        let modules = Loader::new(definitions)
            .load(&arena, file)
            .map_err(|errors| {
                let what = errors.iter().find_map(|(_, error)| syntax(error));
                wrong(what.unwrap_or_else(|| "it is no jq".to_owned()))
            })?;
        let filter = Compiler::default()
            .with_funs(functions())
            .compile(modules)
            .map_err(|errors| {
                let undefined = errors.iter().flat_map(|(_, undefined)| undefined).next();
                wrong(undefined.map_or_else(
                    || "it is no jq".to_owned(),
                    |(name, what)| format!("there is no {} `{name}` here", what.as_str()),
                ))
            })?;
        Ok(Self {
            program: program.to_owned(),
            filter,
        })
    }

    /// The first result, `None` if there is none or it is `null`.
    ///
    /// # Errors
    /// What the expression fails with.
    pub(crate) fn first(&self, input: &Value) -> Result<Option<Value>, JqError> {
        let context = Ctx::<JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let results = self.filter.id.run((context, Val(input.clone())));
        for result in results.map(unwrap_valr).take(MAX_RESULTS) {
            match result {
                Ok(Val(Value::Null)) => {}
                Ok(Val(value)) => return Ok(Some(value)),
                Err(error) => {
                    return Err(JqError::Failed {
                        program: self.program.clone(),
                        what: shortened(&error.to_string()),
                    });
                }
            }
        }
        Ok(None)
    }
}

/// How many things there are that may be nested. What stands in texts is counted too: that is on the safe side.
fn parts(program: &str) -> usize {
    let operators = program.matches(|c| "([{|,;:+-*/%<>=?".contains(c)).count();
    let words = program.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let keywords = words.filter(|word| {
        [
            "if", "elif", "try", "catch", "reduce", "foreach", "and", "or", "as", "not",
        ]
        .contains(word)
    });
    operators + keywords.count()
}

/// Values of an answer in an error: enough to see what is meant.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn syntax(error: &load::Error<&str>) -> Option<String> {
    match error {
        load::Error::Lex(errors) => errors
            .first()
            .map(|(expected, found)| told(expected.as_str(), found)),
        load::Error::Parse(errors) => errors
            .first()
            .map(|(expected, found)| told(expected.as_str(), found)),
        load::Error::Io(_) => None,
    }
}

fn told(expected: &str, found: &str) -> String {
    match found {
        "" => format!("{expected} is missing at its end"),
        found => format!("{expected} is expected before `{}`", shortened(found)),
    }
}

type Fun = native::Fun<JustLut<Val>>;

/// What cannot be said in jq itself.
fn functions() -> impl Iterator<Item = Fun> {
    let functions: [native::Filter<RunPtr<JustLut<Val>>>; 6] = [
        ("tonumber", v(0), |cv| bome(to_number(cv.1))),
        ("floor", v(0), |cv| bome(whole(cv.1, f64::floor))),
        ("round", v(0), |cv| bome(whole(cv.1, f64::round))),
        ("length", v(0), |cv| bome(length(cv.1))),
        ("ascii_downcase", v(0), |cv| bome(lower(cv.1))),
        ("fromjson", v(0), |cv| bome(from_json(cv.1))),
    ];
    functions.into_iter().map(native::run::<JustLut<Val>>)
}

fn to_number(Val(value): Val) -> ValR<Val> {
    match value {
        Value::String(text) => Val::from_num(text.trim()),
        Value::Number(_) => Ok(Val(value)),
        other => Err(Error::typ(Val(other), "number")),
    }
}

fn whole(Val(value): Val, how: fn(f64) -> f64) -> ValR<Val> {
    match value.as_f64() {
        Some(number) => Ok(Val::number(how(number))),
        None => Err(Error::typ(Val(value), "number")),
    }
}

fn length(Val(value): Val) -> ValR<Val> {
    let length = match &value {
        Value::Null => 0,
        Value::String(text) => text.chars().count(),
        Value::Array(values) => values.len(),
        Value::Object(map) => map.len(),
        Value::Bool(_) | Value::Number(_) => {
            return Err(Error::typ(Val(value), "something with a length"));
        }
    };
    Ok(Val(length.into()))
}

fn lower(Val(value): Val) -> ValR<Val> {
    match value {
        Value::String(text) => Ok(Val::from(text.to_ascii_lowercase())),
        other => Err(Error::typ(Val(other), "text")),
    }
}

fn from_json(Val(value): Val) -> ValR<Val> {
    let parsed = value
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    match parsed {
        Some(parsed) => Ok(Val(parsed)),
        None => Err(Error::typ(Val(value), "JSON text")),
    }
}
