//! Whether a meter that tells no clock has measured anew.

use headroom_codec::Telegram;

/// Answers, one a second, that may be the same in every value: the power of a house moves within that time, and so do
/// its voltages.
const SAME_AT_MOST: u32 = 10;

/// The last answer, and how often it was repeated.
#[derive(Default)]
pub(super) struct Fresh {
    last: Option<Telegram>,
    repeated: u32,
}

impl Fresh {
    /// Whether the values may be believed to be of now.
    pub(super) fn is_new(&mut self, telegram: &Telegram) -> bool {
        if self.last.as_ref() == Some(telegram) {
            self.repeated = self.repeated.saturating_add(1);
        } else {
            self.repeated = 0;
            self.last = Some(telegram.clone());
        }
        self.repeated < SAME_AT_MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_codec::Protocol;

    #[test]
    fn values_that_never_move_are_not_new() {
        let mut fresh = Fresh::default();
        let mut telegram = Telegram::new(Protocol::Homewizard);
        let new = |fresh: &mut Fresh, telegram: &Telegram| {
            (0..30).filter(|_| fresh.is_new(telegram)).count()
        };
        assert_eq!(new(&mut fresh, &telegram), 10);
        telegram.import_mw = Some(1);
        assert_eq!(new(&mut fresh, &telegram), 10);
    }
}
