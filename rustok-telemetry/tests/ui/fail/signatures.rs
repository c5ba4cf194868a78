//! A declaration's function is free, safe, synchronous, without generics, and returns nothing.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// With `self`.
    #[counter(name = "receiver_total")]
    pub fn receiver(&self, path: &str);

    /// With a type parameter.
    #[counter(name = "type_parameter_total")]
    pub fn type_parameter<T: Copy>(path: &str) where T: Send;

    /// With a lifetime.
    #[counter(name = "lifetime_total")]
    pub fn lifetime<'a>(path: &'a str);

    /// Asynchronous.
    #[counter(name = "asynchronous_total")]
    pub async fn asynchronous(path: &str);

    /// Unsafe.
    #[counter(name = "unsafe_total")]
    pub unsafe fn not_safe(path: &str);

    /// Constant.
    #[counter(name = "constant_total")]
    pub const fn constant(path: &str);

    /// Foreign.
    #[counter(name = "foreign_total")]
    pub extern "C" fn foreign(path: &str);

    /// With a result.
    #[counter(name = "result_total")]
    pub fn result(path: &str) -> u64;
}

fn main() {}
