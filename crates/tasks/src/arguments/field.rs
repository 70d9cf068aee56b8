//! The rules of one argument, as data that a `const` can hold.

use protocol::{Map, Value};

/// An argument: its name, what it must be, and what it is when it is not given.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name of the keyword.
    pub name: &'static str,
    /// What a given value must be.
    pub kind: Kind,
    /// Whether it must be given.
    pub need: Need,
}

/// Whether an argument must be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Need {
    /// It must.
    Required,
    /// It has this value when it is not given.
    Default(Preset),
}

/// A default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preset {
    /// Nothing; null may then be given too.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(&'static str),
    /// A list of integers.
    Ints(&'static [i64]),
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// A map without entries.
    Object,
}

/// From the smallest to the largest allowed value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds<T> {
    /// The smallest; none for no bound.
    pub min: Option<T>,
    /// The largest; none for no bound.
    pub max: Option<T>,
}

impl<T> Bounds<T> {
    /// Anything.
    pub const ANY: Self = Self {
        min: None,
        max: None,
    };
}

/// A folder of the installation that a path must lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Log files.
    Logs,
    /// Temporary files.
    Temp,
    /// Backups.
    Backups,
    /// Custodians' statements.
    Statements,
}

impl Place {
    /// True if a task may make folders there.
    pub(super) fn may_grow(self) -> bool {
        self == Self::Backups
    }
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number; a truth value is none.
    Int(Bounds<i64>),
    /// A finite number.
    Number(Bounds<f64>),
    /// A truth value.
    Bool,
    /// A text, in characters.
    Text(Bounds<usize>),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A symbol: trimmed and in upper case. True if it must also look like one.
    Symbol(bool),
    /// A day. True if it must not be in the future.
    Date(bool),
    /// A time; without offset it is UTC.
    Timestamp,
    /// A path in this place, links followed; a relative one starts there.
    Path(Place),
    /// An exact decimal that is not negative.
    Decimal,
    /// A map of any content, at most this many bytes as JSON.
    Object(usize),
    /// A map with these entries and no others. True if `start` must not be later than `end`.
    Record(&'static [Field], bool),
    /// A list of any content.
    Any,
    /// A list of values of one kind; symbols are listed once.
    List(&'static Kind, Bounds<usize>),
}

/// The JSON of an argument without a limit of its own; messages are bounded anyway.
const ANY_SIZE: usize = usize::MAX;

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        let need = Need::Default(Preset::Null);
        Self { name, kind, need }
    }

    /// A whole number.
    pub const fn int(name: &'static str) -> Self {
        Self::new(name, Kind::Int(Bounds::ANY))
    }

    /// A row's id.
    pub const fn id(name: &'static str) -> Self {
        Self::new(name, Kind::Int(ID))
    }

    /// Ids of rows.
    pub const fn ids(name: &'static str) -> Self {
        Self::new(name, Kind::List(&Kind::Int(ID), Bounds::ANY))
    }

    /// A number.
    pub const fn number(name: &'static str, min: f64, max: f64) -> Self {
        let bounds = Bounds {
            min: Some(min),
            max: Some(max),
        };
        Self::new(name, Kind::Number(bounds))
    }

    /// A switch that is off unless given.
    pub const fn flag(name: &'static str) -> Self {
        Self::new(name, Kind::Bool).or(Preset::Bool(false))
    }

    /// A text.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text(Bounds::ANY))
    }

    /// One of some texts.
    pub const fn choice(name: &'static str, choices: &'static [&'static str]) -> Self {
        Self::new(name, Kind::Choice(choices))
    }

    /// A symbol; `strict` if it must look like one.
    pub const fn symbol(name: &'static str, strict: bool) -> Self {
        Self::new(name, Kind::Symbol(strict))
    }

    /// A day; one in the future is fine.
    pub const fn date(name: &'static str) -> Self {
        Self::new(name, Kind::Date(false))
    }

    /// A day that has begun somewhere.
    pub const fn past_date(name: &'static str) -> Self {
        Self::new(name, Kind::Date(true))
    }

    /// A time.
    pub const fn timestamp(name: &'static str) -> Self {
        Self::new(name, Kind::Timestamp)
    }

    /// A path.
    pub const fn path(name: &'static str, place: Place) -> Self {
        Self::new(name, Kind::Path(place))
    }

    /// A decimal.
    pub const fn decimal(name: &'static str) -> Self {
        Self::new(name, Kind::Decimal)
    }

    /// A map of any content.
    pub const fn object(name: &'static str) -> Self {
        Self::new(name, Kind::Object(ANY_SIZE))
    }

    /// A map with known entries.
    pub const fn record(name: &'static str, fields: &'static [Field], ordered: bool) -> Self {
        Self::new(name, Kind::Record(fields, ordered))
    }

    /// A list of any content.
    pub const fn any(name: &'static str) -> Self {
        Self::new(name, Kind::Any)
    }

    /// A list of values of one kind.
    pub const fn list(name: &'static str, kind: &'static Kind) -> Self {
        Self::new(name, Kind::List(kind, Bounds::ANY))
    }

    /// It must be given.
    pub const fn required(mut self) -> Self {
        self.need = Need::Required;
        self
    }

    /// Its value when it is not given.
    pub const fn or(mut self, preset: Preset) -> Self {
        self.need = Need::Default(preset);
        self
    }

    /// The smallest value of a whole number, or the fewest characters or items.
    pub const fn min(mut self, min: i64) -> Self {
        match &mut self.kind {
            Kind::Int(bounds) => bounds.min = Some(min),
            Kind::Text(bounds) | Kind::List(_, bounds) => bounds.min = Some(min as usize),
            _ => panic!("this kind has no smallest value"),
        }
        self
    }

    /// The largest value of a whole number, or the most characters, items or bytes.
    pub const fn max(mut self, max: i64) -> Self {
        match &mut self.kind {
            Kind::Int(bounds) => bounds.max = Some(max),
            Kind::Text(bounds) | Kind::List(_, bounds) => bounds.max = Some(max as usize),
            Kind::Object(bytes) => *bytes = max as usize,
            _ => panic!("this kind has no largest value"),
        }
        self
    }

    /// True if null stands for "not given".
    pub(super) fn is_nullable(&self) -> bool {
        self.need == Need::Default(Preset::Null)
    }
}

const ID: Bounds<i64> = Bounds {
    min: Some(1),
    max: None,
};

impl Preset {
    /// The default as a value.
    pub fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(value) => value.into(),
            Self::Ints(values) => Value::List(values.iter().map(|&value| value.into()).collect()),
            Self::Texts(values) => Value::List(values.iter().map(|&value| value.into()).collect()),
            Self::Object => Value::Map(Map::new()),
        }
    }
}
