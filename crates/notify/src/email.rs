//! Mail over SMTP.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::attempt::Attempt;
use crate::error::{Error, Result};
use crate::settings::{EmailSettings, Security};

/// One mail.
#[derive(Clone, Debug)]
pub struct Mail<'m> {
    /// What its Message-ID begins with: the same at every try, and no other mail's.
    pub identity: &'m str,
    /// The address.
    pub to: &'m str,
    /// The name before the address, or nothing.
    pub to_name: &'m str,
    /// One line.
    pub subject: &'m str,
    /// Plain text.
    pub text: &'m str,
    /// When it was written.
    pub written: Timestamp,
}

/// The mail server.
#[derive(Debug)]
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Mailer {
    pub(crate) fn new(settings: &EmailSettings) -> Result<Mailer> {
        let from = settings.from.parse().map_err(|source| Error::Sender {
            address: settings.from.clone(),
            source,
        })?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host);
        let mut builder = builder
            .port(settings.port)
            .tls(tls(settings)?)
            .timeout(Some(settings.timeout));
        if let Some((user, password)) = settings.login.clone() {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Mailer {
            transport: builder.build(),
            from,
            timeout: settings.timeout,
        })
    }

    pub(crate) async fn send(&self, mail: &Mail<'_>) -> Attempt {
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(reason) => return Attempt::Refused(reason),
        };
        // The transport's own limit is for each step; a server that answers slowly could take for ever.
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Err(_) => Attempt::Temporary(format!("no answer within {:?}", self.timeout)),
            Ok(Ok(_)) => Attempt::Sent,
            Ok(Err(error)) if error.is_permanent() || error.is_client() => {
                Attempt::Refused(text(&error))
            }
            Ok(Err(error)) => Attempt::Temporary(text(&error)),
        }
    }

    fn message(&self, mail: &Mail<'_>) -> Result<Message, String> {
        let address: Address = mail
            .to
            .parse()
            .map_err(|error| format!("{:?} is no mail address: {error}", mail.to))?;
        let name = (!mail.to_name.is_empty()).then(|| one_line(mail.to_name));
        let id = format!("<{}@{}>", mail.identity, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, address))
            .subject(one_line(mail.subject))
            .message_id(Some(id))
            .date(SystemTime::from(mail.written))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.to_owned())
            .map_err(|error| error.to_string())
    }
}

fn tls(settings: &EmailSettings) -> Result<Tls> {
    if settings.security == Security::None {
        return Ok(Tls::None);
    }
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|source| Error::Certificates {
            path: path.clone(),
            source,
        })?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(Error::Tls)?);
    }
    let parameters = builder.build().map_err(Error::Tls)?;
    Ok(if settings.security == Security::Tls {
        Tls::Wrapper(parameters)
    } else {
        Tls::Required(parameters)
    })
}

/// Without line ends, which would begin another header.
fn one_line(text: &str) -> String {
    text.split(char::is_control)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The error and what caused it in one line.
fn text(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Tells programs that answer mails not to answer this one.
#[derive(Clone, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_subject_cannot_begin_another_header() {
        assert_eq!(one_line("Hi\r\nBcc: all@b.c"), "Hi Bcc: all@b.c");
        assert_eq!(one_line("Ελλάδα"), "Ελλάδα");
    }
}
