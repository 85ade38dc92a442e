//! Every family that the encoder writes, as a table: what it can carry, and how.

use crate::{
    aidon::{self, AIDON_6500, EMBRIQ, Net},
    carries::{Carries, Range},
    checksum::{kermit_swapped, x25},
    cipher::{TAGGED, TITLE, UNTAGGED, cipher},
    hdlc::{KAMSTRUP, KAMSTRUP_CIPHERED, LANDIS, blocks, hdlc},
    iskra, kaifa,
    kamstrup::{self, List},
    landis,
    mbus::mbus,
    p1::{Ending, Profile, countries, seven_even},
    sml,
    tic::{self, Mode},
    values::Values,
};

/// How a telegram is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    Clear,
    Encrypted,
    Authenticated,
}

type Encode = Box<dyn Fn(&Values, u32) -> Vec<u8> + Send + Sync>;

/// One kind of telegram.
pub struct Family {
    pub name: &'static str,
    /// The protocol's name.
    pub protocol: &'static str,
    /// The maker's number of the list.
    pub list: Option<u8>,
    pub security: Security,
    /// A checksum or tag protects it.
    pub checked: bool,
    pub carries: Carries,
    encode: Encode,
}

impl std::fmt::Debug for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Family {
    fn new(
        name: &'static str,
        protocol: &'static str,
        carries: Carries,
        encode: impl Fn(&Values) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            protocol,
            list: None,
            security: Security::Clear,
            checked: true,
            carries,
            encode: Box::new(move |values, _| encode(values)),
        }
    }

    /// Of a ciphered kind, which has a frame counter.
    fn ciphered(
        name: &'static str,
        protocol: &'static str,
        carries: Carries,
        security: Security,
        encode: impl Fn(&Values, u32) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self {
            security,
            encode: Box::new(encode),
            ..Self::new(name, protocol, carries, |_| Vec::new())
        }
    }

    fn list(self, number: u8) -> Self {
        Self {
            list: Some(number),
            ..self
        }
    }

    /// A telegram with these values; a ciphered one with frame counter 1.
    pub fn encode(&self, values: &Values) -> Vec<u8> {
        self.encode_as(values, 1)
    }

    /// The same with a frame counter of choice, where the kind has one.
    pub fn encode_as(&self, values: &Values, counter: u32) -> Vec<u8> {
        (self.encode)(values, counter)
    }

    /// Steps of current and voltage of a phase, in milliampere and millivolt.
    pub fn steps(&self, line: usize) -> (Option<i64>, Option<i64>) {
        let step = |slot: Option<Range>| slot.map(|range| range.step);
        let slots = self.carries.phases[line];
        (step(slots.current), step(slots.voltage))
    }
}

/// All of them.
pub fn families() -> Vec<Family> {
    let mut all = p1_families();
    all.extend(hdlc_families());
    all.extend(mbus_families());
    let carries = sml::carries();
    all.push(Family::new("sml", "sml", carries, |values| {
        sml::sml_checked(&sml::entries(values), x25)
    }));
    all.push(Family::new("sml kermit", "sml", carries, |values| {
        sml::sml_checked(&sml::entries(values), kermit_swapped)
    }));
    for (name, mode) in [
        ("tic historique 1", Mode::Historique1),
        ("tic historique 3", Mode::Historique3),
        ("tic short", Mode::Short),
        ("tic standard 1", Mode::Standard1),
        ("tic standard 3", Mode::Standard3),
    ] {
        all.push(Family::new(
            name,
            "tic",
            tic::carries(mode),
            move |values| tic::frame(values, mode),
        ));
    }
    let carries = tic::carries(Mode::Standard3);
    all.push(Family::new("tic 7e1", "tic", carries, |values| {
        seven_even(&tic::frame(values, Mode::Standard3))
    }));
    all
}

fn p1_families() -> Vec<Family> {
    let profile = |name, profile: Profile| Family {
        checked: profile.ending != Ending::Nothing,
        ..Family::new(name, "p1", profile.carries(), move |values| {
            profile.telegram(values)
        })
    };
    let ciphered = |name, profile: Profile, control, security| {
        let encode = move |values: &Values, counter| {
            cipher(&profile.telegram(values), control, TITLE, counter)
        };
        Family::ciphered(name, "p1", profile.carries(), security, encode)
    };
    let seven = Profile {
        seven_even: true,
        ..countries::NETHERLANDS_5
    };
    vec![
        profile("p1 nl 5", countries::NETHERLANDS_5),
        profile("p1 nl 5 7e1", seven),
        profile("p1 nl 4", countries::NETHERLANDS_4),
        profile("p1 nl 2", countries::NETHERLANDS_2),
        profile("p1 be", countries::BELGIUM),
        profile("p1 lu", countries::LUXEMBOURG),
        profile("p1 se", countries::SWEDEN),
        profile("p1 dk", countries::DENMARK),
        profile("p1 lt", countries::LITHUANIA),
        profile("p1 hu", countries::HUNGARY),
        profile("p1 ch", countries::SWITZERLAND),
        profile("p1 at", countries::AUSTRIA),
        profile("p1 si", countries::SLOVENIA),
        ciphered(
            "p1 lu ciphered",
            countries::LUXEMBOURG,
            TAGGED,
            Security::Authenticated,
        ),
        ciphered(
            "p1 at ciphered",
            countries::AUSTRIA,
            TAGGED,
            Security::Authenticated,
        ),
        ciphered(
            "p1 at ciphered without tag",
            countries::AUSTRIA,
            UNTAGGED,
            Security::Encrypted,
        ),
    ]
}

