//! Places panels from left to right, and continues below when a line is full. The last panel of a line is widened to its
//! end, and all panels of a line have the same height.

use super::dashboard::Item;
use super::panel::Look;

/// The columns of Grafana's grid.
const COLUMNS: u32 = 24;

/// The position and size of a panel, in columns and rows of Grafana's grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Returns the place of each item.
pub(crate) fn places(items: &[Item]) -> Vec<Place> {
    let mut line = Line::default();
    let places = items.iter().map(|item| match item {
        Item::Row { .. } => line.put(COLUMNS, 1),
        Item::Panel(panel) => line.put(panel.width, panel.height),
    });
    let mut places: Vec<_> = places.collect();
    for (index, item) in items.iter().enumerate() {
        let is_last = places
            .get(index + 1)
            .is_none_or(|next| next.y > places[index].y);
        // A single value does not need more room.
        if is_last && !matches!(item, Item::Panel(panel) if panel.look == Look::Stat) {
            places[index].width = COLUMNS - places[index].x;
        }
    }
    for line in places.chunk_by_mut(|one, next| one.y == next.y) {
        let highest = line.iter().map(|place| place.height).max();
        line.iter_mut()
            .for_each(|place| place.height = highest.unwrap_or_default());
    }
    places
}

/// The current line of panels.
#[derive(Default)]
struct Line {
    x: u32,
    y: u32,
    height: u32,
}

impl Line {
    fn put(&mut self, width: u32, height: u32) -> Place {
        if self.x + width > COLUMNS {
            (self.x, self.y, self.height) = (0, self.y + self.height, 0);
        }
        let (x, y) = (self.x, self.y);
        self.x += width;
        self.height = self.height.max(height);
        Place {
            x,
            y,
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboards::panel::{Look, Panel, Unit};

    #[test]
    fn a_line_is_filled_before_the_next_begins() {
        let panel = |width, height| -> Item {
            Panel::new(1, "t", Look::Stat, Unit::Count, "d")
                .size(width, height)
                .into()
        };
        let row = Item::row(2, "r");
        let items = [panel(12, 8), panel(12, 5), panel(6, 4), row, panel(24, 9)];
        let corners: Vec<_> = places(&items)
            .iter()
            .map(|place| (place.x, place.y))
            .collect();
        assert_eq!(corners, [(0, 0), (12, 0), (0, 8), (0, 12), (0, 13)]);
    }

    #[test]
    fn the_panels_of_a_line_fill_it() {
        let panel = |look, width, height| -> Item {
            Panel::new(1, "t", look, Unit::Count, "d")
                .size(width, height)
                .into()
        };
        let graph = |width, height| panel(Look::TimeSeries, width, height);
        let items = [
            graph(12, 8),
            Item::row(2, "r"),
            graph(8, 8),
            graph(8, 11),
            graph(12, 5),
            panel(Look::Stat, 6, 5),
        ];
        let places = places(&items);
        let sizes: Vec<_> = places
            .iter()
            .map(|place| (place.width, place.height))
            .collect();
        assert_eq!(
            sizes,
            [(24, 8), (24, 1), (8, 11), (16, 11), (12, 5), (6, 5)]
        );
    }
}
