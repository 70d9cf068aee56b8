//! Tasks that send canvases while they run: into their own chord, or beside it.

use protocol::Value;

use super::replacing::additions;
use crate::canvas::{chain, chord, group, task as signature};
use crate::task::task;

task! {
    /// Adds one addition for each number to its chord.
    fn add_to_all_to_chord(ctx, nums: Value, val: Value) -> i64 {
        for addition in additions(nums, &val)? {
            ctx.add_to_chord(addition)?;
        }
        Ok(0)
    }
}

task! {
    /// Adds a chord of such additions to its chord.
    fn add_chord_to_chord(ctx, nums: Value, val: Value) -> i64 {
        ctx.add_to_chord(chord(additions(nums, &val)?, signature("tsum", Vec::new())))?;
        Ok(0)
    }
}

task! {
    /// Sends a chain with a group in it, and gives the handle on its result.
    fn build_chain_inside_task(ctx) -> Value {
        let add = |number: i64| signature("add", vec![number.into()]);
        let steps = vec![
            signature("add", vec![1.into(), 1.into()]),
            add(2),
            group(vec![add(3), add(4)]),
            add(5),
        ];
        let handle = ctx.apply(chain(steps)).await?;
        Ok(Value::from(&handle))
    }
}