/// Bytes of an APDU in one block.
const BLOCK: usize = 120;

fn hdlc_families() -> Vec<Family> {
    let mut all = vec![
        Family::new("aidon 1", "hdlc", aidon::list_1_carries(), aidon::list_1).list(1),
        Family::new("aidon se", "hdlc", aidon::swedish_carries(), aidon::swedish),
        Family::new("kaifa 1", "hdlc", kaifa::list_1_carries(), kaifa::list_1).list(1),
        Family::new("kaifa se", "hdlc", kaifa::carries(3, true), kaifa::swedish).list(3),
        Family::new("iskra 18", "hdlc", iskra::carries(true), iskra::list_18),
        Family::new("iskra 12", "hdlc", iskra::carries(false), iskra::list_12),
        Family::new(
            "iskra segments",
            "hdlc",
            iskra::serbian_carries(),
            iskra::serbian,
        ),
    ];
    for (name, maker, net, hourly) in [
        ("aidon 2 single", AIDON_6500, Net::Single, false),
        ("aidon 2 three-wire", AIDON_6500, Net::ThreeWire, false),
        ("aidon 2", AIDON_6500, Net::FourWire, false),
        ("aidon 3 single", AIDON_6500, Net::Single, true),
        ("aidon 3 three-wire", AIDON_6500, Net::ThreeWire, true),
        ("aidon 3", AIDON_6500, Net::FourWire, true),
        ("embriq 2", EMBRIQ, Net::FourWire, false),
        ("embriq 3", EMBRIQ, Net::FourWire, true),
    ] {
        let carries = maker.carries(net, hourly);
        let encode = move |values: &Values| maker.list(values, net, hourly);
        let family = Family::new(name, "hdlc", carries, encode);
        all.push(family.list(if hourly { 3 } else { 2 }));
    }
    for (name, phases, hourly) in [
        ("kaifa 2 single", 1, false),
        ("kaifa 2", 3, false),
        ("kaifa 3 single", 1, true),
        ("kaifa 3", 3, true),
    ] {
        let carries = kaifa::carries(phases, hourly);
        let encode = move |values: &Values| kaifa::list(values, phases, hourly);
        let family = Family::new(name, "hdlc", carries, encode);
        all.push(family.list(if hourly { 3 } else { 2 }));
    }
    for (name, list) in [
        ("kamstrup a", List::A),
        ("kamstrup b", List::B),
        ("kamstrup dk 1", List::Danish1),
        ("kamstrup se", List::Swedish),
        ("kamstrup dk 3", List::Danish3),
        ("kamstrup dk 3 fine", List::DanishFine),
    ] {
        let carries = kamstrup::carries(list);
        all.push(Family::new(name, "hdlc", carries, move |values| {
            hdlc(&KAMSTRUP, &kamstrup::apdu(values, list))
        }));
    }
    let danish = kamstrup::carries(List::Danish3);
    let tagged = Security::Authenticated;
    all.push(Family::ciphered(
        "kamstrup ciphered",
        "hdlc",
        danish,
        tagged,
        |values, counter| {
            let apdu = kamstrup::apdu(values, List::Danish3);
            hdlc(&KAMSTRUP_CIPHERED, &cipher(&apdu, TAGGED, TITLE, counter))
        },
    ));
    let carries = landis::carries();
    all.push(Family::new("e450", "hdlc", carries, |values| {
        hdlc(&LANDIS, &landis::apdu(values))
    }));
    all.push(Family::new("e450 blocks", "hdlc", carries, |values| {
        blocks(&landis::apdu(values), BLOCK).concat()
    }));
    all.push(Family::ciphered(
        "e450 blocks ciphered",
        "hdlc",
        carries,
        tagged,
        |values, counter| {
            blocks(
                &cipher(&landis::apdu(values), TAGGED, TITLE, counter),
                BLOCK,
            )
            .concat()
        },
    ));
    all
}

fn mbus_families() -> Vec<Family> {
    let carries = kaifa::austrian_carries();
    let ciphered = |name, size| {
        let encode = move |values: &Values, counter| {
            let apdu = cipher(&kaifa::austrian(values), UNTAGGED, TITLE, counter);
            mbus(&apdu, size)
        };
        Family::ciphered(name, "mbus", carries, Security::Encrypted, encode)
    };
    vec![
        Family::new("at mbus", "mbus", carries, |values| {
            mbus(&kaifa::austrian(values), 250)
        }),
        ciphered("at mbus ciphered", 250),
        ciphered("at mbus ciphered 257", 252),
    ]
}
