//! A mail server of its own for one test, with Python's aiosmtpd: it speaks SMTP as real ones do and delivers nothing.
//!
//! What it does with a mail depends on the recipient: to `refused@…` it says no for good (550), to `busy@…` not now (451),
//! and to `hang@…` nothing at all once it has the mail.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::{Process, Python, wait_until};

/// How long Python may take to start.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long what was sent may be on its way.
const PATIENCE: Duration = Duration::from_secs(30);
const SCRIPT: &str = include_str!("mail.py");

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The recipient of the envelope.
    pub to: String,
    /// The whole mail: `subject`, `from`, `to`, `message_id` and `text`, decoded.
    pub content: Value,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Who had logged in, or nothing.
    pub user: String,
}

/// A running mail server. Dropping it kills it.
#[derive(Debug)]
pub struct MailServer {
    process: Process,
    port: u16,
    folder: TempDir,
}

impl MailServer {
    /// Starts one that wants STARTTLS and the login `user`, `secret` before it takes a mail.
    pub async fn with_tls() -> Self {
        Self::start(&["--tls"]).await
    }

    /// Starts one that knows neither TLS nor logins.
    pub async fn plain() -> Self {
        Self::start(&[]).await
    }

    async fn start(options: &[&str]) -> Self {
        let folder = TempDir::new().expect("the system's temporary folder is writable");
        Certificates::generate(folder.path());
        let mut command = Python::find().command(folder.path());
        command.args(["-c", SCRIPT]).args(options);
        let process = Process::spawn(&mut command);
        let line = process
            .wait_for_line(|line| line.starts_with("port "), DEADLINE)
            .await;
        let port = line.trim_start_matches("port ").parse();
        Self {
            process,
            port: port.expect("the script prints the port's number"),
            folder,
        }
    }

    /// The port on localhost.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority that signed the server's certificate.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// What has arrived so far; each try counts, also of a mail that was refused or not answered.
    ///
    /// # Panics
    /// When the server prints what it should not.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        let lines = self.process.lines().into_iter().map(|line| line.text);
        let mails = lines.filter_map(|line| line.strip_prefix("mail ").map(parse));
        mails.collect()
    }

    /// Waits until so many have arrived: an answer to the sender may be faster than what the server prints.
    ///
    /// # Panics
    /// When fewer arrive within half a minute.
    pub async fn mails_when(&self, count: usize) -> Vec<Mail> {
        wait_until(PATIENCE, async || self.mails().len() >= count).await;
        self.mails()
    }
}

fn parse(line: &str) -> Mail {
    let content: Value = serde_json::from_str(line).expect("the script prints JSON");
    Mail {
        to: content["envelope"].as_str().unwrap_or_default().to_owned(),
        tls: content["tls"] == true,
        user: content["user"].as_str().unwrap_or_default().to_owned(),
        content,
    }
}
