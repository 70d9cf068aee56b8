//! Where the scenes play: systems that begin as copies of one, and the servers that people's notifications go to.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use testkit::{MailServer, Receiver};

use crate::back_office::database::Database;
use crate::back_office::system::System;

/// What a bank says of Bruno's account: a position of one share is all there is.
const STATEMENT: &str = "kind,date,type,symbol,quantity,amount,currency,external_id
header,2013-02-28,,,,,,DEPOT-1
position,2013-02-28,,IBM,1,,,
";
const DAY: Duration = Duration::from_secs(86_400);
/// Old logs, enough of them to be busy for a while.
const LOGS: usize = 12;

/// People who want to be told in every way, an account that a bank knows, and rows whose time has passed.
const PREPARE: [&str; 6] = [
    r#"UPDATE users SET notification_prefs = '{"channels": ["in_app", "email", "webhook"]}'"#,
    "UPDATE accounts SET custodian = 'Bank', custodian_account_no = 'DEPOT-1' WHERE name = 'Depot'",
    "DELETE FROM cache_entries",
    "DELETE FROM portfolio_caches",
    "INSERT INTO cache_entries (key, value, version, computed_at, expires_at)
       VALUES ('old', BYTES, 1, '2020-01-01T00:00:00Z', '2020-01-02T00:00:00Z')",
    "INSERT INTO notifications (user_id, type, subject, message, dedupe_key, created_at, read_at)
       VALUES (1, 'info', 'old', 'old', 'old', '2020-01-01T00:00:00Z', '2020-01-02T00:00:00Z')",
];

#[derive(Clone)]
pub struct Stage {
    template: Arc<System>,
    pub mail: Arc<MailServer>,
    pub web: Receiver,
}

impl Stage {
    /// With the ledger in this system.
    pub async fn prepare(template: System) -> Self {
        let bytes = match &template.database {
            Database::File(_) => "X'7B7D'",
            Database::Server(..) => "'{}'::bytea",
        };
        let statements = PREPARE.map(|statement| statement.replace("BYTES", bytes));
        template.database.run(&statements).await;
        furnish(&template.data());
        Self {
            template: Arc::new(template),
            mail: Arc::new(MailServer::plain().await),
            web: Receiver::start().await,
        }
    }

    /// A system that tells people in its own name.
    pub fn system(&self, name: &str) -> System {
        let variables = vec![
            ("EMAIL_HOST", "localhost".to_owned()),
            ("EMAIL_PORT", self.mail.port().to_string()),
            ("EMAIL_USE_TLS", "false".to_owned()),
            ("SERVER_EMAIL", sender(name)),
            ("CELERIAC_WEBHOOK_URL", self.web.url(&hook(name))),
            ("CELERIAC_WEBHOOK_SECRET", "secret".to_owned()),
            // A run in the trap waits for the kill, however long that takes.
            ("CELERIAC_FINANCE_RECORD_TIMEOUT", "86400".to_owned()),
        ];
        self.template.copy(variables)
    }
}

/// The address that a system's mails come from.
pub fn sender(name: &str) -> String {
    format!("{name}@example.org")
}

/// The path that a system's webhooks go to.
pub fn hook(name: &str) -> String {
    format!("/{name}")
}

fn furnish(folder: &Path) {
    write(&folder.join("statements/depot.csv"), STATEMENT, 0);
    write(&folder.join("temp/old.tmp"), "old", 3);
    let log = "a line that says little\n".repeat(20_000);
    for number in 0..LOGS {
        write(&folder.join(format!("logs/worker.log.{number}")), &log, 10);
    }
}

fn write(path: &Path, text: &str, days_old: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - days_old * DAY)
        .unwrap();
}
