use std::env;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(decode(bytes.clone()), None);
        let with_magic = [&MAGIC[..], &bytes].concat();
        let is_intact = bytes.len() >= 4 && head(&bytes[4..])[4..] == bytes[..4];
        prop_assert_eq!(decode(with_magic).is_some(), is_intact);
    }

    #[test]
    fn what_is_written_is_read(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = [&head(&message)[..], &message].concat();
        prop_assert_eq!(decode(file), Some(message.into()));
    }

    #[test]
    fn a_changed_or_cut_file_is_refused(
        message in proptest::collection::vec(any::<u8>(), 0..100), at in any::<prop::sample::Index>(), bit in 0..8
    ) {
        let file = [&head(&message)[..], &message].concat();
        let at = at.index(file.len());
        prop_assert_eq!(decode(file[..at].to_vec()), None);
        let mut changed = file;
        changed[at] ^= 1_u8 << bit;
        prop_assert_eq!(decode(changed), None);
    }

    #[test]
    fn file_names_are_read_as_written(at in any::<u64>(), items in 1..=LARGEST_REQUEST, text in ".*") {
        let written = name(at, items);
        prop_assert_eq!(parse(&written), Some((at, items, true)));
        prop_assert_eq!(parse(&written.replace("otlp", "part")), Some((at, items, false)));
        let other = format!("{at:020}-{items}{text}");
        prop_assert!(parse(&other).is_none_or(|_| [".otlp", ".part"].contains(&&*text)));
        parse(&text);
    }
}

#[test]
fn no_more_is_read_than_a_request_can_have() {
    let path = env::temp_dir().join(format!("spool-{}", Uuid::new_v4()));
    // Sparse, and larger than memory.
    let file = File::create(&path).expect("a file");
    file.set_len(1 << 42).expect("a sparse file");
    assert!(matches!(read(&path), Ok(None)));
    let largest = vec![b'x'; LARGEST_REQUEST];
    write(&path, &largest).expect("it is written");
    let read = read(&path);
    fs::remove_file(&path).expect("it is removed");
    assert_eq!(read.expect("a file"), Some(largest.into()));
}
