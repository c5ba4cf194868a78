//! Options are known, given once, and of the right form.

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Misspelled.
    #[counter(name = "a_total", units = "1")]
    pub fn misspelled();

    /// Unknown.
    #[counter(name = "b_total", colour = "red")]
    pub fn unknown();

    /// Twice.
    #[counter(name = "c_total", name = "c_total")]
    pub fn twice();

    /// Not text.
    #[counter(name = d_total)]
    pub fn not_text();

    /// Not a number.
    #[counter(name = "e_total", series = "many")]
    pub fn not_a_number();

    /// None at all.
    #[counter(name = "f_total", series = 0)]
    pub fn none_at_all();

    /// A flag with a value.
    #[counter(name = "g", without_total = true)]
    pub fn flag_with_a_value();

    /// Not a path.
    #[counter(name = "h_total", also = "super::also")]
    pub fn not_a_path();

    /// Not options.
    #[counter("i_total")]
    pub fn not_options();
}

fn main() {}
