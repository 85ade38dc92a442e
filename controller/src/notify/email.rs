//! A message by e-mail (RFC 5321, RFC 5322), sent to a mail server of the owner's choice.

use std::time::Duration;

use headroom_store::{EmailChannel, EmailTls};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::time::timeout;

use super::message::Message;
use super::tls::off_the_loop;

/// For one command of the conversation.
const COMMAND_TIME: Duration = Duration::from_secs(10);
/// For all of it: mail servers let strangers wait.
const TIME: Duration = Duration::from_secs(30);

/// Sends a message.
///
/// # Errors
/// Why it was not taken, in words.
pub(super) async fn send(
    channel: &EmailChannel,
    message: &Message,
    language: &str,
) -> Result<(), String> {
    let mail = written(channel, message, language)?;
    let host = channel.host.trim_matches(['[', ']']).to_owned();
    let name = host.clone();
    // They read the certificates of this computer.
    let parameters = off_the_loop(move || TlsParameters::new(name).map_err(|error| words(&error)));
    let tls = match channel.tls {
        EmailTls::Starttls => Tls::Required(parameters.await?),
        EmailTls::Tls => Tls::Wrapper(parameters.await?),
        EmailTls::None => Tls::None,
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
        .port(channel.port)
        .tls(tls)
        .timeout(Some(COMMAND_TIME));
    if let Some(user) = &channel.user {
        let password = channel.password.as_ref().map_or("", |it| it.expose());
        transport = transport.credentials(Credentials::new(user.clone(), password.to_owned()));
    }
    match timeout(TIME, transport.build().send(mail)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{host} does not take it ({})", words(&error))),
        Err(_) => Err(format!(
            "{host} did not take it within {} s",
            TIME.as_secs()
        )),
    }
}

fn written(
    channel: &EmailChannel,
    message: &Message,
    language: &str,
) -> Result<lettre::Message, String> {
    let mailbox = |address: &str| {
        let address = address.parse();
        address.map_err(|error| format!("an address cannot be read ({error})"))
    };
    let mut mail: MessageBuilder = lettre::Message::builder()
        .from(Mailbox::new(
            Some("Headroom".to_owned()),
            mailbox(&channel.from)?,
        ))
        .message_id(None)
        .subject(message.title(language))
        .header(ContentType::TEXT_PLAIN);
    for to in &channel.to {
        mail = mail.to(Mailbox::new(None, mailbox(to)?));
    }
    let body = format!("{}\n\n{:.3}\n", message.text(), message.time());
    mail.body(body).map_err(|error| error.to_string())
}

/// An error with its causes.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
