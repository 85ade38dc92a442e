//! JSON as values of the jq language.
//!
//! What jq's manual says of them, without updates (`|=`): profiles read answers, they do not change
//! them. Numbers are 64-bit floats where arithmetic is done on them.

use std::{
    cmp::Ordering,
    fmt,
    ops::{Add, Div, Mul, Neg, Rem, Sub},
};

use jaq_core::{Error, Exn, ValR, ValT, ValX, box_iter::BoxIter, ops::Math, path::Opt, val::Range};
use serde_json::{Map, Number, Value};

/// Largest value that an expression may build, in values and bytes of text: as large as an answer.
const MAX_WEIGHT: usize = 64 * 1024;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Val(pub(super) Value);

impl Val {
    fn rank(&self) -> u8 {
        match &self.0 {
            Value::Null => 0,
            Value::Bool(false) => 1,
            Value::Bool(true) => 2,
            Value::Number(_) => 3,
            Value::String(_) => 4,
            Value::Array(_) => 5,
            Value::Object(_) => 6,
        }
    }

    fn fail<T>(self, what: &'static str) -> ValR<T, Self> {
        Err(Error::typ(self, what))
    }

    pub(super) fn number(value: f64) -> Self {
        Self(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
}

/// How large a value is. Its depth is bounded: JSON is read to a depth of 128, and programs are short.
fn weight(value: &Value) -> usize {
    1 + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| key.len() + weight(value))
            .sum(),
    }
}

/// jq's order of values; `None` where a number is none.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Array(a), Value::Array(b)) => {
            let differ = a.iter().zip(b).find(|(a, b)| a != b);
            differ.map_or(Some(a.len().cmp(&b.len())), |(a, b)| compare(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().cmp(b.keys());
            if keys != Ordering::Equal {
                return Some(keys);
            }
            let differ = a.values().zip(b.values()).find(|(a, b)| a != b);
            differ.map_or(Some(keys), |(a, b)| compare(a, b))
        }
        (a, b) => Some(Val(a.clone()).rank().cmp(&Val(b.clone()).rank())),
    }
}

impl PartialOrd for Val {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        compare(&self.0, &other.0)
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self(value.into())
    }
}

impl From<isize> for Val {
    fn from(value: isize) -> Self {
        Self(value.into())
    }
}

impl From<String> for Val {
    fn from(value: String) -> Self {
        Self(value.into())
    }
}

impl From<Range<Self>> for Val {
    fn from(range: Range<Self>) -> Self {
        let ends = [("start", range.start), ("end", range.end)];
        let fields = ends
            .into_iter()
            .filter_map(|(name, end)| Some((name.to_owned(), end?.0)));
        Self(Value::Object(fields.collect()))
    }
}

impl FromIterator<Self> for Val {
    fn from_iter<T: IntoIterator<Item = Self>>(values: T) -> Self {
        let mut all = Vec::new();
        let mut sum = 0_usize;
        for Self(value) in values {
            sum = sum.saturating_add(weight(&value));
            if sum > MAX_WEIGHT {
                // There is no other way to fail here; nothing that a profile reads is so large.
                return Self(Value::Null);
            }
            all.push(value);
        }
        Self(Value::Array(all))
    }
}

impl Add for Val {
    type Output = ValR<Self>;

    fn add(self, other: Self) -> ValR<Self> {
        if weight(&self.0).saturating_add(weight(&other.0)) > MAX_WEIGHT {
            return Err(Error::str(
                "an expression builds far more than an answer has",
            ));
        }
        match (self.0, other.0) {
            (Value::Null, one) | (one, Value::Null) => Ok(Self(one)),
            (Value::String(a), Value::String(b)) => Ok(Self::from(a + &b)),
            (Value::Array(mut a), Value::Array(b)) => {
                a.extend(b);
                Ok(Self(Value::Array(a)))
            }
            (Value::Object(mut a), Value::Object(b)) => {
                a.extend(b);
                Ok(Self(Value::Object(a)))
            }
            (a, b) => math(Self(a), Math::Add, Self(b)),
        }
    }
}

/// Arithmetic on two numbers; a result that is no number is an error.
fn math(a: Val, op: Math, b: Val) -> ValR<Val> {
    let (Some(left), Some(right)) = (a.0.as_f64(), b.0.as_f64()) else {
        return Err(Error::math(a, op, b));
    };
    let result: f64 = op.run(left, right);
    if result.is_finite() {
        Ok(Val::number(result))
    } else {
        Err(Error::math(a, op, b))
    }
}

