//! Words in both languages. One of them is never enough, and the same words twice are said to be meant.

use super::{problem::Rank, reading::Reading, section::Section, tree::Node};
use domain::Text;

impl Reading<'_> {
    /// `{ en: …, cy: … }`, with `same: true` where both are meant to be equal.
    pub(super) fn bilingual(&mut self, node: &Node, what: &str) -> Option<Text> {
        self.both(node, what, |reading, node, what| reading.text(node, what).map(str::to_owned))
    }

    /// The same, with a syntax for each of the two.
    pub(super) fn both(
        &mut self,
        node: &Node,
        what: &str,
        mut read: impl FnMut(&mut Self, &Node, &str) -> Option<String>,
    ) -> Option<Text> {
        if let Some(text) = node.as_word() {
            let hint = Some(format!("write {{ en: {text}, cy: … }}"));
            let message = format!("{what} is needed in English and in Welsh");
            self.problems.error(Rank::Shape, &node.place, message, hint);
            return None;
        }
        let mut section = Section::open(node, "a text in both languages", self)?;
        let en = section.required("en", self).and_then(|node| read(self, node, what));
        let cy = section.required("cy", self).and_then(|node| read(self, node, what));
        let same = section.optional("same", self);
        let meant = same.and_then(|node| self.boolean(node)).unwrap_or(false);
        let cy_place = section.place_of("cy");
        section.close(self);
        let (en, cy) = (en?, cy?);
        match (en == cy, meant, same, cy_place) {
            (true, false, _, Some(place)) => {
                let hint = Some("translate it, or add 'same: true' where it is meant".to_owned());
                let message = format!("{what}: the Welsh is the same as the English");
                self.problems.error(Rank::Sense, place, message, hint);
                None
            }
            (false, true, Some(same), _) => {
                let message = format!("{what}: 'same: true', but the Welsh and the English differ");
                self.problems.error(Rank::Sense, &same.owner, message, None);
                None
            }
            _ => Some(Text { en, cy }),
        }
    }
}
