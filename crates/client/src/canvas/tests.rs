//! What each kind of canvas sends. The recorded messages of Python are replayed in `tests/it`.

use super::*;

fn composite(kind: &str, tasks: Vec<Signature>) -> Signature {
    let tasks = Value::List(tasks.into_iter().map(Value::from).collect());
    let mut signature = Signature::new(format!("celery.{kind}")).kwarg("tasks", tasks);
    signature.subtask_type = Some(kind.to_owned());
    signature
}

fn names(chain: Option<&Chain>) -> Vec<String> {
    let steps = chain.map_or(Ok(Vec::new()), Chain::steps).expect("sound");
    steps.into_iter().map(|step| step.task).collect()
}

#[test]
fn a_chain_sends_its_first_step_with_the_others_in_reverse() {
    let chain = composite(
        "chain",
        vec![
            Signature::new("a"),
            Signature::new("b"),
            Signature::new("c"),
        ],
    );
    let applied = apply(
        chain,
        &[Value::Int(7)],
        vec![Signature::new("z")],
        &Lineage::default(),
    )
    .expect("sound");
    let call = &applied.calls[0];
    assert_eq!(
        (call.task.as_str(), &call.args),
        ("a", &vec![Value::Int(7)])
    );
    assert_eq!(names(call.options.embed.chain.as_ref()), ["z", "c", "b"]);
}

#[test]
fn a_group_sends_every_member_with_its_position() {
    let group = composite("group", vec![Signature::new("a"), Signature::new("b")]);
    let lineage = Lineage {
        root_id: Some("root".to_owned()),
        ..Lineage::default()
    };
    let applied = apply(group, &[Value::Int(7)], Vec::new(), &lineage).expect("sound");
    let positions: Vec<_> = applied
        .calls
        .iter()
        .map(|call| call.options.group_index)
        .collect();
    assert_eq!(positions, [Some(0), Some(1)]);
    assert!(
        applied
            .calls
            .iter()
            .all(|call| call.options.group_id.as_deref() == Some(applied.result.id.as_str()))
    );
    assert!(
        applied
            .calls
            .iter()
            .all(|call| call.options.root_id.as_deref() == Some("root"))
    );
}

#[test]
fn an_immutable_signature_takes_no_arguments() {
    let signature = Signature {
        immutable: true,
        ..Signature::new("a").args(vec![Value::Int(1)])
    };
    let applied =
        apply(signature, &[Value::Int(7)], Vec::new(), &Lineage::default()).expect("sound");
    assert_eq!(applied.calls[0].args, [Value::Int(1)]);
}

fn chord(header: Vec<Signature>, body: Signature) -> Signature {
    let canvas = protocol::Canvas::Chord {
        header,
        body: Box::new(body),
        kwargs: Map::new(),
    };
    canvas.into_signature().expect("a composite signature")
}

fn expanded(signature: Signature) -> Applied {
    apply(signature, &[], Vec::new(), &Lineage::default()).expect("sound")
}

/// The body that a call carries.
fn body(call: &TaskCall) -> &Signature {
    call.options
        .embed
        .chord
        .as_ref()
        .expect("a member of a chord")
}

#[test]
fn a_chord_sends_its_header_with_the_body_in_every_member() {
    let applied = expanded(chord(
        vec![Signature::new("a"), Signature::new("b")],
        Signature::new("sum"),
    ));
    let [opened] = applied.chords.as_slice() else {
        panic!("one chord is opened: {:?}", applied.chords)
    };
    assert_eq!((opened.size, &opened.header), (2, &None));
    assert_eq!(applied.calls.len(), 2);
    for call in &applied.calls {
        assert_eq!(call.options.group_id.as_ref(), Some(&opened.group_id));
        assert_eq!(body(call).task, "sum");
        assert_eq!(body(call).text_option("task_id"), Some(&*applied.result.id));
        assert_eq!(body(call).text_option("group_id"), Some(&*opened.group_id));
    }
    assert_eq!(applied.child.id, opened.group_id);
}

#[test]
fn a_group_that_something_follows_is_a_chord_and_the_rest_stays_a_chain() {
    let group = composite("group", vec![Signature::new("a"), Signature::new("b")]);
    let steps = vec![group, Signature::new("sum"), Signature::new("last")];
    let applied = expanded(composite("chain", steps));
    let sum = body(&applied.calls[0]);
    assert_eq!(sum.task, "sum");
    let rest = sum
        .options
        .get("chain")
        .and_then(Value::as_list)
        .expect("a rest");
    let last = Signature::from_value(rest[0].clone()).expect("a signature");
    assert_eq!(
        (last.task.as_str(), last.text_option("task_id")),
        ("last", Some(&*applied.result.id))
    );
    let ancestors: Vec<_> = applied
        .ancestors
        .iter()
        .map(|result| result.id.as_str())
        .collect();
    assert_eq!(
        ancestors,
        [
            &applied.chords[0].group_id,
            sum.text_option("task_id").expect("an id")
        ]
    );
}

