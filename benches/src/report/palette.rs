//! Which colour a subject has.
//!
//! A subject keeps its colour as long as no other has it in the same suite, so
//! that the eye need not learn each plot anew.

use crate::table::REFERENCE;

/// Colours in the style sheet; the first is the reference's alone.
const COLOURS: usize = 11;

/// The subjects of a suite, each with its place in the style sheet.
#[derive(Debug)]
pub(crate) struct Palette {
    places: Vec<(String, usize)>,
}

impl Palette {
    /// Colours for these subjects.
    pub(crate) fn new<'s>(subjects: impl Iterator<Item = &'s str>) -> Self {
        let mut places: Vec<(String, usize)> = Vec::new();
        for subject in subjects {
            if places.iter().any(|(known, _)| known == subject) {
                continue;
            }
            let place = if subject == REFERENCE {
                0
            } else {
                free(&places, subject)
            };
            places.push((subject.to_owned(), place));
        }
        Self { places }
    }

    /// The classes of a subject's marks.
    pub(crate) fn class(&self, subject: &str) -> String {
        let known = self.places.iter().find(|(known, _)| known == subject);
        let place = known.map_or(0, |(_, place)| *place);
        let colour = if place == 0 {
            0
        } else {
            1 + (place - 1) % (COLOURS - 1)
        };
        let dash = if place >= COLOURS { " dash" } else { "" };
        let ours = if subject == REFERENCE || subject.starts_with("smr-") {
            " ours"
        } else {
            ""
        };
        format!("c{colour}{dash}{ours}")
    }
}

/// The place that the name leads to, or the next that is free: first without
/// dashes, then with them.
fn free(places: &[(String, usize)], subject: &str) -> usize {
    let wanted = subject.bytes().fold(7_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    let taken = |place: usize| places.iter().any(|(_, known)| *known == place);
    let round = COLOURS - 1;
    (0..)
        .map(|step| 1 + (step / round) * round + (wanted + step) % round)
        .find(|place| !taken(*place))
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_shares_a_colour_and_a_dash() {
        let names: Vec<String> = (0..20).map(|at| format!("subject-{at}")).collect();
        let all = names.iter().map(String::as_str).chain([REFERENCE]);
        let palette = Palette::new(all.clone());
        let mut classes: Vec<String> = all.map(|name| palette.class(name)).collect();
        assert_eq!(palette.class(REFERENCE), "c0 ours");
        classes.sort();
        classes.dedup();
        assert_eq!(classes.len(), 21);
    }

    #[test]
    fn a_subject_keeps_its_colour_where_it_can() {
        let alone = Palette::new(["seize"].into_iter()).class("seize");
        let beside = Palette::new([REFERENCE, "seize", "sdd"].into_iter()).class("seize");
        assert_eq!(alone, beside);
    }
}
