//! What must hold of any bytes, said once: the property test of every run and the fuzz targets share it.

use headroom_codec::{Decoder, Item, Options, Protocol, Telegram, anonymous};
use headroom_encode::{
    AIDON, AUTH_KEY, KAMSTRUP, KEY, TITLE, Values, aidon, arc, blocks, cipher,
    cipher::{TAGGED, UNTAGGED},
    hdlc, kaifa, kermit_swapped, mbus, p1, segments, seven_even,
    sml::{self, sml, sml_file},
    tic, x25,
};

/// More than the longest telegram: whatever length the bytes before announced, it is over by then.
const BEHIND: usize = 20 * 1024;
/// What a message of a DLMS meter begins with.
const LLC: [u8; 3] = [0xE6, 0xE7, 0x00];
/// The content of a frame: with its ends below the eleven bits of a length.
const MOST_FRAMED: usize = 1900;

/// All keys set, or the one that opens telegrams without a tag. Bytes may hold the same ciphered telegram twice.
fn options(protocol: Option<Protocol>, tagged: bool) -> Options {
    Options {
        protocol,
        key: KEY.parse().ok(),
        auth_key: AUTH_KEY.parse().ok().filter(|_| tagged),
        capture: true,
        ..Options::default()
    }
}

/// Bytes as they are, or by the last of them as the content of frames whose checksums are right: few random bytes ever
/// get past a checksum by themselves.
pub(crate) fn check_any(protocol: Option<Protocol>, bytes: &[u8]) -> Result<(), String> {
    let Some((way, bytes)) = bytes.split_last() else {
        return Ok(());
    };
    let way = usize::from(*way);
    if way % 2 == 0 || bytes.is_empty() {
        return check_stream(protocol, bytes);
    }
    let kind = protocol.unwrap_or(Protocol::ALL[way / 2 % Protocol::ALL.len()]);
    check_behind(Some(kind), &framed(kind, way / 16, bytes))
}

/// A frame around any content; `way` chooses among the shapes of the protocol.
fn framed(protocol: Protocol, way: usize, content: &[u8]) -> Vec<u8> {
    // More does not fit into a frame.
    let content = &content[..content.len().min(MOST_FRAMED)];
    let ciphered = |plain: &[u8]| {
        let security = if way & 8 == 0 { TAGGED } else { UNTAGGED };
        cipher(plain, security, TITLE, 1)
    };
    match protocol {
        Protocol::P1 => {
            let text = [b"/HRM5\\ANY\r\n\r\n", content, b"\r\n!"].concat();
            let crc = if way & 2 == 0 { arc(&text) } else { x25(&text) };
            let telegram = [&text, format!("{crc:04X}\r\n").as_bytes()].concat();
            match way & 5 {
                0 => telegram,
                1 => ciphered(&telegram),
                4 => seven_even(&telegram),
                // No checksum, as in old telegrams.
                _ => [&text[..], b"\r\n"].concat(),
            }
        }
        Protocol::Mbus => match way & 1 {
            0 => mbus(content, 200),
            _ => mbus(&ciphered(content), 200),
        },
        Protocol::Sml => sml_file(content, if way & 1 == 0 { x25 } else { kermit_swapped }),
        Protocol::Tic => {
            let text = String::from_utf8_lossy(content);
            let groups: Vec<tic::Group<'_>> = text
                .lines()
                .map(|line| line.split_once(' ').unwrap_or(("ADCO", line)))
                .map(|(label, data)| (label, None, data))
                .collect();
            tic(way & 1 == 0, &groups)
        }
        _ => match way & 3 {
            0 => hdlc(&AIDON, content),
            1 => hdlc(&KAMSTRUP, &ciphered(content)),
            2 => blocks(content, 100).concat(),
            _ => segments(content, 100).concat(),
        },
    }
}

/// Bytes as they are.
fn check_stream(protocol: Option<Protocol>, bytes: &[u8]) -> Result<(), String> {
    check_behind(protocol, bytes)?;
    let whole = decode(protocol, bytes, usize::MAX)?;
    // However they arrive, the telegrams are the same. What is rejected may not be: a damaged header is judged at once,
    // and told from noise only if the end of its frame is there already. Not so of frames around any content, which may
    // be a telegram itself: which of the two counts is open.
    let size = bytes.first().map_or(1, |first| usize::from(first % 97) + 1);
    let chunked = decode(protocol, bytes, size)?;
    // Nothing vouches for a bare message: whether it counts beside a frame that begins inside it is open too.
    if whole.bare || chunked.bare || telegrams(&chunked.items) == telegrams(&whole.items) {
        Ok(())
    } else {
        Err(format!(
            "in chunks of {size}: {:?}, at once: {:?}",
            chunked.items, whole.items
        ))
    }
}

