//! An amsreader: its page joins lists that come in different periods.
//!
//! The total power is new every two seconds even when the long list with the currents is lost, which a weak port does.
//! So currents count as new only when something of the phases has changed.

use super::{Answer, client::Client};
use headroom_codec::{PhaseValues, Protocol, json};
use std::io;

pub(super) struct Amsreader {
    path: String,
    /// The phases that were last given.
    given: Option<[PhaseValues; 3]>,
    /// The total power that was last given.
    power: Option<(Option<i64>, Option<i64>)>,
}

impl Amsreader {
    pub(super) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            given: None,
            power: None,
        }
    }

    pub(super) async fn ask(&mut self, client: &Client) -> io::Result<Answer> {
        let body = client.get(&self.path).await?.body()?;
        let mut read = json::amsreader(&body);
        if let Ok(telegram) = &mut read {
            let power = Some((telegram.import_mw, telegram.export_mw));
            let same_phases = self.given == Some(telegram.phases);
            if same_phases && self.power == power {
                return Ok(Answer::nothing_new(body.len()));
            }
            self.given = Some(telegram.phases);
            self.power = power;
            if same_phases {
                telegram.phases = Default::default();
            }
        }
        Ok(Answer::read(Protocol::Amsreader, body, read))
    }
}