#[test]
fn a_chord_in_a_header_counts_by_its_body_which_carries_the_outer_one() {
    let inner = chord(
        vec![Signature::new("a"), Signature::new("b")],
        Signature::new("inner"),
    );
    let applied = expanded(chord(
        vec![inner, Signature::new("c")],
        Signature::new("outer"),
    ));
    let sizes: Vec<_> = applied.chords.iter().map(|chord| chord.size).collect();
    assert_eq!(sizes, [2, 2]);
    let outer = applied.chords[0].group_id.as_str();
    let inner = body(&applied.calls[0]);
    assert_eq!(inner.task, "inner");
    assert_eq!(inner.text_option("group_id"), Some(outer));
    assert_eq!(inner.options.get("group_index"), Some(&Value::Int(0)));
    let carried = inner
        .options
        .get("chord")
        .and_then(|chord| chord.get("task"));
    assert_eq!(carried.and_then(Value::as_str), Some("outer"));
}

#[test]
fn groups_in_a_header_are_flattened_and_a_group_at_the_end_of_a_chain_is_counted_whole() {
    let group = |names: [&str; 2]| composite("group", names.map(Signature::new).to_vec());
    let chain = composite("chain", vec![Signature::new("a"), group(["b", "c"])]);
    let applied = expanded(chord(vec![group(["x", "y"]), chain], Signature::new("sum")));
    let names: Vec<_> = applied
        .calls
        .iter()
        .map(|call| call.task.as_str())
        .collect();
    assert_eq!(
        names,
        ["y", "x", "a"],
        "Celery puts the last of a nested group first"
    );
    assert_eq!(applied.chords[0].size, 4);
    let header = applied.chords[0]
        .header
        .clone()
        .expect("a header with a group in it is saved");
    let header = ResultTuple::from_value(header).expect("a result tuple");
    let children = header.children.expect("a group");
    assert_eq!(children[2].children.as_ref().map(Vec::len), Some(2));
}

#[test]
fn a_chord_of_an_empty_header_calls_its_body_at_once() {
    let applied = expanded(chord(Vec::new(), Signature::new("sum")));
    assert!(applied.chords.is_empty());
    assert_eq!(applied.calls[0].args, [Value::List(Vec::new())]);
    assert_eq!(
        applied.calls[0].options.task_id.as_ref(),
        Some(&applied.result.id)
    );
}

#[test]
fn a_chain_of_nothing_is_refused_as_a_body_and_as_a_whole() {
    let empty = || composite("chain", Vec::new());
    for canvas in [empty(), chord(vec![Signature::new("a")], empty())] {
        let error = apply(canvas, &[], Vec::new(), &Lineage::default()).expect_err("nothing to do");
        assert!(matches!(error, ClientError::EmptyChain), "{error}");
    }
}

#[test]
fn chunks_are_a_group_of_starmaps() {
    let pairs = (0..5)
        .map(|n| Value::List(vec![n.into(), n.into()]))
        .collect();
    let task = Box::new(Signature::new("add"));
    let chunks = protocol::Canvas::Chunks {
        task,
        it: pairs,
        n: 2,
    };
    let applied = expanded(chunks.into_signature().expect("a composite signature"));
    let sizes: Vec<_> = applied
        .calls
        .iter()
        .map(|call| {
            call.kwargs
                .get("it")
                .and_then(Value::as_list)
                .map(<[_]>::len)
        })
        .collect();
    assert_eq!(sizes, [Some(2), Some(2), Some(1)]);
    assert!(
        applied
            .calls
            .iter()
            .all(|call| call.task == "celery.starmap"
                && call.options.route_name.as_deref() == Some("add"))
    );
}

#[test]
fn chords_are_refused_without_a_result_backend_and_polled_where_it_cannot_count() {
    let with = |chords| {
        let rules = Rules {
            chords,
            ..Rules::default()
        };
        let lineage = Lineage {
            rules,
            ..Lineage::default()
        };
        apply(
            chord(vec![Signature::new("a")], Signature::new("sum")),
            &[],
            Vec::new(),
            &lineage,
        )
    };
    assert!(matches!(
        with(Chords::Refused),
        Err(ClientError::ChordsNeedResults)
    ));
    let polled = with(Chords::Polled).expect("sound");
    assert!(polled.chords.is_empty());
    let unlock = &polled.calls[0];
    assert_eq!(unlock.task, "celery.chord_unlock");
    assert_eq!(
        unlock.args[0].as_str(),
        polled.calls[1].options.group_id.as_deref()
    );
    assert_eq!(
        unlock
            .kwargs
            .get("result")
            .and_then(Value::as_list)
            .map(<[_]>::len),
        Some(1)
    );
}

#[test]
fn canvas_that_is_nested_too_deep_is_refused() {
    let deep = |kind: &str| {
        (0..1_000).fold(Signature::new("a"), |inner, _| {
            composite(kind, vec![inner, Signature::new("b")])
        })
    };
    for kind in ["chain", "group"] {
        let error = apply(deep(kind), &[], Vec::new(), &Lineage::default()).expect_err("too deep");
        assert!(matches!(error, ClientError::CanvasTooDeep), "{error}");
    }
    let pair = || composite("group", vec![Signature::new("a"), Signature::new("b")]);
    let mut groups: Vec<_> = (0..1_000).map(|_| pair()).collect();
    groups.push(Signature::new("sum"));
    let chain = composite("chain", groups);
    let error = apply(chain, &[], Vec::new(), &Lineage::default()).expect_err("too deep");
    assert!(matches!(error, ClientError::CanvasTooDeep), "{error}");
}