/// What the bytes say is sane, and a telegram behind them is found. Gives what they say.
fn check_behind(protocol: Option<Protocol>, bytes: &[u8]) -> Result<(), String> {
    let Said { items, .. } = decode(protocol, bytes, usize::MAX)?;
    for telegram in telegrams(&items) {
        check_telegram(telegram).ok_or_else(|| format!("no values of a meter: {telegram:?}"))?;
    }
    // Long, so that it is asked of a fourth of all inputs.
    if !bytes.len().is_multiple_of(4) {
        return Ok(());
    }
    let own = own_telegram(protocol);
    let behind = own.repeat(BEHIND / own.len() + 1);
    let alone = decode(protocol, &own, usize::MAX)?.items;
    let [Item::Telegram(expected)] = alone.as_slice() else {
        return Err(format!("the own telegram alone: {alone:?}"));
    };
    let both = [bytes, &behind].concat();
    let Said {
        items: all,
        unexplained,
        ..
    } = decode(protocol, &both, usize::MAX)?;
    // A message without a checksum at their end may take the beginning of the first telegram for its own.
    if unexplained > bytes.len() + own.len() {
        return Err(format!(
            "{unexplained} not explained, {} were before the telegrams: {all:?}",
            bytes.len()
        ));
    }
    if telegrams(&all).contains(&expected) {
        Ok(())
    } else {
        Err(format!("the telegram behind is lost: {all:?}"))
    }
}

/// What came out.
struct Said {
    items: Vec<Item>,
    /// Bytes that it does not explain.
    unexplained: usize,
    /// Whether a telegram among them is a message without a frame, and so without a checksum.
    bare: bool,
}

fn decode(protocol: Option<Protocol>, bytes: &[u8], size: usize) -> Result<Said, String> {
    let mut decoder = Decoder::new(&options(protocol, bytes.len().is_multiple_of(2)));
    let mut items = Vec::new();
    let mut bare = false;
    for chunk in bytes.chunks(size) {
        decoder.push_raw(chunk, |item, raw| {
            if let Item::Telegram(telegram) = &item {
                bare |= raw.starts_with(&LLC);
                drop(anonymous(
                    telegram.protocol,
                    raw,
                    KEY.parse().ok().as_ref(),
                    AUTH_KEY.parse().ok().as_ref(),
                ));
            }
            items.push(item);
        });
    }
    items.extend(decoder.finish());
    let (received, unexplained) = (decoder.received(), decoder.unexplained());
    let empty = items
        .iter()
        .any(|item| matches!(item, Item::Rejected(rejected) if rejected.bytes == 0));
    if received != bytes.len() as u64 || unexplained > received || empty {
        return Err(format!(
            "{received} received, {unexplained} not explained, of {} bytes: {items:?}",
            bytes.len()
        ));
    }
    Ok(Said {
        items,
        unexplained: usize::try_from(unexplained).unwrap_or(usize::MAX),
        bare,
    })
}

fn telegrams(items: &[Item]) -> Vec<&Telegram> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Telegram(telegram) => Some(telegram),
            Item::Rejected(_) => None,
        })
        .collect()
}

/// Values that a reader may rely on.
fn check_telegram(telegram: &Telegram) -> Option<()> {
    let step_fits = |value: Option<i64>, step: Option<i64>| {
        value.is_some() == step.is_some() && step.is_none_or(|step| step > 0)
    };
    let phases = telegram.phases.iter().all(|phase| {
        phase.current_ma.is_none_or(|current| current >= 0)
            && step_fits(phase.current_ma, phase.current_step_ma)
            && step_fits(phase.voltage_mv, phase.voltage_step_mv)
    });
    let proved = telegram.encrypted || !telegram.authenticated;
    (phases && proved && !telegram.is_empty()).then_some(())
}

fn own_telegram(protocol: Option<Protocol>) -> Vec<u8> {
    let values = Values::default();
    match protocol {
        None | Some(Protocol::Hdlc) => aidon::list_2(&values),
        Some(Protocol::P1) => p1::telegram(&values, 10),
        Some(Protocol::Mbus) => mbus(&kaifa::austrian(&values), 250),
        Some(Protocol::Sml) => sml(&sml::entries(&values)),
        Some(Protocol::Tic) => tic::frame(&tic_values(), tic::Mode::Historique3),
        Some(other) => panic!("{other} is no stream"),
    }
}

/// Whole amperes alone.
fn tic_values() -> Values {
    Values {
        meter_id: Some("010203040506".to_owned()),
        energy_import_mwh: Some(123_456_000),
        ..Values::house(0, [4000, 5000, 3000], [230_000; 3])
    }
}
