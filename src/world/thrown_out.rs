//! Whom the host of a race has thrown out.

use mco_proto::ids::PersonaId;
use std::collections::VecDeque;

/// The most that are remembered for one race; the first is forgotten first.
const MOST: usize = 64;

/// Personas that may not come back to a race, for as long as there is this race.
#[derive(Clone, Debug, Default)]
pub(super) struct ThrownOut(VecDeque<PersonaId>);

impl ThrownOut {
    pub(super) const fn nobody() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn contains(&self, persona: PersonaId) -> bool {
        self.0.contains(&persona)
    }

    pub(super) fn add(&mut self, persona: PersonaId) {
        if self.contains(persona) {
            return;
        }
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(persona);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_is_remembered_each_once() {
        let mut thrown_out = ThrownOut::nobody();
        for persona in (1..=200).chain(150..=200) {
            thrown_out.add(PersonaId(persona));
        }
        let remembered: Vec<_> = (0..300).filter(|id| thrown_out.contains(PersonaId(*id))).collect();
        assert_eq!(remembered, (137..=200).collect::<Vec<u32>>());
    }
}
