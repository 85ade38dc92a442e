//! `mqtt://[user:password@]host[:1883]/topic?protocol=p1`

use super::{Authority, Parsed, Parts, SourceKind, parse_protocol};
use percent_encoding::percent_decode_str;

/// Longer topics are none that a meter's reader is set to.
const TOPIC_MAX: usize = 256;
const WANTED: &str = "which topic: mqtt://192.0.2.7/ams";

/// Messages of a meter's reader on a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttTopic {
    /// The broker.
    pub authority: Authority,
    /// The topic, and what lies below it. It has no wildcards.
    pub topic: String,
}

pub(super) fn parse(parts: &Parts<'_>) -> Parsed {
    let (authority, path) = Authority::parse(parts, WANTED)?;
    // People write what other programs subscribe to.
    let path = path.strip_suffix("/#").unwrap_or(path);
    let topic = percent_decode_str(path.trim_end_matches('/')).decode_utf8();
    let topic = topic.map_err(|_| parts.incomplete(WANTED))?.into_owned();
    let wild = |c: char| c == '#' || c == '+' || c.is_control();
    if topic.is_empty() || topic.len() > TOPIC_MAX || topic.contains(wild) {
        return Err(parts.incomplete("one topic, without # and +: mqtt://192.0.2.7/ams"));
    }
    let mut protocol = None;
    parts.each("protocol", |name, value| {
        if name == "protocol" {
            protocol = parse_protocol(value)?;
        }
        Ok(name == "protocol")
    })?;
    Ok((SourceKind::Mqtt(MqttTopic { authority, topic }), protocol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use headroom_codec::Protocol;

    #[test]
    fn a_topic_on_a_broker() {
        for (text, address, topic) in [
            ("mqtt://broker/ams", "broker:1883", "ams"),
            (
                "mqtt://broker:18830/home/meter/",
                "broker:18830",
                "home/meter",
            ),
            ("mqtt://broker/ams/#", "broker:1883", "ams"),
            ("mqtt://[2001:db8::1]/a%20b", "[2001:db8::1]:1883", "a b"),
        ] {
            let source = Source::parse(text).unwrap();
            let SourceKind::Mqtt(it) = source.kind() else {
                panic!("{text}");
            };
            assert_eq!(
                (it.authority.address(1883).as_str(), it.topic.as_str()),
                (address, topic)
            );
        }
        let source = Source::parse("mqtt://broker/ams?protocol=p1").unwrap();
        assert_eq!(source.protocol(), Some(Protocol::P1));
    }

    #[test]
    fn a_password_is_not_shown() {
        let source = Source::parse("mqtt://jo:open%2Fsesame@broker/ams").unwrap();
        let SourceKind::Mqtt(it) = source.kind() else {
            panic!("{source}");
        };
        let login = it.authority.login.as_ref().unwrap();
        assert_eq!(login.password.as_ref().unwrap().expose(), "open/sesame");
        assert!(!format!("{source} {source:?} {it:?}").contains("sesame"));
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, says) in [
            ("mqtt:", "which topic"),
            ("mqtt://broker", "one topic"),
            ("mqtt://broker/", "one topic"),
            ("mqtt://broker/#", "one topic"),
            ("mqtt://broker/+/list2", "one topic"),
            ("mqtt://broker/a%00b", "one topic"),
            ("mqtt://broker/%ff", "which topic"),
            ("mqtt://broker/ams?qos=1", "no parameter \"qos\""),
            ("mqtt://broker/ams?protocol=json", "p1, hdlc"),
            ("mqtt://jo:secret@/ams", "mqtt://jo:***@/ams"),
        ] {
            let error = Source::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
