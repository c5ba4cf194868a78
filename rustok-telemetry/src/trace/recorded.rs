//! Values of span fields, as `#[instrument(record(…))]` passes them to `tracing`.

use std::{
    borrow::Cow,
    fmt::{self, Debug},
    num::{NonZero, Saturating, Wrapping},
    rc::Rc,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8,
            AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
        },
    },
};

use tracing::field::{self, DebugValue, DisplayValue, Value};

/// An unformatted value of a field.
pub enum Recorded<'value> {
    /// No value.
    Absent,
    /// A `bool`.
    Bool(bool),
    /// An integer in the range of `i64`.
    I64(i64),
    /// An integer above `i64::MAX`.
    U64(u64),
    /// An integer outside the range of `i64`.
    I128(i128),
    /// An integer above `i64::MAX`.
    U128(u128),
    /// A floating-point number.
    F64(f64),
    /// A `char`.
    Char(DisplayValue<char>),
    /// Text, recorded without quotes.
    Text(&'value str),
    /// A value of a type that implements `tracing::Value`.
    Value(&'value dyn Value),
    /// A value that is recorded by `Debug`.
    Debug(DebugValue<&'value dyn Debug>),
}

impl Recorded<'_> {
    /// Returns the value for `tracing`; `None` records nothing.
    pub fn as_value(&self) -> Option<&dyn Value> {
        Some(match self {
            Self::Absent => return None,
            Self::Bool(value) => value,
            Self::I64(value) => value,
            Self::U64(value) => value,
            Self::I128(value) => value,
            Self::U128(value) => value,
            Self::F64(value) => value,
            Self::Char(value) => value,
            Self::Text(value) => value,
            Self::Value(value) => value,
            Self::Debug(value) => value,
        })
    }
}

impl fmt::Debug for Recorded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").finish_non_exhaustive()
    }
}

/// Selects how a value is recorded by its type (autoref specialization): with the traits below in scope,
/// `(&&&Recording(&value)).__rustok_recorded()` calls the first one that the type implements.
#[derive(Debug)]
pub struct Recording<'value, T>(pub &'value T);

/// Types that are recorded as numbers, `bool` or text.
pub trait ByType<'value> {
    /// Returns the value.
    fn __rustok_recorded(&self) -> Recorded<'value>;
}

/// `Option`s of types that are recorded by `Debug`.
pub trait ByOption<'value> {
    /// Returns the inner value.
    fn __rustok_recorded(&self) -> Recorded<'value>;
}

/// All other types. The bound is on the method, so that the compiler reports it if it is not met.
pub trait ByDebug<'value, T> {
    /// Returns the value.
    fn __rustok_recorded(&self) -> Recorded<'value>
    where
        T: Debug;
}

/// All other types if `Debug` does not apply: those of `tracing`, such as `Empty` and the result of `display`.
pub trait NeedsValue<'value, T> {
    /// Returns the value.
    fn __rustok_recorded(&self) -> Recorded<'value>
    where
        T: Value;
}

impl<'value, T: Recordable> ByType<'value> for &&Recording<'value, T> {
    fn __rustok_recorded(&self) -> Recorded<'value> {
        self.0.recorded()
    }
}

impl<'value, T: Optional> ByOption<'value> for &Recording<'value, T> {
    fn __rustok_recorded(&self) -> Recorded<'value> {
        match self.0.within() {
            Some(value) => Recorded::Debug(field::debug(value)),
            None => Recorded::Absent,
        }
    }
}

impl<'value, T> ByDebug<'value, T> for Recording<'value, T> {
    fn __rustok_recorded(&self) -> Recorded<'value>
    where
        T: Debug,
    {
        Recorded::Debug(field::debug(self.0))
    }
}

impl<'value, T> NeedsValue<'value, T> for Recording<'value, T> {
    fn __rustok_recorded(&self) -> Recorded<'value>
    where
        T: Value,
    {
        Recorded::Value(self.0)
    }
}

