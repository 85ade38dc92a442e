//! `GET,PUT /notifications`, `POST /notifications/test`. For installers: an address of a webhook is often a secret itself.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use headroom_store::{EmailChannel, HttpChannel, Notifications};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::app::Shared;
use crate::body::{Sent, configured, typed};
use crate::change::{Made, change};
use crate::identity::Who;
use crate::notify::Channel;
use crate::problem::Problem;

/// One test at a time: each holds a connection for seconds.
static TURN: Semaphore = Semaphore::const_new(1);
/// When to ask again while another test is under way, in seconds.
const AGAIN_S: u64 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    channel: Channel,
}

pub(crate) async fn get(State(shared): State<Shared>) -> Json<Value> {
    Json(view(&shared.app.state.house().notifications))
}

/// Replaces all of it. A secret that is left out stays if its channel is the same; `null` removes it.
pub(crate) async fn put(
    State(shared): State<Shared>,
    who: Who,
    Sent(mut value): Sent,
) -> Result<Json<Value>, Problem> {
    let mut removed = Vec::new();
    for (name, secret) in [
        ("webhook", "token"),
        ("ntfy", "token"),
        ("email", "password"),
    ] {
        if let Some(channel) = value.get_mut(name).and_then(Value::as_object_mut) {
            // Read only; ignored when written, as `key_set` of the meter is.
            channel.remove(&format!("{secret}_set"));
            if channel.get(secret).is_some_and(Value::is_null) {
                removed.push(name);
            }
        }
    }
    let wanted: Notifications = configured(&value)?;
    let answer = change(&shared, &who, "notifications", move |house| {
        let mut before = house.notifications.clone();
        for name in removed {
            match name {
                "webhook" => before.webhook = None,
                "ntfy" => before.ntfy = None,
                _ => before.email = None,
            }
        }
        let stored = house.clone();
        house.notifications = wanted;
        house.notifications.keep_secrets_of(&before);
        let lacking = house.keep_secrets(stored);
        if !lacking.is_empty() {
            return Err(Problem::invalid(lacking).relative_to("notifications."));
        }
        Ok(Made {
            answer: view(&house.notifications),
            path: "notifications.".to_owned(),
        })
    })
    .await?;
    Ok(Json(answer))
}

/// Sends a message now, and says how it went.
pub(crate) async fn test(
    State(shared): State<Shared>,
    who: Who,
    Sent(value): Sent,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Test { channel } = typed(value)?;
    let notifications = shared.app.state.house().notifications.clone();
    let is_there = match channel {
        Channel::Webhook => notifications.webhook.is_some(),
        Channel::Ntfy => notifications.ntfy.is_some(),
        Channel::Email => notifications.email.is_some(),
    };
    if !is_there {
        return Err(Problem::field(
            "channel",
            "conflict",
            "is not configured: PUT /notifications first",
        ));
    }
    let Ok(_turn) = TURN.try_acquire() else {
        return Err(Problem::throttled(
            AGAIN_S,
            "Another test message is on its way. Try again in a moment.",
        ));
    };
    let sent = shared.app.notifier.test(channel).await;
    tracing::info!(
        who = who.author(),
        channel = channel.as_str(),
        delivered = sent.is_ok(),
        "a test message"
    );
    let (delivered, text) = match sent {
        Ok(()) => (true, "The message was taken.".to_owned()),
        Err(why) => (
            false,
            format!("The message was not delivered: {why}. Alarms stand on the page all the same."),
        ),
    };
    let answer = json!({"channel": channel, "delivered": delivered, "text": text});
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Without its secrets.
fn view(notifications: &Notifications) -> Value {
    let Notifications {
        language,
        webhook,
        ntfy,
        email,
    } = notifications;
    json!({
        "language": language,
        "webhook": webhook.as_ref().map(http),
        "ntfy": ntfy.as_ref().map(http),
        "email": email.as_ref().map(mail),
    })
}

fn http(HttpChannel { url, token }: &HttpChannel) -> Value {
    json!({"url": url, "token_set": token.is_some()})
}

fn mail(email: &EmailChannel) -> Value {
    let EmailChannel {
        host,
        port,
        tls,
        user,
        password,
        from,
        to,
    } = email;
    json!({
        "host": host, "port": port, "tls": tls, "user": user, "password_set": password.is_some(), "from": from, "to": to,
    })
}
