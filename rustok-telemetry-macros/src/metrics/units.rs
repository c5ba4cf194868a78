//! Units: derived from the name by default, and checked against it.

use super::names::Complaint;

/// Maximum length of a unit in OpenTelemetry, in characters.
const LONGEST_UNIT: usize = 63;

/// Units with the word that a metric's name contains if, and only if, it has this unit.
const NAMED_UNITS: [(&str, &str); 2] = [("s", "seconds"), ("By", "bytes")];

/// Returns the unit that follows from the name: `s` for `…_seconds` and `…_seconds_total`.
pub(crate) fn from_name(full_name: &str) -> Option<&'static str> {
    let name = full_name.strip_suffix("_total").unwrap_or(full_name);
    NAMED_UNITS
        .into_iter()
        .find(|(_, word)| name.rsplit('_').next() == Some(word))
        .map(|(unit, _)| unit)
}

/// Returns the error in the unit of a metric with this name, if any.
pub(crate) fn check(unit: &str, full_name: &str) -> Option<Complaint> {
    if unit.len() > LONGEST_UNIT || !unit.chars().all(|c| c.is_ascii_graphic()) {
        return Some(Complaint {
            wrong: format!("`{unit}` is not a unit"),
            right: "write a UCUM unit such as `s`, `By` or `1`: at most 63 ASCII characters without spaces".to_owned(),
        });
    }
    if let Some(named) = from_name(full_name).filter(|named| *named != unit) {
        return Some(Complaint {
            wrong: format!(
                "the unit `{unit}` contradicts the name `{full_name}`, which implies `{named}`"
            ),
            right: format!(
                "remove `unit` (it follows from the name), or write `unit = \"{named}\"`, or choose another name"
            ),
        });
    }
    let (_, word) = NAMED_UNITS.into_iter().find(|(named, _)| *named == unit)?;
    (!full_name.split('_').any(|part| part == word)).then(|| Complaint {
        wrong: format!("the unit `{unit}` is not in the name `{full_name}`"),
        right: format!("put `{word}` into the name, as in `…_{word}`, or correct the unit"),
    })
}

#[cfg(test)]
mod tests {
    use super::{check, from_name};

    #[test]
    fn unit_follows_from_the_name() {
        assert_eq!(from_name("shop_wait_seconds"), Some("s"));
        assert_eq!(from_name("shop_wait_seconds_total"), Some("s"));
        assert_eq!(from_name("shop_sent_bytes_total"), Some("By"));
        assert_eq!(from_name("shop_wait_milliseconds"), None);
        assert_eq!(from_name("shop_seconds_left"), None);
    }

    #[test]
    fn unit_agrees_with_the_name() {
        for (unit, name) in [
            ("s", "a_seconds"),
            ("s", "a_seconds_total"),
            ("s", "seconds_since_start"),
            ("By", "a_bytes"),
            ("1", "hit_rate"),
            ("ms", "a_milliseconds"),
            ("{item}", "cache_size"),
            ("", "cache_size"),
        ] {
            assert_eq!(check(unit, name), None, "{unit} {name}");
        }
        for (unit, name) in [
            ("ms", "a_seconds"),
            ("", "a_seconds"),
            ("s", "a_bytes_total"),
            ("s", "a_duration"),
            ("s", "a_milliseconds"),
            ("By", "a_size"),
            ("per second", "a"),
            ("µs", "a"),
        ] {
            assert!(check(unit, name).is_some(), "{unit} {name}");
        }
    }
}
