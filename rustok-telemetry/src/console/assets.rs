//! The files of the page.

/// A file of the page, in the program.
pub(super) struct Asset {
    pub(super) content_type: &'static str,
    pub(super) text: &'static str,
}

/// The page itself.
pub(super) const INDEX: &str = include_str!("assets/index.html");

macro_rules! assets {
    ($($name:literal)*) => {
        const ASSETS: &[(&str, &str)] = &[$(($name, include_str!(concat!("assets/", $name)))),*];
    };
}

assets! {}

/// Returns a file below `assets/`.
pub(super) fn find(name: &str) -> Option<Asset> {
    let (_, text) = ASSETS.iter().find(|(known, _)| *known == name)?;
    let content_type = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    Some(Asset { content_type, text })
}

impl Asset {
    /// Returns the tag of this version, by FNV-1a.
    pub(super) fn tag(&self) -> String {
        let hash = self
            .text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        format!("\"{hash:016x}\"")
    }
}
