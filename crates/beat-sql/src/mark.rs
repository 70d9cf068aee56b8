//! Whether anybody wrote to a database, and since when. It knows what each server tells of that; what was written is asked elsewhere.

use crate::Error;
use crate::database::Transaction;

/// What is committed in a database at a point in time, as far as the watching connection can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    opened: u64,
    server: String,
}

/// Counts the commits of other connections.
const DATA_VERSION: &str = "SELECT CAST(data_version AS text) FROM pragma_data_version";
/// The oldest transaction that had not ended, the first one that had not begun, and those between them that had not ended.
const SNAPSHOT: &str = "SELECT CAST(txid_current_snapshot() AS text)";

impl Mark {
    /// The oldest transaction that may have committed after an earlier mark, as PostgreSQL keeps it with each row; `None` where the server
    /// keeps no such thing or the marks cannot be compared. Each row that was written after the earlier mark has this number or a later one.
    pub(crate) fn oldest_since(&self, earlier: &Self) -> Option<u32> {
        let (oldest, _) = snapshot(&earlier.server)?;
        let (_, now) = snapshot(&self.server)?;
        let comparable = self.opened == earlier.opened && oldest <= now;
        // Rows keep the lower half of the number.
        comparable.then_some(oldest as u32)
    }
}

fn snapshot(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split(':');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl Transaction<'_> {
    /// A text that stays the same while nobody else writes to the database; asked on the connection that watches.
    pub(crate) async fn mark(&mut self) -> Result<Mark, Error> {
        let text = self.either(DATA_VERSION, SNAPSHOT);
        let server = self.first(text, Vec::new()).await?.unwrap_or_default();
        let opened = self.opened();
        Ok(Mark { opened, server })
    }
}

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn marks_of_one_connection_to_postgres_say_what_is_newer() {
        let mark = |opened, server: &str| Mark {
            opened,
            server: server.to_owned(),
        };
        let earlier = mark(1, "4294967306:4294967310:4294967306,4294967308");
        assert_eq!(
            mark(1, "4294967311:4294967311:").oldest_since(&earlier),
            Some(10)
        );
        for incomparable in [
            mark(2, "4294967311:4294967311:"),
            mark(1, "7:9:"),
            mark(1, "12"),
        ] {
            assert_eq!(incomparable.oldest_since(&earlier), None);
        }
    }
}
