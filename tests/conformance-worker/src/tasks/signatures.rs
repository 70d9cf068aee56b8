//! Tasks that give or take signatures.

use protocol::{Canvas, Signature, Value};
use worker::Outcome;

use crate::canvas::{chain, chord, group, read, task as signature};
use crate::task::task;

macro_rules! nested {
    ($($name:ident = $outer:ident of $inner:ident;)*) => {$(
        task! {
            /// The signature of one canvas in another.
            fn $name(_) -> Value { Ok($outer($inner(signature("add", Vec::new()))).into_value()) }
        }
    )*};
}

nested! {
    return_nested_signature_chain_chain = chain_of of chain_of;
    return_nested_signature_chain_group = chain_of of group_of;
    return_nested_signature_chain_chord = chain_of of chord_of;
    return_nested_signature_group_chain = group_of of chain_of;
    return_nested_signature_group_group = group_of of group_of;
    return_nested_signature_group_chord = group_of of chord_of;
    return_nested_signature_chord_chain = chord_of of chain_of;
    return_nested_signature_chord_group = chord_of of group_of;
    return_nested_signature_chord_chord = chord_of of chord_of;
}

task! {
    /// Fails unless its argument is a signature through and through.
    fn rebuild_signature(_, sig_dict: Value) -> () {
        rebuild(&read(sig_dict)?)
    }
}

fn chain_of(member: Signature) -> Signature {
    chain(vec![member])
}

fn group_of(member: Signature) -> Signature {
    group(vec![member])
}

fn chord_of(member: Signature) -> Signature {
    chord(vec![member], signature("add", Vec::new()))
}

fn rebuild(signature: &Signature) -> Result<(), Outcome> {
    let canvas = signature
        .canvas()
        .map_err(|error| Outcome::fail("TypeError", error.to_string()))?;
    match canvas {
        Canvas::Chain(tasks) | Canvas::Group(tasks) => tasks.iter().try_for_each(rebuild),
        Canvas::Chord { header, body, .. } => {
            header.iter().try_for_each(rebuild)?;
            rebuild(&body)
        }
        _ => Ok(()),
    }
}
