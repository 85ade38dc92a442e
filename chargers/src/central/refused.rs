//! Charge points of the house that did not get in, for people to see.
//!
//! One entry for each charger, so the list is as short as the house has chargers. It ends when the
//! charge point proves itself, when its access is changed, or when nobody has knocked for
//! [`FORGOTTEN_AFTER`].

use std::{fmt, net::IpAddr, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

/// Charge points try again within a few minutes at most; who has stopped is not refused any more.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);

/// What was wrong with the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedFor {
    /// There were none.
    NoPassword,
    /// The user was not the identity.
    WrongUser,
    /// The password was another one.
    WrongPassword,
}

impl fmt::Display for RefusedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPassword => "no password",
            Self::WrongUser => "a user name that is not its identity",
            Self::WrongPassword => "a wrong password",
        })
    }
}

/// A charger whose charge point was refused, and not let in since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Id of the charger.
    pub load: String,
    /// The identity in the path that it connected to.
    pub charge_point_id: String,
    /// What was wrong the last time.
    pub why: RefusedFor,
    /// How often it was refused since then.
    pub count: u64,
    /// The address that it came from the last time.
    pub remote: IpAddr,
    /// When it was refused first.
    pub since: Timestamp,
    /// The same moment, for clocks that do not jump.
    pub begun: Instant,
    last: Instant,
}

impl Refused {
    /// One more refusal; `before` is what is known of earlier ones.
    pub(super) fn again(
        before: Option<Self>,
        load: &str,
        charge_point_id: &str,
        why: RefusedFor,
        remote: IpAddr,
        now: Timestamp,
    ) -> Self {
        let at = Instant::now();
        match before.filter(Self::is_fresh) {
            Some(before) => Self {
                why,
                count: before.count.saturating_add(1),
                remote,
                last: at,
                ..before
            },
            None => Self {
                load: load.to_owned(),
                charge_point_id: charge_point_id.to_owned(),
                why,
                count: 1,
                remote,
                since: now,
                begun: at,
                last: at,
            },
        }
    }

    /// Whether it was refused lately.
    pub(super) fn is_fresh(&self) -> bool {
        self.last.elapsed() < FORGOTTEN_AFTER
    }
}

/// What happened, what stays as it was, and what to do.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            load,
            charge_point_id,
            why,
            remote,
            ..
        } = self;
        write!(
            f,
            "{load}: somebody at {remote} wants to connect as {charge_point_id} and was refused for {why}; \
             it is not commanded. If it is your charger, enter the same password there and here; its user \
             name is {charge_point_id}."
        )
    }
}