macro_rules! arithmetic {
    ($($operation:ident $name:ident),*) => {$(
        impl $operation for Val {
            type Output = ValR<Self>;

            fn $name(self, other: Self) -> ValR<Self> {
                math(self, Math::$operation, other)
            }
        }
    )*};
}
arithmetic!(Sub sub, Mul mul, Div div, Rem rem);

impl Neg for Val {
    type Output = ValR<Self>;

    fn neg(self) -> ValR<Self> {
        Self::from(0) - self
    }
}

/// A place in an array of this length: from the end if it is negative.
fn place(index: &Value, length: usize) -> Option<usize> {
    let index = index.as_f64()?.floor();
    let from_start = if index < 0.0 {
        // Arrays are short: far below where floats lose whole numbers.
        index + f64::from(u32::try_from(length).ok()?)
    } else {
        index
    };
    (0..=length)
        .find(|place| u32::try_from(*place).is_ok_and(|place| f64::from(place) >= from_start))
}

impl ValT for Val {
    fn from_num(text: &str) -> ValR<Self> {
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(Self(whole.into()));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Self::number(number)),
            _ => Err(Error::str(format!("\"{text}\" is no number"))),
        }
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(pairs: I) -> ValR<Self> {
        let mut map = Map::new();
        for (key, value) in pairs {
            let Value::String(key) = key.0 else {
                return key.fail("key of an object");
            };
            map.insert(key, value.0);
        }
        let map = Value::Object(map);
        if weight(&map) > MAX_WEIGHT {
            return Err(Error::str(
                "an expression builds far more than an answer has",
            ));
        }
        Ok(Self(map))
    }

    fn key_values(self) -> BoxIter<'static, ValR<(Self, Self), Self>> {
        match self.0 {
            Value::Array(values) => Box::new(
                (0_isize..)
                    .zip(values)
                    .map(|(i, one)| Ok((i.into(), Self(one)))),
            ),
            Value::Object(map) => Box::new(
                map.into_iter()
                    .map(|(key, one)| Ok((key.into(), Self(one)))),
            ),
            other => Box::new(std::iter::once(Self(other).fail("array or object"))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        match self.0 {
            Value::Array(values) => Box::new(values.into_iter().map(|one| Ok(Self(one)))),
            Value::Object(map) => Box::new(map.into_iter().map(|(_, one)| Ok(Self(one)))),
            other => Box::new(std::iter::once(Self(other).fail("array or object"))),
        }
    }

    fn index(mut self, index: &Self) -> ValR<Self> {
        match (&mut self.0, &index.0) {
            (Value::Null, _) => Ok(Self(Value::Null)),
            (Value::Object(map), Value::String(key)) => {
                Ok(Self(map.remove(key).unwrap_or_default()))
            }
            (Value::Array(values), number @ Value::Number(_)) => {
                let inside = place(number, values.len()).filter(|place| *place < values.len());
                // Before the first there is nothing.
                let inside =
                    inside.filter(|place| *place > 0 || !before_first(number, values.len()));
                Ok(Self(
                    inside.map_or(Value::Null, |place| values.swap_remove(place)),
                ))
            }
            _ => Err(Error::index(self, index.clone())),
        }
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        let values = match self.0 {
            Value::Array(values) => values,
            Value::Null => return Ok(Self(Value::Null)),
            other => return Self(other).fail("array"),
        };
        let length = values.len();
        let end_of = |end: Option<&Self>, otherwise: usize| match end.map(|end| &end.0) {
            None | Some(Value::Null) => Some(otherwise),
            Some(end) => end
                .is_number()
                .then(|| place(end, length).unwrap_or(length)),
        };
        match (end_of(range.start, 0), end_of(range.end, length)) {
            (Some(start), Some(end)) => {
                let taken = values.into_iter().take(end).skip(start);
                Ok(Self(taken.collect()))
            }
            _ => Self(Value::Array(values)).fail("array with whole numbers as ends"),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        _: Opt,
        _: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        Err(no_updates())
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        _: &Self,
        _: Opt,
        _: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        Err(no_updates())
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        _: Range<&Self>,
        _: Opt,
        _: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        Err(no_updates())
    }

    fn as_bool(&self) -> bool {
        !matches!(self.0, Value::Null | Value::Bool(false))
    }

    fn into_string(self) -> Self {
        match self.0 {
            Value::String(_) => self,
            other => Self::from(other.to_string()),
        }
    }
}

fn before_first(index: &Value, length: usize) -> bool {
    let length = u32::try_from(length).map_or(f64::MAX, f64::from);
    index.as_f64().is_some_and(|index| index < -length)
}

fn no_updates<'a>() -> Exn<'a, Val> {
    Exn::from(Error::str("a profile cannot change an answer"))
}
