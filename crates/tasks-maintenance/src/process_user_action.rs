//! `apps.main.tasks.process_user_action`: keeps what a user did and sends the task that follows from it.

use jiff::Timestamp;
use portfolio::store::{NewAction, StoredAction};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tasks::catalogue::{
    EXPORT_DASHBOARD_DATA, GENERATE_PORTFOLIO_REPORT, PROCESS_USER_ACTION, REFRESH_DASHBOARD_CACHE,
    REFRESH_PORTFOLIO_ANALYTICS, Spec, WARM_DASHBOARD_CACHE,
};
use tasks::{Answer, FinanceTask, Run, failure};
use worker::{Context, Outcome};

/// Something that a user did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessUserAction {
    /// Who.
    pub user_id: i64,
    /// What.
    pub action: String,
    /// An object with the particulars.
    pub payload: Value,
    /// When; now unless given.
    pub occurred_at: Option<Timestamp>,
    /// What makes it the same when it comes again; the task's id unless given.
    pub action_id: Option<String>,
}

/// A task that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followup {
    /// Its name.
    pub task: String,
    /// Its id.
    pub task_id: String,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Processed {
    /// The action's id.
    pub action_id: String,
    /// `stored`, or `followed_up` when a task was sent.
    pub outcome: String,
    /// Whether it had been processed before; then nothing was sent.
    pub duplicate: bool,
    /// What was sent, this time or the first time.
    pub followups: Vec<Followup>,
}

/// What is kept of it with the action.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    outcome: String,
    followups: Vec<Followup>,
}

impl FinanceTask for ProcessUserAction {
    const SPEC: Spec = PROCESS_USER_ACTION;
    type Data = Processed;

    /// Two calls with one id at the same time could both find it without an outcome.
    fn lock(&self) -> Option<String> {
        let id = self.action_id.as_ref()?;
        Some(format!("user_action:{id}"))
    }

    async fn run(self, run: &mut Run<'_>) -> Result<Answer<Processed>, Outcome> {
        let (ctx, store) = (run.ctx(), run.store().await?);
        store.require_user(self.user_id).await.map_err(failure)?;
        let action_id = self.action_id.as_deref().unwrap_or(ctx.id());
        let new = NewAction {
            user_id: self.user_id,
            action_id,
            action: &self.action,
            payload: &self.payload,
            occurred_at: self.occurred_at.unwrap_or_else(Timestamp::now),
        };
        let (stored, _) = store.add_action(&new).await.map_err(failure)?;
        let earlier = stored.outcome.clone();
        let kept = match earlier {
            Some(outcome) => serde_json::from_value(outcome)?,
            None => {
                let kept = follow_up(ctx, &stored).await?;
                let outcome = serde_json::to_value(&kept)?;
                let noted = store.end_action(stored.id, &outcome, Timestamp::now());
                noted.await.map_err(failure)?;
                kept
            }
        };
        let again = ctx.retries() > 0 || ctx.redelivered();
        Ok(Answer::Done(Processed {
            action_id: action_id.to_owned(),
            outcome: kept.outcome,
            duplicate: stored.outcome.is_some() && !again && self.action_id.is_some(),
            followups: kept.followups,
        }))
    }
}

/// The task that follows from an action.
fn followup(action: &str) -> Option<&'static Spec> {
    Some(match action {
        "transaction_added" | "transaction_imported" => &REFRESH_PORTFOLIO_ANALYTICS,
        "portfolio_created" | "portfolio_updated" | "settings_changed" => &REFRESH_DASHBOARD_CACHE,
        "login" => &WARM_DASHBOARD_CACHE,
        "report_requested" => &GENERATE_PORTFOLIO_REPORT,
        "export_requested" => &EXPORT_DASHBOARD_DATA,
        _ => return None,
    })
}

/// Sends what follows. Its id follows from the row, so that a run that died after sending sends the same task again.
async fn follow_up(ctx: &Context, stored: &StoredAction) -> Result<Kept, Outcome> {
    let Some(spec) = followup(&stored.action) else {
        return Ok(Kept {
            outcome: "stored".to_owned(),
            followups: Vec::new(),
        });
    };
    let seconds = stored.occurred_at.as_second();
    let task_id = format!("user-action-{}-{seconds}", stored.id);
    let call = ctx.call_by_name::<Value>(spec.name).queue(spec.queue);
    let mut call = call
        .task_id(task_id.as_str())
        .kwarg("user_id", stored.user_id);
    for field in spec.fields.iter().filter(|field| field.name != "user_id") {
        if let Some(value) = stored.payload.get(field.name) {
            call = call.kwarg(field.name, value);
        }
    }
    call.send().await?;
    Ok(Kept {
        outcome: "followed_up".to_owned(),
        followups: vec![Followup {
            task: spec.name.to_owned(),
            task_id,
        }],
    })
}
