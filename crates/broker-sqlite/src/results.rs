//! The result seam on a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use broker::{Result, ResultBackend, ResultPolicy, ResultStream, Stored};
use protocol::{Limits, TaskMeta, Value};

use crate::error::SqliteError;
use crate::listening::watching;
use crate::operations::results::{Expire, Forget, ForgetGroup, SaveGroup, Store as StoreMetas};
use crate::options::SqliteOptions;
use crate::reads;
use crate::store::Store;
use crate::wire;

/// Task metas in a SQLite file, with Celery's rules.
#[derive(Debug)]
pub struct SqliteResults {
    pub(crate) store: Arc<Store>,
    pub(crate) policy: ResultPolicy,
}

impl SqliteResults {
    pub(crate) fn new(store: Arc<Store>, policy: ResultPolicy) -> Self {
        Self { store, policy }
    }

    /// Opens a file for results alone; see [`SqliteBroker::results`](crate::SqliteBroker::results) for those beside a broker.
    ///
    /// # Errors
    /// As [`SqliteBroker::connect`](crate::SqliteBroker::connect).
    pub async fn connect(options: SqliteOptions, policy: ResultPolicy) -> Result<Arc<Self>> {
        Ok(Arc::new(Self::new(Store::open(options).await?, policy)))
    }

    fn decode(&self, meta: &[u8]) -> Result<TaskMeta, SqliteError> {
        Ok(TaskMeta::decode(
            meta,
            &self.policy.codec,
            &Limits::default(),
        )?)
    }
}

#[async_trait]
impl ResultBackend for SqliteResults {
    async fn store(&self, metas: Vec<TaskMeta>) -> Result<Vec<Stored>> {
        let encode = |meta| wire::encode_meta(meta, &self.policy);
        let metas = metas.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        Ok(self.store.write(StoreMetas(metas)).await?)
    }

    async fn fetch(&self, task_ids: &[String]) -> Result<Vec<Option<TaskMeta>>> {
        let stored = reads::metas(&self.store.readers, task_ids).await?;
        let decode = |meta: Option<Vec<u8>>| meta.map(|meta| self.decode(&meta)).transpose();
        Ok(stored.into_iter().map(decode).collect::<Result<_, _>>()?)
    }

    async fn watch(&self, task_ids: Vec<String>) -> Result<ResultStream> {
        Ok(watching::watch(self.store.clone(), task_ids, self.policy.clone()).await?)
    }

    async fn forget(&self, task_ids: &[String]) -> Result<()> {
        Ok(self.store.write(Forget(task_ids.to_vec())).await?)
    }

    async fn save_group(&self, group_id: &str, result: Value) -> Result<()> {
        let result = self.policy.codec.encode(&result)?.into();
        let expires_at = wire::expires_at(self.policy.expires);
        Ok(self
            .store
            .write(SaveGroup {
                group_id: group_id.to_owned(),
                result,
                expires_at,
            })
            .await?)
    }

    async fn restore_group(&self, group_id: &str) -> Result<Option<Value>> {
        let Some(result) = reads::group(&self.store.readers, group_id).await? else {
            return Ok(None);
        };
        Ok(Some(self.policy.codec.decode(&result, &Limits::default())?))
    }

    async fn forget_group(&self, group_id: &str) -> Result<()> {
        Ok(self.store.write(ForgetGroup(group_id.to_owned())).await?)
    }

    async fn cleanup(&self) -> Result<u64> {
        Ok(self.store.write(Expire).await? as u64)
    }

    fn supports_autoexpire(&self) -> bool {
        false
    }
}
