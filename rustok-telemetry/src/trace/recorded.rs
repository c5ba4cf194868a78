//! Values of span fields, as `#[instrument(record(…))]` gives them to `tracing`.

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

/// A field's value that has been read and not formatted.
pub enum Recorded<'value> {
    /// The field gets no value.
    Absent,
    /// `bool`
    Bool(bool),
    /// Whole numbers that fit.
    I64(i64),
    /// Above `i64::MAX`.
    U64(u64),
    /// Out of the range of `i64`.
    I128(i128),
    /// Above `i64::MAX`.
    U128(u128),
    /// Floating-point numbers.
    F64(f64),
    /// `char`
    Char(DisplayValue<char>),
    /// Text, without quotes.
    Text(&'value str),
    /// A type that `tracing` knows.
    Value(&'value dyn Value),
    /// Any other type.
    Debug(DebugValue<&'value dyn Debug>),
}

impl Recorded<'_> {
    /// The value for `tracing`; `None` records nothing.
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

/// A value to be recorded by its type. With the traits below in scope,
/// `(&&&Recording(&value)).__rustok_recorded()` takes the first of them that fits the type.
#[derive(Debug)]
pub struct Recording<'value, T>(pub &'value T);

/// Types that are recorded as numbers, `bool` or text.
pub trait ByType<'value> {
    /// The value.
    fn __rustok_recorded(&self) -> Recorded<'value>;
}

/// `Option`s of types that are recorded by `Debug`.
pub trait ByOption<'value> {
    /// The value within.
    fn __rustok_recorded(&self) -> Recorded<'value>;
}

/// All other types. The bound is the method's, so that the compiler names it where it is not met.
pub trait ByDebug<'value, T> {
    /// The value.
    fn __rustok_recorded(&self) -> Recorded<'value>
    where
        T: Debug;
}

/// All other types where `Debug` is not wanted: those of `tracing`, such as `Empty` and what `display` returns.
pub trait NeedsValue<'value, T> {
    /// The value.
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

/// A type whose values are numbers, `bool`, text, or none of these for want of one.
pub trait Recordable {
    /// The value. Whole numbers are `i64` where they fit, because tracing-opentelemetry exports `u64` as text.
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

impl Recordable for bool {
    fn recorded(&self) -> Recorded<'_> {
        Recorded::Bool(*self)
    }
}

impl Recordable for AtomicBool {
    fn recorded(&self) -> Recorded<'_> {
        Recorded::Bool(self.load(Ordering::Relaxed))
    }
}

impl Recordable for f32 {
    fn recorded(&self) -> Recorded<'_> {
        Recorded::F64(f64::from(*self))
    }
}

impl Recordable for f64 {
    fn recorded(&self) -> Recorded<'_> {
        Recorded::F64(*self)
    }
}

impl Recordable for char {
    fn recorded(&self) -> Recorded<'_> {
        Recorded::Char(field::display(*self))
    }
}

impl Recordable for str {
    fn recorded(&self) -> Recorded<'_> {
        Recorded::Text(self)
    }
}

impl Recordable for String {
    fn recorded(&self) -> Recorded<'_> {
        Recorded::Text(self)
    }
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
    /// The value, if there is one.
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
