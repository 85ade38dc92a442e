//! What was said in the log of one device: each kind once a minute.

use crate::once::OnceAMinute;

/// The kinds that can come again and again.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// It did not take an order.
    pub(super) refusal: OnceAMinute,
    /// It does not answer.
    pub(super) lost: OnceAMinute,
    /// It answers again.
    pub(super) back: OnceAMinute,
    /// It shows more than it was told.
    pub(super) correction: OnceAMinute,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::once::EVERY;

    #[tokio::test(start_paused = true)]
    async fn each_kind_is_said_once_a_minute() {
        let mut said = Said::default();
        assert_eq!(
            [said.lost.now(), said.lost.now(), said.back.now()],
            [true, false, true]
        );
        tokio::time::advance(EVERY).await;
        assert_eq!([said.lost.now(), said.lost.now()], [true, false]);
    }
}
