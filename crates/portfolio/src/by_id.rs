//! Tables by the ids of rows. Ids come from the database, not from people who would choose them so that they collide: what
//! tells them apart need not be strong, and is looked at many times for each portfolio.

use std::collections::HashMap;

/// Values by id.
pub(crate) type ById<T> = HashMap<i64, T, foldhash::fast::RandomState>;