/// A type whose values are numbers, `bool`, text, or absent.
pub trait Recordable {
    /// Returns the value. Integers are `i64` if they fit, because tracing-opentelemetry exports `u64` as text.
    fn recorded(&self) -> Recorded<'_>;
}

macro_rules! whole_numbers {
    ($($number:ty $(, $atomic:ty)? => $large:ident;)*) => {$(
        impl Recordable for $number {
            fn recorded(&self) -> Recorded<'_> {
                whole_numbers!(@ *self, $large)
            }
        }

        impl Recordable for NonZero<$number> {
            fn recorded(&self) -> Recorded<'_> {
                whole_numbers!(@ self.get(), $large)
            }
        }

        $(impl Recordable for $atomic {
            fn recorded(&self) -> Recorded<'_> {
                whole_numbers!(@ self.load(Ordering::Relaxed), $large)
            }
        })?
    )*};
    (@ $number:expr, I64) => {
        Recorded::I64($number as i64)
    };
    (@ $number:expr, U64) => {{
        let number = $number;
        i64::try_from(number).map_or(Recorded::U64(number as u64), Recorded::I64)
    }};
    (@ $number:expr, $large:ident) => {{
        let number = $number;
        i64::try_from(number).map_or(Recorded::$large(number), Recorded::I64)
    }};
}

whole_numbers! {
    i8, AtomicI8 => I64;
    i16, AtomicI16 => I64;
    i32, AtomicI32 => I64;
    i64, AtomicI64 => I64;
    isize, AtomicIsize => I64;
    i128 => I128;
    u8, AtomicU8 => I64;
    u16, AtomicU16 => I64;
    u32, AtomicU32 => I64;
    u64, AtomicU64 => U64;
    usize, AtomicUsize => U64;
    u128 => U128;
}

macro_rules! scalars {
    ($($type:ty: |$value:ident| $recorded:expr;)*) => {$(
        impl Recordable for $type {
            fn recorded(&self) -> Recorded<'_> {
                let $value = self;
                $recorded
            }
        }
    )*};
}

scalars! {
    bool: |value| Recorded::Bool(*value);
    AtomicBool: |value| Recorded::Bool(value.load(Ordering::Relaxed));
    f32: |value| Recorded::F64(f64::from(*value));
    f64: |value| Recorded::F64(*value);
    char: |value| Recorded::Char(field::display(*value));
    str: |value| Recorded::Text(value);
    String: |value| Recorded::Text(value);
}

impl<T: Recordable> Recordable for Option<T> {
    fn recorded(&self) -> Recorded<'_> {
        self.as_ref().map_or(Recorded::Absent, T::recorded)
    }
}

impl<T: Recordable + ToOwned + ?Sized> Recordable for Cow<'_, T> {
    fn recorded(&self) -> Recorded<'_> {
        T::recorded(self)
    }
}

impl<T: Recordable> Recordable for Wrapping<T> {
    fn recorded(&self) -> Recorded<'_> {
        self.0.recorded()
    }
}

impl<T: Recordable> Recordable for Saturating<T> {
    fn recorded(&self) -> Recorded<'_> {
        self.0.recorded()
    }
}

/// An `Option` whose value is recorded by `Debug`, or a reference to one.
pub trait Optional {
    /// Returns the inner value.
    fn within(&self) -> Option<&dyn Debug>;
}

impl<T: Debug> Optional for Option<T> {
    fn within(&self) -> Option<&dyn Debug> {
        self.as_ref().map(|value| value as &dyn Debug)
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: Recordable + ?Sized> Recordable for $pointer {
            fn recorded(&self) -> Recorded<'_> {
                T::recorded(self)
            }
        }

        impl<T: Optional + ?Sized> Optional for $pointer {
            fn within(&self) -> Option<&dyn Debug> {
                T::within(self)
            }
        }
    )*};
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);
