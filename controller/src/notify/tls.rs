//! Whom a channel over TLS trusts: the certificates of this computer (`/etc/ssl/certs`, or `SSL_CERT_FILE`), so that an
//! authority of one's own is added there, and nowhere else.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A client's configuration, from the certificates as they are now.
///
/// # Errors
/// When this computer trusts nobody, in words.
pub(super) async fn client() -> Result<Arc<ClientConfig>, String> {
    off_the_loop(read).await
}

/// Reads files where nobody waits for them: the threads are shared with the loop that guards the fuse.
///
/// # Errors
/// Those of `read`.
pub(super) async fn off_the_loop<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(read).await;
    done.unwrap_or_else(|error| Err(error.to_string()))
}

fn read() -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(
            "this computer has no certificates to trust: install the package ca-certificates"
                .to_owned(),
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
