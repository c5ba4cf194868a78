//! The text of the metrics of a test capture.

use super::{
    write_point,
    writer::{Head, Writer},
};
use crate::metrics::{Declaration, store::point::VisitSeries};

/// Returns the text of metrics, which must be ordered by name.
pub(crate) fn text_of(
    metrics: impl Iterator<Item = (&'static Declaration, impl FnOnce(VisitSeries<'_>))>,
) -> String {
    let mut writer = Writer::default();
    writer.begin();
    for (declaration, read) in metrics {
        let head = Head {
            name: declaration.name,
            help: declaration.help,
            kind: declaration.kind.prometheus_type(),
        };
        writer.family(head, |family| {
            read(&mut |labels, point| write_point(family, &labels.text(), &point));
        });
    }
    writer.end()
}
